"""Prepared datasets of TensorFlow Datasets, through both readers."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from prepared import jpeg, png, write_tfds, write_tfrecord

from lit.datasets import Dataset, tfds_dataset
from lit.errors import DatasetError, MissingExtraError

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
    assert data.description["source"] == "tfds"
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
    for shards in (1, 3, 13):
        for shard in {0, 1, 2, 12} & set(range(shards)):
            assert [e.id for e in data.examples(shard, shards)] == names[shard::shards]


def test_both_readers_give_the_same_as_tfds_itself(animals):
    """Bytes, labels, order and ids, against tfds's own reader."""
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(animals["tf"] / "animals" / "1.0.0")
    config = tfds.ReadConfig(add_tfds_id=True, interleave_cycle_length=1, try_autocache=False)
    skip = {"image": tfds.decode.SkipDecoding()}
    oracle = tfds.as_numpy(builder.as_dataset(split="test[2:]", decoders=skip, read_config=config))
    oracle = [(e["tfds_id"].decode(), e["image"], (int(e["label"]),)) for e in oracle]
    for reader, file_format in FORMATS.items():
        data = tfds_dataset("animals", split="test[2:]", data_dir=animals[reader])
        found = [(e.id.replace(file_format, "tfrecord"), e.image, e.labels) for e in data.examples()]
        assert found == oracle


def write_captions(root, file_format):
    import tensorflow_datasets as tfds

    kinds = tfds.features
    features = {
        "image": kinds.Image(shape=(None, None, 3)),
        "nested": {"raw": kinds.Tensor(shape=(4, 5, 1), dtype=np.uint8), "file": kinds.Text()},
        "captions": kinds.Sequence({"id": np.int64, "text": kinds.Text()}),
        "many": kinds.Sequence(kinds.ClassLabel(names=["x", "y", "z"])),
        "number": kinds.Scalar(np.int64),
        "plain": kinds.Sequence(np.int64),
        "mask": kinds.Image(shape=(None, None, 1)),
        "unnamed": kinds.ClassLabel(num_classes=3),
        "score": kinds.Scalar(np.float32),
    }
    examples = [
        {
            "image": jpeg(i),
            "nested": {"raw": np.full((4, 5, 1), i, np.uint8), "file": f"é/{i}"},
            "captions": [{"id": j, "text": f"caption {j} of {i}, ü"} for j in range(i)],
            "many": [2, 0][:i],
            "number": 7 * i,
            "plain": [5, 5, 9][:i],
            "mask": png(i),
            "unnamed": i - 1,
            "score": 0.5,
        }
        for i in range(3)
    ]
    write_tfds(root, "rich/config", examples, features=features, file_format=file_format)
    return root


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    return {reader: write_captions(tmp_path_factory.mktemp(reader), FORMATS[reader]) for reader in FORMATS}


@READERS
def test_features_by_path(rich, reader):
    def opened(**features):
        return tfds_dataset("rich/config", data_dir=rich[reader], **features)

    data = opened(label="many", captions="captions/text", identity="nested/file")
    assert (data.name, data.split, data.label_names) == ("rich/config:1.0.0", "test", ("x", "y", "z"))
    assert [(e.id, e.image, e.labels, e.texts) for e in data.examples()] == [
        ("é/0", jpeg(0), (), ()),
        ("é/1", jpeg(1), (2,), ("caption 0 of 1, ü",)),
        ("é/2", jpeg(2), (2, 0), ("caption 0 of 2, ü", "caption 1 of 2, ü")),
    ]
    data = opened(image="nested/raw", label="unnamed", identity="number")
    assert data.label_names == ("0", "1", "2")
    assert [(e.id, e.labels) for e in data.examples()] == [("0", ()), ("7", (0,)), ("14", (1,))]
    for i, example in enumerate(data.examples()):
        np.testing.assert_array_equal(example.image, np.full((4, 5), i, np.uint8), strict=True)
    data = opened(label="plain")
    assert (data.label_names, [e.labels for e in data.examples()]) == (None, [(), (5,), (5,)])
    assert [(e.labels, e.texts) for e in opened(label="", captions="nested/file").examples()][1] == ((), ("é/1",))


@READERS
def test_ragged_features_are_read_where_wanted_and_passed_over_elsewhere(tmp_path, reader):
    import tensorflow_datasets as tfds

    kinds = tfds.features
    features = {
        "image": kinds.Image(shape=(None, None, 3)),
        "label": kinds.ClassLabel(names=NAMES),
        "objects": kinds.Sequence({"texts": kinds.Sequence(kinds.Text()), "points": kinds.Sequence(np.int64)}),
    }
    objects = [{"texts": ["a", "ü"], "points": [1, 2, 3]}, {"texts": ["c"], "points": []}]
    rows = [{"image": png(i), "label": i, "objects": objects[:n]} for i, n in enumerate((2, 1))]
    write_tfds(tmp_path, "ragged", rows, features=features, file_format=FORMATS[reader])
    found = list(tfds_dataset("ragged", data_dir=tmp_path).examples())
    assert [(e.image, e.labels, e.texts) for e in found] == [(png(0), (0,), ()), (png(1), (1,), ())]
    found = list(tfds_dataset("ragged", data_dir=tmp_path, captions="objects/texts").examples())
    assert [(e.image, e.texts) for e in found] == [(png(0), ("a", "ü", "c")), (png(1), ("a", "ü"))]


def test_what_tfds_cannot_parse_is_told_with_the_example(tmp_path):
    import tensorflow_datasets as tfds

    directory = write_tfds(tmp_path, "animals", examples(2), label_names=NAMES, file_format="tfrecord")
    other = tfds.features.FeaturesDict({"image": tfds.features.Text(), "label": tfds.features.Sequence(np.int64)})
    records = [other.serialize_example({"image": png(), "label": [1, 2]})] * 2
    write_tfrecord(directory / "animals-test.tfrecord-00000-of-00001", records)
    with pytest.raises(DatasetError, match="animals:1.0.0, example .*-00001__0: .*label.*Prepare the dataset anew"):
        list(tfds_dataset("animals", data_dir=tmp_path).examples())
    record = other.serialize_example({"image": png(), "label": [1]}).replace(b"label", b"lapel")
    write_tfrecord(directory / "animals-test.tfrecord-00000-of-00001", [record] * 2)
    with pytest.raises(DatasetError, match="animals:1.0.0, example .*-00001__0: .*label.*Prepare the dataset anew"):
        list(tfds_dataset("animals", data_dir=tmp_path).examples())


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ({"image": "picture"}, "no feature 'picture' .asked for as its image.; it has captions/id, captions/text"),
        ({"label": "captions/label"}, "no feature 'captions/label' .asked for as its label.; it has"),
        ({"label": "image/label"}, "no feature 'image/label'"),
        ({"label": "score"}, "the feature 'score' holds no labels"),
        ({"label": "nested/file"}, "the feature 'nested/file' holds no labels"),
        ({"image": "number", "label": "many"}, "the feature 'number' holds no picture"),
        ({"label": "many", "captions": "many"}, "the feature 'many' holds no text"),
        ({"label": "many", "identity": "captions/text"}, "'captions/text' holds several values for an example"),
        ({"label": "many", "identity": "score"}, "the feature 'score' names no example"),
    ],
)  # fmt: skip
def test_features_that_are_not_there_or_of_another_kind(rich, features, says):
    with pytest.raises(DatasetError, match=says):
        tfds_dataset("rich", data_dir=rich["data-source"], **features)


def test_what_is_not_prepared_is_told_with_what_is(tmp_path):
    for name, version in (("animals", "1.0.0"), ("animals", "1.10.0"), ("two/a", "1.0.0"), ("two/b", "1.0.0")):
        write_tfds(tmp_path, name, examples(2), version=version, label_names=NAMES)
    (tmp_path / "begun" / "2.0.0.incompleteABC").mkdir(parents=True)
    (tmp_path / "begun" / "1.0.0").mkdir()
    (tmp_path / "downloads").mkdir()

    def says(text, name="animals", root=tmp_path):
        with pytest.raises(DatasetError, match=text):
            tfds_dataset(name, data_dir=root)

    says("cifar10 is not prepared under .*no folder 'cifar10' in it .datasets there: animals, begun, two.", "cifar10")
    says(
        "lit downloads no datasets. Prepare it with `tfds build cifar10 --data_dir .*ImageNet.*downloads/manual",
        "cifar10",
    )
    says("animals:3.0.0 is not prepared.*no complete version 3.0.0 in .*there: 1.0.0, 1.10.0", "animals:3.0.0")
    says("no complete version in .*begun.*A preparation was not finished", "begun")
    says("two has several configurations in .*; name one, as 'two/a': a, b", "two")
    says("no configuration 'c' in .*there: a, b", "two/c")
    says("it does not exist", root=tmp_path / "nowhere")
    says("'../x' is not a name of TensorFlow Datasets", "../x")
    assert tfds_dataset("animals", data_dir=tmp_path).name == "animals:1.10.0"
    assert tfds_dataset("animals:1.0.0", data_dir=tmp_path).name == "animals:1.0.0"
    (tmp_path / "two" / ".config").mkdir()
    (tmp_path / "two" / ".config" / "metadata.json").write_text('{"default_config_name": "b"}')
    assert tfds_dataset("two", data_dir=tmp_path).name == "two/b:1.0.0"
    for root in (tmp_path / "animals", tmp_path / "animals" / "1.10.0"):
        assert tfds_dataset("animals", data_dir=root).name == "animals:1.10.0"
    says("holds 'animals:1.0.0', not 'cifar10'", "cifar10", tmp_path / "animals" / "1.0.0")


def test_the_directory_of_a_version_must_hold_what_is_asked_for(tmp_path):
    plain = write_tfds(tmp_path, "animals", examples(2), label_names=NAMES)
    random = write_tfds(tmp_path, "two/random", examples(2), label_names=NAMES)

    def opened(name, root):
        return tfds_dataset(name, data_dir=root).name

    for name in ("animals/other:1.0.0", "animals/other", "animals:9.9.9"):
        with pytest.raises(DatasetError, match=f"1.0.0 holds 'animals:1.0.0', not '{name}'"):
            opened(name, plain)
    for name in ("two/fixed", "two/random:2.0.0", "two/fixed:1.0.0"):
        with pytest.raises(DatasetError, match=f"holds 'two/random:1.0.0', not '{name}'"):
            opened(name, random)
    assert {opened(name, random) for name in ("two", "two/random", "two:1.0.0", "two/random:1.0.0")} == {
        "two/random:1.0.0"
    }
    with pytest.raises(DatasetError, match=r"2.0.0 holds 'animals:1.0.0', not 'animals:2.0.0'"):
        opened("animals:2.0.0", plain.rename(plain.parent / "2.0.0").parents[1])
    info = random / "dataset_info.json"
    info.write_text(json.dumps({k: v for k, v in json.loads(info.read_text()).items() if k != "configName"}))
    assert opened("two/random", tmp_path) == "two:1.0.0"  # tfds did not write it once
    with pytest.raises(DatasetError, match="holds 'two:1.0.0', not 'two/fixed'"):
        opened("two/fixed", random)


def test_the_data_directory_of_the_environment(tmp_path, monkeypatch):
    write_tfds(tmp_path, "animals", examples(1), label_names=NAMES)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert len(tfds_dataset("animals")) == 1
    monkeypatch.delenv("TFDS_DATA_DIR")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(DatasetError, match=f"not prepared under {tmp_path}/home/tensorflow_datasets"):
        tfds_dataset("animals")


def test_addresses_of_buckets_stay_what_they_are(monkeypatch):
    from etils import epath

    asked = []
    monkeypatch.setattr(type(epath.Path("gs://b")), "exists", lambda path: asked.append(str(path)))
    with pytest.raises(DatasetError, match="under gs://bucket/tfds.*gs://bucket/tfds/downloads/manual"):
        tfds_dataset("animals", data_dir="gs://bucket/tfds")
    assert "gs://bucket/tfds/animals" in asked


def test_splits(animals, tmp_path):
    root = animals["data-source"]
    with pytest.raises(DatasetError, match=r"has several splits; name one: test, train"):
        tfds_dataset("animals", data_dir=root)
    for split in ("validation", "test[", "test[:5", "validation[:5]", ""):
        with pytest.raises(DatasetError, match=r"has no split '.*'; it has test \(11\), train \(3\). A part of one"):
            tfds_dataset("animals", split=split, data_dir=root)
    with pytest.raises(DatasetError, match="there are no examples"):
        tfds_dataset("animals", split="test[5:5]", data_dir=root)
    assert len(tfds_dataset("animals", split="train+test[:2]", data_dir=root)) == 5
    assert len(tfds_dataset("animals", split="test[50%:]", data_dir=root)) == 5


def test_unnamed_labels_are_passed_on(tmp_path):
    """The guard of the suites refuses them."""
    write_tfds(tmp_path, "animals", examples(2))
    assert tfds_dataset("animals", data_dir=tmp_path).label_names == tuple("0123456789")


def test_a_label_beyond_the_names(tmp_path):
    directory = write_tfds(tmp_path, "animals", examples(3), label_names=NAMES)
    (directory / "label.labels.txt").write_text("zebra\nape\n")
    features = directory / "features.json"
    features.write_text(features.read_text().replace('"numClasses": "3"', '"numClasses": "2"'))
    data = tfds_dataset("animals", data_dir=tmp_path)
    assert data.label_names == ("zebra", "ape")
    with pytest.raises(DatasetError, match=r"animals:1.0.0, example .*00001__2: label \(2,\) with 2 label names"):
        list(data.examples())


def test_the_fingerprint_tells_changes(tmp_path):
    directory = write_tfds(tmp_path, "animals", examples(4), label_names=NAMES, shards=2)

    def opened(**kwargs):
        return tfds_dataset("animals", data_dir=tmp_path, **{"split": "test", **kwargs}).fingerprint

    seen = [opened(), opened(split="test[:2]"), opened(split="test[1:3]"), opened(identity="file_name")]
    assert opened() == seen[0]
    os.utime(directory / "animals-test.array_record-00001-of-00002", ns=(1, 1))
    seen.append(opened())
    assert len(set(seen)) == 5


def test_copies_have_the_same_content_key(tmp_path):
    def key(root, of=(), **kwargs):
        of = of or examples(4)
        write_tfds(tmp_path / root, "animals", {"test": of, "train": examples(1)}, label_names=NAMES, shards=2)
        return tfds_dataset("animals", data_dir=tmp_path / root, **{"split": "test", **kwargs}).content_key

    larger = [{**example, "image": png(1, side=20)} for example in examples(4)]
    keys = [key("one"), key("one", split="test[:2]"), key("one", identity="file_name"), key("one", split="train")]
    keys += [key("two", larger), key("two", examples(5))]
    assert key("two") == key("two", split="test") == keys[0]
    assert len(set(keys)) == 6


def test_missing_and_damaged_metadata(tmp_path):
    directory = write_tfds(tmp_path, "animals", examples(4), label_names=NAMES, shards=2)
    (directory / "animals-test.array_record-00001-of-00002").rename(tmp_path / "away")
    with pytest.raises(
        DatasetError, match=r"1 of 2 files are not in .*: animals-test.array_record-00001-of-00002. Copy"
    ):
        tfds_dataset("animals", data_dir=tmp_path)
    (directory / "features.json").write_text("{")
    with pytest.raises(DatasetError, match=r"features.json is damaged.*Prepare the dataset anew"):
        tfds_dataset("animals", data_dir=tmp_path)


@READERS
def test_torn_files_are_never_a_shorter_dataset(tmp_path, reader):
    file_format = FORMATS[reader]
    directory = write_tfds(tmp_path, "animals", examples(6), label_names=NAMES, shards=2, file_format=file_format)
    file = directory / f"animals-test.{file_format}-00000-of-00002"
    data = tfds_dataset("animals", data_dir=tmp_path)
    whole = file.read_bytes()
    at = [i for i, byte in enumerate(whole) if byte]
    at = at[len(at) // 2]  # amid the records, not in what pads them
    flipped = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
    for damaged in (whole[:-30], whole[: len(whole) // 2], b"", flipped):
        file.write_bytes(damaged)
        with pytest.raises(DatasetError, match=r"animals-test.*-00000-of-00002 could not be read at or shortly after"):
            list(data.examples())


def test_a_file_with_fewer_records_than_it_should_have(tmp_path):
    directory = write_tfds(tmp_path, "animals", examples(6), label_names=NAMES, file_format="tfrecord")
    write_tfrecord(directory / "animals-test.tfrecord-00000-of-00001", [])
    with pytest.raises(DatasetError, match="should hold at least 6 records"):
        list(tfds_dataset("animals", data_dir=tmp_path).examples())
    write_tfrecord(directory / "animals-test.tfrecord-00000-of-00001", [b"rubbish"] * 6)
    with pytest.raises(DatasetError, match="example animals-test.tfrecord-00000-of-00001__0: .*damaged"):
        list(tfds_dataset("animals", data_dir=tmp_path).examples())


def test_which_reader_reads_what(animals, tmp_path, monkeypatch):
    def kind(root, reader="auto"):
        return tfds_dataset("animals", split="test", data_dir=root, reader=reader).description["storage"]

    assert kind(animals["tf"]) == "tfrecord"
    assert kind(animals["data-source"]) == "array_record"
    with pytest.raises(DatasetError, match="is stored as array_record, not as tfrecord; reader='data-source' reads it"):
        kind(animals["data-source"], "tf")
    with pytest.raises(DatasetError, match="is stored as tfrecord, not as array_record; reader='tf' reads it"):
        kind(animals["tf"], "data-source")
    for file_format in ("tfrecord", "array_record"):
        directory = write_tfds(tmp_path, "animals", examples(2), label_names=NAMES, file_format=file_format)
    info = json.loads((directory / "dataset_info.json").read_text())
    (directory / "dataset_info.json").write_text(json.dumps({**info, "alternativeFileFormats": ["tfrecord"]}))
    assert [kind(tmp_path, reader) for reader in ("auto", "tf", "data-source")] == [
        "array_record", "tfrecord", "array_record"
    ]  # fmt: skip
    monkeypatch.setitem(sys.modules, "array_record", None)
    assert kind(tmp_path) == "tfrecord"
    (directory / "dataset_info.json").write_text(json.dumps({**info, "fileFormat": "riegeli"}))
    with pytest.raises(DatasetError, match="is stored as riegeli; lit reads tfrecord and array_record"):
        kind(tmp_path)


def test_what_is_not_installed(animals, monkeypatch):
    monkeypatch.setitem(sys.modules, "array_record", None)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(MissingExtraError, match=r"stored as array_record, needs .*lit-jax\[arrayrecord\]"):
        tfds_dataset("animals", split="test", data_dir=animals["data-source"])
    with pytest.raises(MissingExtraError, match=r"stored as tfrecord, needs .*lit-jax\[tfds\]"):
        tfds_dataset("animals", split="test", data_dir=animals["tf"])
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(MissingExtraError, match=r"lit-jax\[tfds\]"):
        tfds_dataset("animals", split="test", data_dir=animals["tf"])


def run(code: str, *arguments: object) -> list[str]:
    """Runs a program in a process of its own, which says nothing on standard error."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def test_the_data_source_imports_no_tensorflow(animals):
    code = """
        import sys
        from lit.datasets import tfds_dataset
        data = tfds_dataset("animals", split="test", data_dir=sys.argv[1])
        print(len(list(data.examples())), *(m for m in ("tensorflow", "jax", "flax", "keras") if m in sys.modules))
    """
    assert run(code, animals["data-source"]) == ["11"]


@pytest.mark.slow
def test_tensorflow_is_quiet_and_sees_no_devices_but_the_cpu(animals):
    code = """
        import sys
        from lit.datasets import tfds_dataset
        data = tfds_dataset("animals", split="test", data_dir=sys.argv[1])
        assert "tensorflow" not in sys.modules  # opening a dataset does not wait for it
        print(len(list(data.examples())))
        import tensorflow as tf
        print(*(device.device_type for device in tf.config.get_visible_devices()))
    """
    assert run(code, animals["tf"]) == ["11", "CPU"]
