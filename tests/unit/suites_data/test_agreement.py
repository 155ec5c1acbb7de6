"""Every label stands beside the class that it means: by its spelling, or by a reviewed exception with its reason."""

import re

import pytest

from lit.prompts import load_classes
from lit.suites import load_labels, load_suite, suite_names

SUITES = (
    *(
        "oxford_iiit_pet",
        "oxford_flowers102",
        "food101",
        "caltech101",
        "cars196",
        "sun397",
        "dtd",
        "eurosat",
        "resisc45",
    ),
    *(
        "patch_camelyon",
        "ucf101",
        "stanford_dogs",
        "caltech_birds2011",
        "fgvc_aircraft",
        "gtsrb",
        "country211",
        "fer2013",
    ),
    "rendered_sst2",
)

#: label -> (class, why it means that).
REVIEWED: dict[str, dict[str, tuple[str, str]]] = {
    "oxford_flowers102": {
        "pink-yellow dahlia?": ("pink and yellow dahlia", "CLIP wrote the hyphen out and dropped the question mark"),
        "ball moss": (
            "air plant",
            "label 93 of both; ball moss is Tillandsia recurvata, and Tillandsias are air plants",
        ),
    },
    "caltech101": {
        "background_google": ("background", "the folder of pictures that a search engine found"),
        "faces": ("off-center face", "the 435 pictures of Faces show the whole scene; second folder, second class"),
        "faces_easy": ("centered face", "Faces_easy is the same people, cropped; third folder, third class"),
        "leopards": ("leopard", "plural"),
        "motorbikes": ("motorbike", "plural"),
        "airplanes": ("airplane", "plural"),
        "car_side": ("side of a car", "the words in another order"),
        "cougar_body": ("body of a cougar cat", "the words in another order, and that it is a cat"),
        "cougar_face": ("face of a cougar cat", "the words in another order, and that it is a cat"),
        "crocodile_head": ("head of a  crocodile", "the words in another order; two spaces as published"),
        "flamingo_head": ("head of a flamingo", "the words in another order"),
        "snoopy": ("snoopy (cartoon beagle)", "CLIP says what he is"),
        "yin_yang": ("yin and yang symbol", "CLIP says what it is"),
    },
    "eurosat": {
        "AnnualCrop": ("annual crop land", "land of that use"),
        "PermanentCrop": ("permanent crop land", "land of that use"),
        "Pasture": ("pasture land", "land of that use"),
        "HerbaceousVegetation": ("brushland or shrubland", "the only natural cover of low plants among the ten"),
        "Highway": ("highway or road", "CLIP adds the wider word"),
        "Industrial": ("industrial buildings or commercial buildings", "CLIP says what stands there"),
        "Residential": ("residential buildings or homes or apartments", "CLIP says what stands there"),
        "SeaLake": ("lake or sea", "the words in another order"),
    },
    "patch_camelyon": {
        "0": ("lymph node", "label 0: no tumour tissue in the centre of the patch"),
        "1": ("lymph node containing metastatic tumor tissue", "label 1: at least one pixel of it in the centre"),
    },
    "fer2013": {
        "disgust": ("disgusted", "the emotion, and how one looks who has it"),
        "fear": ("fearful", "the emotion, and how one looks who has it"),
        "surprise": ("surprised", "the emotion, and how one looks who has it"),
    },
}
#: Labels that are codes; tests of their own check them.
CODES = ("gtsrb", "country211")


def words(text: str) -> str:
    """Spelling without case, separators and CamelCase: "/c/church/outdoor" and "church outdoor" are the same."""
    text = re.sub(r"^(/[a-z]/|n\d{8}-|\d{3}\.)", "", text)
    return re.sub(r"[^a-z0-9]", "", text.lower())


def pairs(name: str) -> list[tuple[str, str]]:
    return [
        (label, found)
        for labels, found in zip(load_labels(name), load_classes(name), strict=True)
        for label in labels
        if not (name == "caltech_birds2011" and label.isdigit())
    ]


@pytest.mark.parametrize("name", sorted(set(SUITES) - set(CODES)))
def test_label_and_class_agree(name):
    reviewed = {label: found for label, (found, _) in REVIEWED.get(name, {}).items()}
    differ = {label: found for label, found in pairs(name) if words(label) != words(found)}
    aliases = {label for label in differ if label.lower() in reviewed and label not in reviewed}
    assert {label: found for label, found in differ.items() if label not in aliases} == reviewed
    assert all(differ[label] == reviewed[label.lower()] for label in aliases)


@pytest.mark.parametrize("name", SUITES)
def test_no_class_and_no_label_is_there_twice(name):
    classes = [words(found) for found in load_classes(name)]
    assert len(set(classes)) == len(classes)
    labels = [words(label) for of_class in load_labels(name) for label in of_class[:1]]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("name", SUITES)
def test_every_suite_says_where_its_choices_come_from(name):
    suite = load_suite(name)
    assert name in suite_names()
    assert (suite.classes, suite.labels, suite.prompts) == (name, name, f"clip-{name}")
    assert (suite.protocol, suite.task, suite.resize) == ("clip", "classification", "model")
    assert suite.source
    assert suite.notes
    assert suite.train_split != suite.split


def test_the_metric_is_the_papers():
    """Source: CLIP's paper (arXiv 2103.00020), Table 9: mean per class for these four, accuracy for the others."""
    per_class = {name for name in SUITES if load_suite(name).metric == "mean_per_class"}
    assert per_class == {"oxford_iiit_pet", "oxford_flowers102", "caltech101", "fgvc_aircraft"}
    assert {load_suite(name).metric for name in set(SUITES) - per_class} == {"top1"}


def test_published_figures_are_those_of_the_model_card():
    found = {
        (name, expected.model): expected.value
        for name in SUITES
        for expected in load_suite(name).expected
        if expected.metric == "top1" and "model_cards/lit.md" in expected.source and expected.protocol == "big-vision"
    }
    assert found == {
        ("oxford_iiit_pet", "LiT-B16B"): 0.811,
        ("oxford_iiit_pet", "LiT-B16B_2"): 0.833,
        ("oxford_iiit_pet", "LiT-L16L"): 0.833,
        ("resisc45", "LiT-B16B"): 0.267,
        ("resisc45", "LiT-B16B_2"): 0.253,
        ("resisc45", "LiT-L16L"): 0.256,
    }
    assert sum(len(load_suite(name).expected) for name in SUITES) == len(found)
