"""The prepared sets: what tfds reads back, what a second or an interrupted run does, and that the suites fit."""

import dataclasses
import fcntl
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from lit.prompts import load_classes
from lit.suites import align, load_suite

tfds = pytest.importorskip("tensorflow_datasets")

SETS = Path(__file__).parents[3] / "eval" / "sets"
SUITES = sorted((SETS / "suites").glob("*.toml"))


@pytest.fixture
def recipe(monkeypatch):
    """The scripts of eval/sets, which are not a package."""
    monkeypatch.syspath_prepend(str(SETS))
    import builder
    import prepare
    import sources

    return SimpleNamespace(builder=builder, prepare=prepare, sources=sources, assets=sources.assets)


def _pixels(i: int) -> np.ndarray:
    return np.random.default_rng(i).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def _examples(folder: Path, split: str):
    for i in range({"train": 3, "test": 12}[split]):
        yield {"id": f"{split}_{i:05d}", "image": Image.fromarray(_pixels(i)), "label": i % 10}


@pytest.fixture
def small(recipe):
    """CIFAR-10 in name and features, with pictures of the test's own."""
    cifar10 = recipe.sources.SOURCES[0]
    return dataclasses.replace(cifar10, splits={"train": 3, "test": 12}, examples=_examples)


def _arguments(data_dir: Path, file_format: str = "array_record"):
    return SimpleNamespace(data_dir=data_dir, assets=data_dir, file_format=file_format)


@pytest.mark.parametrize("file_format", ["tfrecord", "array_record"])
def test_tfds_reads_by_name_what_was_prepared(recipe, small, tmp_path, file_format):
    if file_format == "tfrecord":
        pytest.importorskip("tensorflow")
    line = recipe.prepare.prepare(small, _arguments(tmp_path, file_format))
    assert line.startswith(f"cifar10:3.0.2  train 3, test 12  {file_format}  prepared")
    builder = tfds.builder("cifar10", data_dir=tmp_path)
    assert builder.info.features["label"].names[:2] == ["airplane", "automobile"]
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {"train": 3, "test": 12}
    rows = builder.as_data_source("test") if file_format == "array_record" else builder.as_dataset(split="test")
    rows = list(tfds.as_numpy(rows)) if file_format == "tfrecord" else list(rows)
    assert sorted(row["id"] for row in rows) == [f"test_{i:05d}".encode() for i in range(12)]
    for row in rows:
        i = int(row["id"][-5:])
        np.testing.assert_array_equal(row["image"], _pixels(i))
        assert row["label"] == i % 10


def test_array_record_is_written_without_tensorflow(tmp_path):
    code = """
import importlib.machinery as machinery, sys
class Without(machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] == "tensorflow" else machinery.PathFinder.find_spec(name, path, target)
sys.meta_path = [Without if f is machinery.PathFinder else f for f in sys.meta_path]
import dataclasses, pathlib, types, builder, prepare, sources
from PIL import Image
picture = lambda i: Image.new("RGB", (32, 32), (i, 0, 0))
rows = lambda folder, split: ({"id": f"{i}", "image": picture(i), "label": i} for i in range(4))
small = dataclasses.replace(sources.SOURCES[0], splits={"test": 4}, examples=rows)
where = pathlib.Path(sys.argv[1])
print(prepare.prepare(small, types.SimpleNamespace(data_dir=where, assets=where, file_format=sys.argv[2])))
assert "tensorflow" not in sys.modules
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run([*command, "array_record"], cwd=SETS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cifar10:3.0.2  test 4  array_record  prepared")
    done = subprocess.run([*command[:-1], str(tmp_path / "2"), "tfrecord"], cwd=SETS, capture_output=True, check=False)
    assert done.returncode != 0
    assert not (tmp_path / "2" / "cifar10" / "3.0.2").exists()


def test_a_second_run_finds_everything_ready(recipe, small, tmp_path):
    recipe.prepare.prepare(small, _arguments(tmp_path))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    def never(folder, split):
        raise AssertionError("read again")

    again = recipe.prepare.prepare(dataclasses.replace(small, examples=never), _arguments(tmp_path))
    assert again.endswith("there already")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_an_interrupted_run_leaves_nothing_half_done(recipe, small, tmp_path):
    def torn(folder, split):
        yield from list(_examples(folder, split))[:2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recipe.prepare.prepare(dataclasses.replace(small, examples=torn), _arguments(tmp_path))
    assert not (tmp_path / "cifar10" / "3.0.2").exists()
    killed = tmp_path / "cifar10" / "incomplete.AAAAAA_3.0.2"  # what kill -9 leaves
    killed.mkdir(parents=True)
    (killed / "cifar10-test.array_record").write_bytes(b"half")
    assert "prepared" in recipe.prepare.prepare(small, _arguments(tmp_path))
    assert not killed.exists()
    assert len(tfds.builder("cifar10", data_dir=tmp_path).as_data_source("test")) == 12


def test_another_format_or_other_counts_are_refused(recipe, small, tmp_path):
    recipe.prepare.prepare(small, _arguments(tmp_path))
    with pytest.raises(ValueError, match="is there as array_record; take another --data-dir for tfrecord"):
        recipe.prepare.prepare(small, _arguments(tmp_path, "tfrecord"))
    whole = dataclasses.replace(small, splits={"train": 50_000, "test": 10_000})
    with pytest.raises(ValueError, match=r"has \{'train': 3, 'test': 12\}, expected .* delete it"):
        recipe.prepare.prepare(whole, _arguments(tmp_path))


def test_two_runs_at_once_do_not_meet(recipe, tmp_path):
    with (tmp_path / ".prepare.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SystemExit, match="Another run"), recipe.prepare.alone(tmp_path):
            pass
    with recipe.prepare.alone(tmp_path):
        pass


@pytest.mark.parametrize("name", ["cifar10", "mnist"])
def test_features_are_those_of_tfds(recipe, tmp_path, name):
    source = next(s for s in recipe.sources.SOURCES if s.name == name)
    mine = recipe.builder.PackagedSet(source, tmp_path, data_dir=tmp_path, file_format="array_record")
    theirs = tfds.builder(name, data_dir=tmp_path / "none")
    assert str(mine.version) == str(theirs.version)
    assert mine.info.features.to_json() == theirs.info.features.to_json()
    assert mine.info.supervised_keys == theirs.info.supervised_keys


def test_imagenet_sample_has_the_features_of_imagenet(recipe, tmp_path):
    source = next(s for s in recipe.sources.SOURCES if s.name == "imagenet_sample")
    mine = recipe.builder.PackagedSet(source, tmp_path, data_dir=tmp_path, file_format="array_record")
    theirs = tfds.builder("imagenet2012", data_dir=tmp_path / "none")
    assert mine.info.features.to_json() == theirs.info.features.to_json()
    assert mine.info.features["label"].names == theirs.info.features["label"].names


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_suites_fit_their_sets(recipe, path, tmp_path):
    suite = load_suite(path)
    source = next(s for s in recipe.sources.SOURCES if s.name == suite.dataset)
    assert {suite.split, suite.train_split or suite.split} <= set(source.splits)
    assert suite.identity in source.text
    names = source.label_names
    classes = load_classes(suite.classes)
    if suite.name in ("fluent_emoji", "quickdraw_sample"):
        names = tuple(classes)  # these come from the archive; the guard compares them when the suite runs
    elif callable(names):
        names = names(tmp_path)
    assert align(suite, classes, names).to_class == tuple(range(len(names)))


def _tgz(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_mnist_is_read_behind_its_headers(recipe, monkeypatch, tmp_path):
    pixels = np.arange(2 * 784, dtype=np.uint32).astype(np.uint8)
    files = {
        "package/data/t10k-images-idx3-ubyte": b"h" * 16 + pixels.tobytes(),
        "package/data/t10k-labels-idx1-ubyte": b"h" * 8 + bytes([7, 2]),
    }
    archive = _tgz(tmp_path / "mnist.tgz", files)
    monkeypatch.setattr(recipe.assets, "fetch", lambda package, folder: archive)
    rows = list(recipe.sources._mnist(tmp_path, "test"))
    assert [row["label"] for row in rows] == [7, 2]
    np.testing.assert_array_equal(np.asarray(rows[1]["image"]), pixels[784:].reshape(28, 28))


def test_cifar_sheets_are_read_one_after_another(recipe, monkeypatch, tmp_path):
    sheets = {}
    for i in range(1, 6):  # two pictures a sheet, one a row
        out = io.BytesIO()
        sheet = np.full((2, 1024, 3), 10 * i, np.uint8) + np.arange(2, dtype=np.uint8).reshape(2, 1, 1)
        Image.fromarray(sheet).save(out, "PNG")
        sheets[f"package/data_batch_{i}.png"] = out.getvalue()
    sheets["package/train_lables.json"] = json.dumps(list(range(10))).encode()
    archive = _tgz(tmp_path / "cifar.tgz", sheets)
    monkeypatch.setattr(recipe.assets, "fetch", lambda package, folder: archive)
    rows = list(recipe.sources._cifar10(tmp_path, "train"))
    assert [(row["id"], row["label"], row["image"].getpixel((3, 3))[0]) for row in rows][2:4] == [
        ("train_00002", 2, 20),
        ("train_00003", 3, 21),
    ]
    assert len(rows) == 10


def test_the_photographs_keep_their_bytes_and_numbers(recipe, monkeypatch, tmp_path):
    archive = tmp_path / "foolbox.whl"
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("foolbox/data/imagenet_01_559.jpg", b"second")
        wheel.writestr("foolbox/data/imagenet_00_243.jpg", b"first")
        wheel.writestr("foolbox/data/cifar10_00_3.png", b"another")
    monkeypatch.setattr(recipe.assets, "fetch", lambda package, folder: archive)
    assert list(recipe.sources._imagenet(tmp_path, "sample")) == [
        {"file_name": "imagenet_00_243.jpg", "image": b"first", "label": 243},
        {"file_name": "imagenet_01_559.jpg", "image": b"second", "label": 559},
    ]


def test_a_download_that_is_cut_off_leaves_no_archive(recipe, monkeypatch, tmp_path):
    def torn(package, folder):
        Path(folder, package.archive).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(recipe.assets, "_download", torn)
    with pytest.raises(KeyboardInterrupt):
        recipe.assets.fetch(recipe.assets.MNIST, tmp_path)
    assert list(tmp_path.iterdir()) == []
