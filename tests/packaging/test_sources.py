"""What the build takes from the top level is there in a fresh clone."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WHEEL = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]


@pytest.mark.parametrize("source", WHEEL["force-include"])
def test_a_folder_of_data_holds_a_file(source):
    """Git keeps no empty folder, and without the folder neither `pip install` nor `make demo` works."""
    assert any(path.is_file() for path in (ROOT / source).rglob("*"))
