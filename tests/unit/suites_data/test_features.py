"""The suites against the builders of tfds as installed: features, configurations, label names; nothing is prepared."""

import json
from pathlib import Path

import pytest

from lit.suites import load_suite

tfds = pytest.importorskip("tensorflow_datasets")
from lit.datasets.features import Decoder, Wanted  # noqa: E402  (needs tfds)

TFDS: dict[str, list[str]] = json.loads((Path(__file__).parent / "tfds_labels.json").read_text())
#: Splits that are known without preparing: what the builders' source says.
SPLITS = {"food101": "validation", "eurosat": "train", "resisc45": "train"}


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    empty = str(tmp_path_factory.mktemp("tfds"))
    return lambda name: tfds.builder(load_suite(name).dataset, data_dir=empty)


@pytest.mark.parametrize("name", sorted(set(TFDS) - {"ucf101"}))
def test_features_and_label_names(name, builder):
    suite = load_suite(name)
    decoder = Decoder(builder(name).info.features, Wanted(suite.image, suite.label, suite.identity), name)
    names = list(decoder.label_names or ())
    if name == "stanford_dogs":  # the trap: its names are there only once it is prepared
        assert names == [str(i) for i in range(120)]
    else:
        assert names == TFDS[name]
    assert suite.split == SPLITS.get(name, "test")


def test_actions_are_videos(builder):
    features, suite = builder("ucf101").info.features, load_suite("ucf101")
    assert isinstance(features[suite.image], tfds.features.Video)
    assert features[suite.label].names == TFDS["ucf101"]


def test_scenes_are_of_the_first_official_partition(builder):
    found = builder("sun397")
    assert found.builder_config.partition == 1
    assert next(iter(found.builder_configs)) == "tfds", "the default is the random split"


def test_file_names_of_caltech_repeat(builder):
    """Its own file name is no identity: every category has an image_0001.jpg."""
    assert "image/file_name" in builder("caltech101").info.features
    assert load_suite("caltech101").identity == ""
