"""Prepared datasets of TensorFlow Datasets, through both readers."""

from pathlib import Path

import pytest
from prepared import png, write_tfds

from lit.datasets import Dataset, tfds_dataset

FORMATS = {"data-source": "array_record", "tf": "tfrecord"}
READERS = pytest.mark.parametrize("reader", FORMATS)
NAMES = ["zebra", "ape", "cat"]


def examples(n: int = 11) -> list[dict]:
    return [{"image": png(i), "label": i % 3, "file_name": f"{i:02d}.png"} for i in range(n)]


@pytest.fixture(scope="module")
def animals(tmp_path_factory) -> dict[str, Path]:
    """Reader -> data directory; the same eleven pictures in three files, and three more."""
    roots = {}
    for reader, file_format in FORMATS.items():
        roots[reader] = tmp_path_factory.mktemp(reader)
        splits = {"test": examples(), "train": examples(3)}
        write_tfds(roots[reader], "animals", splits, label_names=NAMES, shards=3, file_format=file_format)
    return roots


@READERS
def test_examples_come_in_order_as_they_are_stored(animals, reader):
    data = tfds_dataset("animals", split="test", data_dir=animals[reader])
    assert isinstance(data, Dataset)
    assert (data.name, data.split, data.label_names, len(data)) == ("animals:1.0.0", "test", tuple(NAMES), 11)
    found = list(data.examples())
    assert [e.image for e in found] == [png(i) for i in range(11)]
    assert [e.labels for e in found] == [(i % 3,) for i in range(11)]
    assert found[5].id == f"animals-test.{FORMATS[reader]}-00001-of-00003__1"
    assert [e.id for e in data.examples()] == [e.id for e in found]


@READERS
@pytest.mark.parametrize(
    ("split", "positions"), [("test", range(11)), ("test[3:9]", range(3, 9)), ("test[-2:]", (9, 10))]
)
def test_shards_are_cut_by_position(animals, reader, split, positions):
    data = tfds_dataset("animals", split=split, data_dir=animals[reader], identity="file_name")
    names = [f"{i:02d}.png" for i in positions]
    assert len(data) == len(names)
    for shards in (1, 2, 4, 13):
        for shard in range(shards):
            assert [e.id for e in data.examples(shard, shards)] == names[shard::shards]
