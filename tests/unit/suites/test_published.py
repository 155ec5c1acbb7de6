"""Every published suite: its lists are there and fit, its prompts can be said, its figures have sources."""

from collections import Counter

import pytest

from lit.prompts import PromptSet, load_classes
from lit.prompts.lists import read
from lit.resources import directory
from lit.suites import align, load_labels, load_suite, suite_names

CLASSIFICATION = [name for name in suite_names() if load_suite(name).task == "classification"]
#: Class names that are there twice, as published.
DOUBLES = {"imagenet": {"missile", "sunglasses"}}
IMAGENET = ("imagenet2012", "imagenet_v2", "imagenet_sketch", "imagenet2012_real")
METRICS = {"top1", "top5", "mean_per_class", "image_to_text_r1", "text_to_image_r1"}


@pytest.mark.parametrize("name", suite_names())
def test_a_suite_says_what_it_measures(name):
    suite = load_suite(name)
    assert suite.title
    assert suite.source
    assert suite.notes
    assert suite.split
    assert suite.split != suite.train_split
    assert all(note.endswith(".") for note in suite.notes)


@pytest.mark.parametrize("name", suite_names())
def test_expected_figures(name):
    expected = load_suite(name).expected
    assert all(e.metric in METRICS and 0.1 < e.value < 1 and e.source for e in expected)
    assert all(e.protocol in ("", "clip", "big-vision", "lit-colab") for e in expected)
    same = Counter((e.model, e.metric, e.source) for e in expected)
    assert not [key for key, n in same.items() if n > 1]


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_lists_fit_together(name):
    suite = load_suite(name)
    classes = load_classes(suite.classes)
    if suite.labels:
        assert len(load_labels(suite.labels)) == len(classes)
    doubles = {c for c, n in Counter(list(classes)).items() if n > 1}
    assert doubles == DOUBLES.get(suite.classes, set())
    own = tuple(names[0] for names in load_labels(suite.labels)) if suite.labels else tuple(classes)
    assert align(suite, tuple(classes), own).to_class == tuple(range(len(classes)))


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_every_prompt_can_be_said(name):
    suite = load_suite(name)
    prompts, classes = PromptSet.load(suite.prompts), load_classes(suite.classes)
    spoken = classes.values() if isinstance(classes, dict) else [(c,) for c in classes]
    for text in (text for texts in spoken for text in texts):
        for canonicalize in (False, True):
            said = prompts.format(text, canonicalize=canonicalize)
            assert len(said) == len(prompts.templates)
            assert all("{}" not in sentence and sentence.strip() for sentence in said)


def test_lists_of_labels_have_a_source():
    found = [read(path) for path in sorted((directory("suites") / "labels").glob("*.txt"))]
    assert not [f.name for f in found if not f.source or not f.licence]
    used = {load_suite(name).labels for name in CLASSIFICATION}
    assert not {f.name for f in found} - used


@pytest.mark.parametrize("name", IMAGENET)
def test_repaired_names_tell_the_doubles_apart(name):
    suite = load_suite(name)
    names = list(load_classes("imagenet"))
    labels = [of_class[0] for of_class in load_labels(suite.labels)]
    assert suite.repaired == {744: "projectile", 836: "sunglass"}
    assert {labels[i]: names[i] for i in (657, 744, 836, 837)} == {
        "n03773504": "missile",
        "n04008634": "missile",
        "n04355933": "sunglasses",
        "n04356056": "sunglasses",
    }
    for position, repaired in suite.repaired.items():
        names[position] = repaired
    assert len(set(names)) == 1000


def test_protocols():
    """The ImageNet family is scored as the figures for LiT were; everything else as CLIP scored it."""
    family = {*IMAGENET, "imagenet_a", "imagenet_r", "objectnet", "imagenette"}
    assert {name for name in CLASSIFICATION if load_suite(name).protocol == "big-vision"} == family
    assert {name for name in CLASSIFICATION if load_suite(name).protocol == "lit-colab"} == {"cifar100-lit-colab"}
    assert all(load_suite(name).prompts == "clip-paper" for name in family)
    assert {name for name in CLASSIFICATION if load_suite(name).subset} == {"imagenet_a", "imagenet_r", "objectnet"}
    assert {name for name in CLASSIFICATION if load_suite(name).any_hit} == {"imagenet2012_real"}


def test_figures_of_the_released_models():
    """Source: model_cards/lit.md (B16B: as it was at 1cec86b); lit.ipynb for the notebook's protocol."""
    found = {
        (name, e.model, e.metric): e.value
        for name in ("imagenet2012", "imagenet_v2", "cifar100", "cifar100-lit-colab", "coco_captions-all")
        for e in load_suite(name).expected
        if "README_lit" not in e.source
    }
    table = {
        ("imagenet2012", "top1"): (0.721, 0.739, 0.757),
        ("imagenet_v2", "top1"): (0.635, 0.651, 0.666),
        ("cifar100", "top1"): (0.797, 0.79, 0.805),
        ("coco_captions-all", "image_to_text_r1"): (0.493, 0.516, 0.485),
        ("coco_captions-all", "text_to_image_r1"): (0.312, 0.318, 0.311),
    }
    models = ("LiT-B16B", "LiT-B16B_2", "LiT-L16L")
    expected = {(s, m, k): v for (s, k), values in table.items() for m, v in zip(models, values, strict=True)}
    assert found == expected | {("cifar100-lit-colab", "LiT-B16B", "top1"): 0.7919}


def test_the_notebooks_names_have_underscores():
    suite = load_suite("cifar100-lit-colab")
    names = load_classes(suite.classes)
    assert suite.protocol == "lit-colab"
    assert tuple(n.replace("_", " ") for n in names) == load_classes("cifar100")
    assert sum("_" in n for n in names) == 9
    assert "aquarium_fish" in names


def test_captions():
    assert load_suite("coco_captions").captions_per_image == 5
    assert load_suite("coco_captions-all").captions_per_image == 0
    assert load_suite("flickr30k").captions_per_image == 5
    assert load_suite("flickr30k").dataset == ""
