"""Examples by number are those in order."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from prepared import png, write_tar, write_tfds

from lit.datasets import RandomAccess, folder_dataset, manifest_dataset, tfds_dataset, webdataset
from lit.datasets.random_records import RandomRecords
from lit.datasets.records import Piece
from lit.errors import DatasetError


def of_folder(path):
    (path / "ape").mkdir()
    for i in range(4):
        (path / "ape" / f"{i}.png").write_bytes(png(i))
    return folder_dataset(path)


def of_manifest(path):
    (path / "m.csv").write_text("image,label\n" + "".join(f"{i}.png,{i % 2}\n" for i in range(4)))
    return manifest_dataset(path / "m.csv")


def of_tars(path):
    for shard in range(3):
        members = [(f"{i}.{ext}", data) for i in range(2) for ext, data in (("png", png(2 * shard + i)), ("cls", b"1"))]
        write_tar(path / f"{shard}.tar", members)
    return webdataset(f"{path}/*.tar")


def of_tfds(path):
    examples = [{"image": png(i), "label": i} for i in range(9)]
    write_tfds(path, "animals", examples, shards=3)
    return tfds_dataset("animals", data_dir=path, split="test[1:8]")


@pytest.mark.parametrize("opened", [of_folder, of_manifest, of_tars, of_tfds])
def test_the_same_examples(tmp_path, opened):
    data = opened(tmp_path)
    assert isinstance(data, RandomAccess)
    assert data.random_access
    found = list(data.examples())
    assert [data.example(i) for i in reversed(range(len(data)))] == found[::-1]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(data.example, list(range(len(data))) * 5)) == found * 5


@pytest.mark.parametrize("opened", [of_folder, of_tars, of_tfds])
def test_a_worker_is_sent_a_copy(tmp_path, opened):
    data = opened(tmp_path)
    before = data.example(2)
    assert pickle.loads(pickle.dumps(data)).example(2) == before


def test_many_files_are_not_all_kept_open(tmp_path, monkeypatch):
    monkeypatch.setattr("lit.datasets.random_records._OPEN", 2)
    write_tfds(tmp_path, "animals", [{"image": png(i), "label": 0} for i in range(8)], shards=4)
    data = tfds_dataset("animals", data_dir=tmp_path)
    for _ in range(2):
        assert [data.example(i).image for i in range(8)] == [png(i) for i in range(8)]
        assert len(data._random._readers) == 2


def test_positions():
    records = RandomRecords([Piece("a", 2, 3), Piece("b", 0, 1), Piece("c", 5, 2)])
    places = [records.place(i) for i in range(6)]
    assert [(piece.path, at) for piece, at in places] == [("a", 2), ("a", 3), ("a", 4), ("b", 0), ("c", 5), ("c", 6)]
    for wrong in (-1, 6):
        with pytest.raises(IndexError):
            records.place(wrong)


def test_damaged_files(tmp_path):
    directory = write_tfds(tmp_path, "animals", [{"image": png(i), "label": 0} for i in range(4)])
    data = tfds_dataset("animals", data_dir=tmp_path)
    file = next(directory.glob("*.array_record-*"))
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DatasetError, match="could not be read"):
        data.example(1)
    data = of_tars(tmp_path)
    len(data)
    (tmp_path / "1.tar").unlink()
    with pytest.raises(DatasetError, match="could not be read"):
        data.example(2)
    (tmp_path / "0.tar").unlink()
    (tmp_path / "0.tar").mkdir()
    with pytest.raises(DatasetError, match="could not be read"):
        data.example(0)
    (tmp_path / "0.tar").rmdir()
    (tmp_path / "0.tar").write_bytes(b"")
    with pytest.raises(DatasetError, match="cut off"):
        data.example(0)
