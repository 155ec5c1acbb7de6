"""The dataset behind whatever a user names."""

import subprocess
import sys
from pathlib import Path

import pytest
from prepared import png, write_tar, write_tfds

from lit.datasets import local_dataset, open_dataset
from lit.errors import DatasetError


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos" / "ape").mkdir(parents=True)
    (tmp_path / "photos" / "ape" / "a.png").write_bytes(png())
    (tmp_path / "m.csv").write_text("image,label\nphotos/ape/a.png,ape\n")
    (tmp_path / "tars").mkdir()
    for i in range(2):
        write_tar(tmp_path / "tars" / f"s-{i}.tar", [("a.png", png(i)), ("a.cls", b"0")])
    write_tfds(tmp_path / "tfds", "photos", [{"image": png(), "label": 0}], label_names=["zebra"])
    return tmp_path


@pytest.mark.parametrize(
    ("source", "kind", "n"),
    [
        ("photos", "ListedDataset", 1),
        ("photos/", "ListedDataset", 1),
        ("m.csv", "ListedDataset", 1),
        ("tars", "TarDataset", 2),
        ("tars/s-0.tar", "TarDataset", 1),
        ("tars/s-{0..1}.tar", "TarDataset", 2),
        ("tars/*.tar", "TarDataset", 2),
    ],
)
def test_what_lies_at_a_path(place, source, kind, n):
    for data in (local_dataset(source), open_dataset(source), open_dataset(Path(source))):
        assert (type(data).__name__, len(data), len(list(data.examples()))) == (kind, n, n)


def test_a_data_directory_means_tfds(place):
    data = open_dataset("photos", data_dir=place / "tfds", split="test")
    assert (data.name, data.label_names) == ("photos:1.0.0", ("zebra",))


@pytest.mark.parametrize("source", ["nowhere/", "./nowhere", "nowhere.csv", "nowhere.parquet", "nowhere-{0..3}.tar"])
def test_a_path_that_leads_nowhere_is_no_name_of_tfds(place, source):
    with pytest.raises(DatasetError, match="is not there|there is no file|are missing"):
        open_dataset(source)


def test_a_file_of_another_kind(place):
    (place / "a.zip").touch()
    with pytest.raises(DatasetError, match=r"a.zip is none of these: a folder of class folders, a manifest"):
        local_dataset("a.zip")


def test_importing_datasets_imports_none_of_their_libraries():
    heavy = ["pandas", "pyarrow", "tensorflow", "tensorflow_datasets", "array_record", "etils", "jax"]
    code = f"import sys, lit.datasets; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
