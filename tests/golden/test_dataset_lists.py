"""The lists of the datasets beside ImageNet and its kin, entry by entry, against what packages carry.

The first tests need nothing: they compare with fingerprints.  The slow ones fetch clip-benchmark and pycountry and read
their data files, without importing them.
"""

import hashlib
import json
import re
import unicodedata
from pathlib import Path

import pytest
from wheels import downloaded

from lit.prompts import PromptSet, load_classes
from lit.suites import align, load_labels, load_suite

#: Dataset -> number and fingerprint of its classes, number and fingerprint of its prompts.
#: Source: github.com/openai/CLIP, data/prompts.md at 04f4dc2, but for caltech_birds2011 and stanford_dogs (see there).
LISTS = {
    "caltech101": (102, "e0ecbf33d0f07158", 34, "90561580b7ea5dba"),
    "caltech_birds2011": (200, "a7bc058a7a945cf8", 1, "f3126b8375a9e07a"),
    "cars196": (196, "93d089469409bbd0", 8, "255ecc632c41182c"),
    "country211": (211, "027b30d283f3a153", 5, "038d0d5e084b6ee1"),
    "dtd": (47, "681d23b9cd3c2ede", 8, "1f6888d2130f62a4"),
    "eurosat": (10, "989b723c02a72997", 3, "9bc85d9f1798d03b"),
    "fer2013": (7, "5321324323b81d88", 6, "ae805dccc6d01c6a"),
    "fgvc_aircraft": (100, "e1c9e72060e63d52", 2, "91522de75ad44711"),
    "food101": (101, "9c0eeb5a368baacb", 1, "77a79bac7d9cf25b"),
    "gtsrb": (43, "953036bc5aedbe6b", 3, "a6794061485dcfa2"),
    "oxford_flowers102": (102, "5429e1ef6e0e5aa3", 1, "bfcd4bbb214d5015"),
    "oxford_iiit_pet": (37, "c6f4365ced9dc96f", 1, "16a0790f0e45e97e"),
    "patch_camelyon": (2, "27352df7ede1fd87", 1, "7c7758b084ef77fa"),
    "rendered_sst2": (2, "2e61aa7558046c2c", 1, "9034019e8a14384c"),
    "resisc45": (45, "3c2177013901f0ef", 18, "8f390b8578e5c3bf"),
    "stanford_dogs": (120, "82c338c86ba1f5e5", 1, "e00c3a89cf3e8b43"),
    "sun397": (397, "dd1277b1cfcf09ba", 2, "c97a3d1ad5819800"),
    "ucf101": (101, "4c5f54cb419a8393", 48, "d1fceafd76c54a5f"),
}

#: clip-benchmark 1.6.2, clip_benchmark/datasets/en_classnames.json, in small letters.  The lists in CLIP's order ...
IN_ORDER = {
    "oxford_flowers102": ("flowers", "5429e1ef6e0e5aa3"),
    "gtsrb": ("gtsrb", "953036bc5aedbe6b"),
    "country211": ("country211", "b57194a3ce387c34"),
    "patch_camelyon": ("pcam", "27352df7ede1fd87"),
    "caltech101": ("caltech101", "e0ecbf33d0f07158"),
}
#: ... and those in the order of the dataset's labels, which prove a list of labels.
BY_LABEL = {
    "caltech101": ("caltech101_vtab", "8cd73f5d8e14e75f"),
    "eurosat": ("eurosat", "ee2e41b9973e7206"),
    "oxford_iiit_pet": ("pets", "325452254a1c260e"),
    "fer2013": ("fer2013", "0fece1ddf1a3ebf7"),
}
#: Sets of prompts that clip-benchmark has, too, by its name for them.
SAME_PROMPTS = {
    "oxford_iiit_pet": "pets",
    "oxford_flowers102": "flowers",
    "food101": "food101",
    "caltech101": "caltech101",
    "cars196": "cars",
    "sun397": "sun397",
    "dtd": "dtd",
    "eurosat": "eurosat",
    "fgvc_aircraft": "fgvc_aircraft",
    "gtsrb": "gtsrb",
    "country211": "country211",
    "fer2013": "fer2013",
    "rendered_sst2": "renderedsst2",
}
#: Where it has others.  CLIP's are ours.
OTHER_PROMPTS = {
    "resisc45": ["a sattelite image of {}", "an aerial view of {}", "a sattelite photo of {}", "{} from above"],
    "patch_camelyon": ["a histopathology slide showing {}", "histopathology image of {}"],
}
#: Countries that CLIP calls otherwise than ISO 3166-1 does in English.
OTHER_NAMES = {
    "BQ": "Bonaire, Saint Eustatius and Saba",
    "CD": "DR Congo",
    "FK": "Falkland Islands",
    "FO": "Faeroe Islands",
    "GS": "South Georgia and South Sandwich Is.",
    "KN": "St. Kitts and Nevis",
    "LC": "St. Lucia",
    "MF": "Saint-Martin",
    "MK": "Macedonia",
    "MO": "Macau",
    "PS": "Palestine",
    "RU": "Russia",
    "SH": "St. Helena",
    "SJ": "Svalbard and Jan Mayen Islands",
    "SX": "Sint Maarten",
    "TR": "Turkey",
    "VA": "Vatican",
    "VI": "United States Virgin Islands",
    "XK": "Kosovo",
}
TFDS = json.loads((Path(__file__).parents[1] / "unit" / "suites_data" / "tfds_labels.json").read_text())
PACKAGES = ("clip-benchmark==1.6.2", "pycountry==26.2.16")


def fingerprint(entries) -> str:
    """The first 16 digits of the SHA-256 of the entries, joined by line feeds."""
    return hashlib.sha256("\n".join(entries).encode()).hexdigest()[:16]


def classes(name: str) -> list[str]:
    found = load_classes(name)
    return [" | ".join(texts) for texts in found.values()] if isinstance(found, dict) else list(found)


def by_label(name: str, label_names: list[str]) -> list[str]:
    """The class of each label, in the order of the labels."""
    names = list(load_classes(name))
    return [names[i] for i in align(load_suite(name), names, label_names).to_class if i is not None]


def in_label_order(name: str) -> list[str]:
    labels = sorted(of_class[0] for of_class in load_labels(name)) if name == "fer2013" else TFDS[name]
    return [found.lower() for found in by_label(name, labels)]


@pytest.mark.parametrize("name", LISTS)
def test_fingerprints(name):
    prompts = PromptSet.load(f"clip-{name}").templates
    assert (len(classes(name)), fingerprint(classes(name)), len(prompts), fingerprint(prompts)) == LISTS[name]


@pytest.mark.parametrize("name", IN_ORDER)
def test_classes_are_clip_benchmarks(name):
    assert fingerprint(map(str.lower, classes(name))) == IN_ORDER[name][1]


@pytest.mark.parametrize("name", BY_LABEL)
def test_classes_in_label_order_are_clip_benchmarks(name):
    """Somebody else brought these lists into the order of the labels; our lists of labels do the same."""
    assert fingerprint(in_label_order(name)) == BY_LABEL[name][1]


def test_typing_errors_of_published_lists_stay():
    assert "head of a  crocodile" in classes("caltech101")
    assert "water lilly" in classes("caltech101")
    assert "red circle with white horizonal stripe no entry" in classes("gtsrb")
    assert "red and white triangle with bicyle warning" in classes("gtsrb")
    assert "kindergarden classroom" in classes("sun397")
    assert "Artic Tern" in classes("caltech_birds2011")
    assert "a example of a person {}." in PromptSet.load("clip-ucf101").templates


def test_dogs_are_imagenets_without_the_dalmatian():
    """Its classes are ImageNet's 151 to 268 but for the Dalmatian (251), and the wild dogs 273 to 275."""
    synsets = [of_class[0] for of_class in load_labels("imagenet")]
    dogs = [synsets[i] for i in (*range(151, 251), *range(252, 269), 273, 274, 275)]
    assert [of_class[0].partition("-")[0] for of_class in load_labels("stanford_dogs")] == dogs


def test_birds_count_from_one_in_the_release_and_from_zero_in_tfds():
    for i, (number, folder) in enumerate(load_labels("caltech_birds2011")):
        assert (number, folder[:4]) == (str(i), f"{i + 1:03}.")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    return downloaded(tmp_path_factory.mktemp("wheels"), PACKAGES)


@pytest.mark.slow
def test_clip_benchmark(wheels):
    folder = "clip_benchmark/datasets/en_"
    templates = json.loads(wheels["clip_benchmark"].read(folder + "zeroshot_classification_templates.json"))
    theirs = json.loads(wheels["clip_benchmark"].read(folder + "classnames.json"))
    templates = {name: [t.replace("{c}", "{}") for t in found] for name, found in templates.items()}
    for name, called in SAME_PROMPTS.items():
        assert templates[called] == list(PromptSet.load(f"clip-{name}").templates), name
    assert templates["resisc45"] == OTHER_PROMPTS["resisc45"]
    assert templates["pcam"] == OTHER_PROMPTS["patch_camelyon"]
    for name, (called, _) in IN_ORDER.items():
        assert theirs[called] == classes(name), name
    for name, (called, _) in BY_LABEL.items():
        assert [found.lower() for found in theirs[called]] == in_label_order(name), name


@pytest.mark.slow
def test_countries_stand_beside_their_codes(wheels):
    countries = json.loads(wheels["pycountry"].read("pycountry/databases/iso3166-1.json"))["3166-1"]
    fields = ("name", "common_name", "official_name")
    known = {found["alpha_2"]: {plain(found[f]) for f in fields if f in found} for found in countries}
    ours = {code: name for (code,), name in zip(load_labels("country211"), classes("country211"), strict=True)}
    assert {code: name for code, name in ours.items() if plain(name) not in known.get(code, ())} == OTHER_NAMES
    assert sorted(ours) == list(ours)


def plain(name: str) -> str:
    name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z ]", "", name.lower())
