"""A folder of class folders."""

import os
import shutil

import pytest
from prepared import png

from lit.datasets import Dataset, folder_dataset
from lit.errors import DatasetError


@pytest.fixture
def zoo(tmp_path):
    """Class names that sort differently as numbers, without case, or in a language."""
    for name in ("10/a.png", "2/b.png", "Zebra/c.PNG", "ape/deep/d.png", "ape/a.png", "épée/e.png"):
        file = tmp_path / "zoo" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(len(name)))
    for hidden in (".git/x.png", "ape/.thumbs/y.png", "ape/.z.png", ".DS_Store", "README.md", "ape/notes.txt"):
        file = tmp_path / "zoo" / hidden
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png())
    return tmp_path / "zoo"


def test_folder_names_are_the_labels(zoo):
    data = folder_dataset(zoo)
    assert isinstance(data, Dataset)
    assert data.label_names == ("10", "2", "Zebra", "ape", "épée")
    found = [(e.id, e.labels, e.image) for e in data.examples()]
    ids = ["10/a.png", "2/b.png", "Zebra/c.PNG", "ape/a.png", "ape/deep/d.png", "épée/e.png"]
    assert found == [(i, (n,), zoo / i) for i, n in zip(ids, [0, 1, 2, 3, 3, 4], strict=True)]
    assert data.description["source"] == "local files"
    assert (data.name, data.split, len(data)) == ("zoo", "all", 6)
    for shards in (1, 2, 7):
        assert [[e.id for e in data.examples(s, shards)] for s in range(shards)] == [
            ids[s::shards] for s in range(shards)
        ]


def test_the_fingerprint_tells_changes(zoo):
    before = folder_dataset(zoo).fingerprint
    assert folder_dataset(str(zoo)).fingerprint == before
    picture = zoo / "2" / "b.png"
    os.utime(picture, ns=(1, 1))
    touched = folder_dataset(zoo).fingerprint
    picture.rename(zoo / "2" / "bb.png")
    renamed = folder_dataset(zoo).fingerprint
    (zoo / "2").rename(zoo / "3")
    assert len({before, touched, renamed, folder_dataset(zoo).fingerprint}) == 4


def test_copies_have_the_same_content_key(zoo, tmp_path):
    keys = [folder_dataset(shutil.copytree(zoo, tmp_path / "other" / "name")).content_key]
    os.utime(zoo / "2" / "b.png", ns=(1, 1))
    assert folder_dataset(zoo).content_key == keys[0]
    (zoo / "2" / "b.png").rename(zoo / "2" / "bb.png")
    keys.append(folder_dataset(zoo).content_key)
    (zoo / "2" / "bb.png").write_bytes(png(1, side=9))
    keys.append(folder_dataset(zoo).content_key)
    (zoo / "2" / "bb.png").rename(zoo / "ape" / "bb.png")
    (zoo / "2").rmdir()
    keys.append(folder_dataset(zoo).content_key)
    assert len(set(keys)) == 4


def test_what_is_no_folder_of_class_folders(tmp_path, zoo):
    (zoo / "stray.jpg").write_bytes(png())
    with pytest.raises(DatasetError, match=r"1 pictures lie in it directly \('stray.jpg' first\)"):
        folder_dataset(zoo)
    (zoo / "stray.jpg").unlink()
    (zoo / "__MACOSX").mkdir()
    with pytest.raises(DatasetError, match="class folder '__MACOSX'.*no images.*Remove it if it is no class"):
        folder_dataset(zoo)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="it has no folders"):
        folder_dataset(tmp_path / "empty")
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        folder_dataset(tmp_path / "nowhere")
