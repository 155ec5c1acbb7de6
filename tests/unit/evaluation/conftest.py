"""Labelled pictures that every test of the evaluation may use."""

import pytest
from labelled import answers, save_folders


@pytest.fixture(scope="session")
def known(tiny_model):
    """Pictures with the labels that the model gives them."""
    return answers(tiny_model)


@pytest.fixture
def folder(known, tmp_path):
    """A folder of class folders with them."""
    return save_folders(tmp_path / "pictures", *known)
