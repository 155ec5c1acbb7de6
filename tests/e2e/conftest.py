"""The real command line, in its own process, on a tiny model."""

import os

import numpy as np
import pytest
from shell import Shell, save_picture


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    """One cache for all tests that do not test the cache: programs compile once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def lit(tmp_path, shared_cache):
    """The command line in an empty folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    (tmp_path / "config.toml").touch()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("LIT_", "JAX_", "PYTHON", "HF_"))}
    env |= {
        "LIT_CACHE": str(shared_cache),
        "LIT_CONFIG": str(tmp_path / "config.toml"),
        "LIT_OFFLINE": "1",
        "JAX_PLATFORMS": "cpu",
        "COLUMNS": "100",
    }
    return Shell(folder, env)


@pytest.fixture
def photos(lit):
    """Six small pictures of three formats in nested folders, one of them twice."""
    rng = np.random.default_rng(0)
    names = ("a.jpg", "b.png", "c d.jpg", "deep/größe/猫.jpg", "deep/e.webp")
    for name in names:
        save_picture(lit.cwd / "photos" / name, rng)
    (lit.cwd / "photos" / "z-copy-of-a.jpg").write_bytes((lit.cwd / "photos" / "a.jpg").read_bytes())
    (lit.cwd / "photos" / "notes.txt").write_text("not a picture")
    return lit.cwd / "photos"
