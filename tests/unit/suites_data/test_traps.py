"""The traps of label order: in how many places zipping by position is wrong, and that the guard puts them right.

`tfds_labels.json` holds each dataset's label names in tfds's order (tensorflow-datasets 4.9.10; of Stanford Dogs those
that are there once it is prepared).
"""

import json
from pathlib import Path

import pytest

from lit.errors import DatasetError
from lit.prompts import load_classes
from lit.suites import align, load_labels, load_suite

TFDS = json.loads((Path(__file__).parent / "tfds_labels.json").read_text())

#: In how many places label i does not mean class i.
OUT_OF_PLACE = {
    "oxford_iiit_pet": 33,
    "oxford_flowers102": 0,
    "food101": 2,
    "caltech101": 67,
    "cars196": 0,
    "sun397": 2,
    "dtd": 0,
    "eurosat": 10,
    "resisc45": 0,
    "patch_camelyon": 0,
    "ucf101": 4,
    "stanford_dogs": 0,
    "caltech_birds2011": 0,
}


def classes(name: str) -> list[str]:
    return list(load_classes(name))


def meaning(name: str, label_names: list[str]) -> list[str]:
    """The class that the guard gives to each label."""
    names = classes(name)
    to_class = align(load_suite(name), names, label_names).to_class
    assert None not in to_class
    return [names[i] for i in to_class if i is not None]


@pytest.mark.parametrize("name", TFDS)
def test_by_position_and_by_name(name):
    by_position, by_name = classes(name), meaning(name, TFDS[name])
    assert sum(a != b for a, b in zip(by_position, by_name, strict=True)) == OUT_OF_PLACE[name]
    assert sorted(by_name) == sorted(by_position)


def means(name: str) -> dict[str, str]:
    return dict(zip(TFDS[name], meaning(name, TFDS[name]), strict=True))


def test_pets_are_mixed_by_name_in_tfds_and_cats_first_in_clip():
    found = means("oxford_iiit_pet")
    assert TFDS["oxford_iiit_pet"][1] == "american_bulldog"
    assert classes("oxford_iiit_pet")[1] == "Bengal"
    assert (found["american_bulldog"], found["Sphynx"], found["Bengal"]) == ("american bulldog", "Sphynx", "Bengal")
    assert found["yorkshire_terrier"] == "yorkshire terrier"


def test_food_cheesecake_and_cheese_plate():
    found = means("food101")
    assert TFDS["food101"][16:18] == ["cheesecake", "cheese_plate"]
    assert classes("food101")[16:18] == ["cheese plate", "cheesecake"]
    assert (found["cheesecake"], found["cheese_plate"]) == ("cheesecake", "cheese plate")


def test_scenes_jail_cell_and_jail_indoor():
    found = means("sun397")
    at = TFDS["sun397"].index("/j/jail/indoor")
    assert classes("sun397")[at : at + 2] == ["jail cell", "jail indoor"]
    assert (found["/j/jail/indoor"], found["/j/jail_cell"]) == ("jail indoor", "jail cell")
    assert found["/c/church/outdoor"] == "church outdoor"


def test_actions_hammer_and_jump():
    found = means("ucf101")
    assert found["Hammering"] == "Hammering"
    assert found["HammerThrow"] == "Hammer Throw"
    assert found["JumpRope"] == "Jump Rope"
    assert found["JumpingJack"] == "Jumping Jack"
    assert found["HandstandPushups"] == "Hand Stand Pushups"


def test_land_use_is_in_another_order_throughout():
    found = means("eurosat")
    assert found["AnnualCrop"] == "annual crop land"
    assert found["HerbaceousVegetation"] == "brushland or shrubland"
    assert found["SeaLake"] == "lake or sea"


def test_caltech_faces_background_and_order():
    """69 names differ when zipped: 67 that mean another class, and two that stand in their place in other words."""
    found = means("caltech101")
    assert (found["faces"], found["faces_easy"]) == ("off-center face", "centered face")
    assert found["background_google"] == "background"
    in_place = [
        label for label, name in zip(TFDS["caltech101"], classes("caltech101"), strict=True) if found[label] == name
    ]
    other_words = [label for label in in_place if found[label] != label.replace("_", " ")]
    assert other_words == ["snoopy", "yin_yang"]


def test_flowers_are_in_order_and_three_are_spelt_otherwise():
    found = means("oxford_flowers102")
    other_words = {label: name for label, name in found.items() if label != name}
    assert other_words == {
        "globe-flower": "globe flower",
        "pink-yellow dahlia?": "pink and yellow dahlia",
        "ball moss": "air plant",
    }


@pytest.mark.parametrize("name", ["oxford_iiit_pet", "caltech101", "stanford_dogs", "eurosat", "ucf101"])
def test_an_unprepared_builder_is_refused(name):
    with pytest.raises(DatasetError, match="place holders"):
        meaning(name, [str(i) for i in range(len(classes(name)))])


@pytest.mark.parametrize("name", ["patch_camelyon", "caltech_birds2011"])
def test_datasets_that_have_only_numbers_keep_them(name):
    names = classes(name)
    assert align(load_suite(name), names, None).to_class == tuple(range(len(names)))


def test_folders_of_caltech_with_capitals_sort_otherwise_and_mean_the_same():
    capitals = {n.lower(): n for n in ("BACKGROUND_Google", "Faces", "Faces_easy", "Leopards", "Motorbikes")}
    names: list[str] = TFDS["caltech101"]
    folders = sorted([capitals.get(name, name) for name in names])
    assert meaning("caltech101", folders) == classes("caltech101")


def test_birds_by_folder():
    folders = [f"{i:03}.{name.replace(' ', '_')}" for i, name in enumerate(classes("caltech_birds2011"), 1)]
    assert folders[140] == "141.Artic_Tern"
    assert meaning("caltech_birds2011", folders) == classes("caltech_birds2011")


def test_dogs_by_folder_with_capitals():
    names = classes("stanford_dogs")
    ids = [label.partition("-")[0] for label in TFDS["stanford_dogs"]]
    folders = [f"{i}-{name.replace(' ', '_')}" for i, name in zip(ids, names, strict=True)]
    assert folders[0] == "n02085620-Chihuahua"
    assert meaning("stanford_dogs", folders) == names


def test_traffic_signs_whose_folders_sort_as_text():
    names = classes("gtsrb")
    assert meaning("gtsrb", [f"{i:05}" for i in range(43)]) == names
    folders = sorted(str(i) for i in range(43))
    assert folders[:3] == ["0", "1", "10"]
    assert meaning("gtsrb", folders) == [names[int(folder)] for folder in folders]
    assert names[14] == "stop"


def test_countries_stand_in_the_order_of_their_codes():
    codes = [code for (code,) in load_labels("country211")]
    assert codes == sorted(codes)
    found = dict(zip(codes, meaning("country211", codes), strict=True))
    some = {"AT": "Austria", "AU": "Australia", "CH": "Switzerland", "NA": "Namibia", "ZW": "Zimbabwe"}
    assert {code: found[code] for code in some} == some
    assert meaning("country211", codes[::-1]) == classes("country211")[::-1]


def test_emotions_by_the_alphabet():
    """Zipped, sad pictures would be surprised, surprised ones neutral, and neutral ones sad."""
    folders = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]
    by_name = meaning("fer2013", folders)
    assert by_name == ["angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised"]
    assert [a for a, b in zip(classes("fer2013"), by_name, strict=True) if a != b] == [
        "sad",
        "surprised",
        "neutral",
    ]
    assert meaning("fer2013", by_name) == by_name
    with pytest.raises(DatasetError, match="place holders"):
        meaning("fer2013", list("0123456"))


def test_emotions_have_several_texts():
    assert load_classes("fer2013") == {
        "angry": ("angry",),
        "disgusted": ("disgusted",),
        "fearful": ("fearful",),
        "happy": ("happy", "smiling"),
        "sad": ("sad", "depressed"),
        "surprised": ("surprised", "shocked", "spooked"),
        "neutral": ("neutral", "bored"),
    }


def test_aircraft_whose_names_no_folder_can_have():
    assert [name for name in classes("fgvc_aircraft") if "/" in name] == ["F-16A/B", "F/A-18"]
    assert "F-16A/B" in " ".join(load_suite("fgvc_aircraft").notes)
