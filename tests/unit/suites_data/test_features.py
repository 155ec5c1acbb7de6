"""The suites against the builders of tfds as installed: features, configurations, label names; nothing is prepared."""

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
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


@pytest.mark.parametrize("name", sorted(TFDS))
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


#: A picture of the same last name in two folders.
PICTURES = {
    "stanford_dogs": ["Images/n02085620-Chihuahua/n1_7.jpg", "Images/n02085782-Japanese_spaniel/n1_7.jpg"],
    "caltech_birds2011": [f"CUB_200_2011/images/{bird}/Bird_0001_7.jpg" for bird in ("001.Black", "002.Laysan")],
}


def _dogs(builder):
    archive = [(name, io.BytesIO()) for name in PICTURES["stanford_dogs"]]
    box = ElementTree.ElementTree(ElementTree.fromstring("<annotation/>"))
    return builder._generate_examples(archive, ["n1_7.jpg"], {"n1_7": box})


def _birds(builder):
    archive = [(name, io.BytesIO()) for name in PICTURES["caltech_birds2011"]]
    listed = [name.partition("images/")[2] for name in PICTURES["caltech_birds2011"]]
    return builder._generate_examples(archive, listed, {"Bird_0001_7": [(0, 0, 1, 1), np.ones((4, 5), np.uint8)]})


GENERATED = {"stanford_dogs": _dogs, "caltech_birds2011": _birds}


@pytest.mark.parametrize("name", ["stanford_dogs", "caltech_birds2011"])
def test_file_names_are_the_keys_of_dogs_and_birds(builder, name):
    """Their generators key an example by this very name, and tfds prepares no split in which a key comes twice."""
    made = list(GENERATED[name](builder(name)))
    assert [key for key, _ in made] == PICTURES[name]
    assert [example["image/filename"] for _, example in made] == PICTURES[name]
    assert load_suite(name).identity == "image/filename"


def test_scenes_are_of_the_first_official_partition(builder):
    found = builder("sun397")
    assert found.builder_config.partition == 1
    assert next(iter(found.builder_configs)) == "tfds", "the default is the random split"


def test_file_names_of_caltech_repeat(builder):
    """Its own file name is no identity: every category has an image_0001.jpg."""
    assert "image/file_name" in builder("caltech101").info.features
    assert load_suite("caltech101").identity == ""
