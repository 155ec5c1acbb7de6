"""The public namespace is what `__all__` says, small, and costs nothing until it is used."""

import subprocess
import sys

import pytest

import lit


def test_every_public_name_is_there():
    assert len(lit.__all__) <= 18
    for name in lit.__all__:
        assert getattr(lit, name) is not None
    assert dir(lit) == lit.__all__


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="no attribute 'embed'"):
        lit.embed  # noqa: B018


def test_import_lit_imports_nothing_heavy():
    code = "import sys, lit; print([m for m in ('jax', 'flax', 'numpy', 'PIL', 'pandas') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
