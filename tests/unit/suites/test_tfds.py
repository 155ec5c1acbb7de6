"""The suites against the builders of tfds as installed; nothing is downloaded or prepared."""

import re
from pathlib import Path

import pytest

from lit.suites import load_labels, load_suite

tfds = pytest.importorskip("tensorflow_datasets")

PACKAGE = Path(tfds.__file__).parent
IMAGENET = ("imagenet2012", "imagenet_v2", "imagenet_a", "imagenet_r", "imagenet_sketch", "imagenet2012_real")
NAMED = (*IMAGENET, "imagenette", "mnist", "svhn_cropped")
UNNAMED = ("cifar10", "cifar100", "cifar100-lit-colab", "stl10")


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    """Suite name -> the features of a builder that has not been prepared."""
    empty = str(tmp_path_factory.mktemp("tfds"))
    return lambda name: tfds.builder(load_suite(name).dataset, data_dir=empty).info.features


def names_of(feature) -> list[str]:
    return list(getattr(feature, "feature", feature).names)


@pytest.mark.parametrize("name", NAMED)
def test_label_names_known_before_preparation(name, features):
    suite = load_suite(name)
    listed = [of_class[0] for of_class in load_labels(suite.labels)]
    names = names_of(features(name)[suite.label])
    assert [n for n in names if n in listed] == listed
    assert suite.subset or names == listed


@pytest.mark.parametrize("name", UNNAMED)
def test_label_names_of_an_unprepared_builder_are_numbers(name, features):
    """The trap itself: if tfds ever gives names here, the guard's reason is gone."""
    names = names_of(features(name)[load_suite(name).label])
    assert names == list(map(str, range(len(names))))


@pytest.mark.parametrize("name", [*NAMED, *UNNAMED])
def test_features(name, features):
    suite = load_suite(name)
    found = features(name)
    assert isinstance(found[suite.image], tfds.features.Image)
    assert not suite.identity or isinstance(found[suite.identity], tfds.features.Text)


@pytest.mark.parametrize("name", ["coco_captions", "coco_captions-all"])
def test_features_of_captions(name, features):
    outer, inner = load_suite(name).captions.split("/")
    assert inner in features(name)[outer].feature


def test_real_labels_are_several(features):
    assert isinstance(features("imagenet2012_real")["real_label"], tfds.features.Sequence)


#: Where each builder's source names its splits.
SOURCES = {
    "imagenet2012": "datasets/imagenet2012/imagenet2012_dataset_builder.py",
    "imagenet_v2": "datasets/imagenet_v2/imagenet_v2_dataset_builder.py",
    "imagenet_a": "datasets/imagenet_a/imagenet_a_dataset_builder.py",
    "imagenet_r": "datasets/imagenet_r/imagenet_r_dataset_builder.py",
    "imagenet_sketch": "datasets/imagenet_sketch/imagenet_sketch_dataset_builder.py",
    "imagenet2012_real": "datasets/imagenet2012_real/imagenet2012_real_dataset_builder.py",
    "imagenette": "datasets/imagenette/imagenette_dataset_builder.py",
    "cifar10": "image_classification/cifar.py",
    "stl10": "datasets/stl10/stl10_dataset_builder.py",
    "mnist": "image_classification/mnist.py",
    "svhn_cropped": "datasets/svhn_cropped/svhn_cropped_dataset_builder.py",
    "coco_captions": "object_detection/coco_captions.py",
}


@pytest.mark.parametrize("name", SOURCES)
def test_splits(name):
    source = (PACKAGE / SOURCES[name]).read_text(encoding="utf-8")
    written = {s.lower() for s in re.findall(r"Split\.([A-Z]+)\b", source)}
    written |= set(re.findall(r"SplitGenerator\(\s*['\"](\w+)['\"]", source))
    suite = load_suite(name)
    assert {suite.split, suite.train_split} - {""} <= written


def test_coco_is_karpathys():
    source = (PACKAGE / SOURCES["coco_captions"]).read_text(encoding="utf-8")
    assert "dataset_coco.json" in source  # Karpathy and Li's file decides which picture is in which split
    assert "captions['sentences']" in source  # all of them, in that file's order


def test_svhn_gives_ten_as_zero():
    source = (PACKAGE / SOURCES["svhn_cropped"]).read_text(encoding="utf-8")
    assert "label % 10" in source
