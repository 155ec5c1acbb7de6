"""The label guard: by name, never by position; what does not fit is refused and named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit.errors import DatasetError
from lit.prompts import load_classes
from lit.suites import LabelMap, Suite, align, load_labels, load_suite

ANIMALS = ("cat", "dog", "owl")


def suite(**fields) -> Suite:
    return Suite(name="mine", title="Mine", classes="x", prompts="plain", **fields)


def published(name: str, label_names) -> LabelMap:
    found = load_suite(name)
    return align(found, tuple(load_classes(found.classes)), label_names)


def labels_of(name: str) -> tuple[str, ...]:
    return tuple(names[0] for names in load_labels(load_suite(name).labels))


@pytest.fixture
def listed(tmp_path):
    def write(*lines: str) -> str:
        (tmp_path / "labels.txt").write_text("\n".join(lines), encoding="utf-8")
        return str(tmp_path / "labels.txt")

    return write


@given(st.permutations(range(100)))
def test_any_order_of_labels_finds_its_classes(order):
    names = labels_of("cifar100")
    classes = load_classes("cifar100")
    found = published("cifar100", tuple(names[i] for i in order))
    assert list(found.to_class) == list(order)
    assert [classes[i].replace(" ", "_") for i in found.to_class if i is not None] == [names[i] for i in order]


def test_words_say_how():
    assert published("cifar100", labels_of("cifar100")).words == "100 labels to classes by the suite's list of labels"
    assert published("cifar10", load_classes("cifar10")).words == "10 labels to classes by class name"


def test_class_names_are_understood_beside_a_list(listed):
    mine = suite(labels=listed("felis", "canis", "strix"))
    assert align(mine, ANIMALS, ("owl", "cat", "dog")).to_class == (2, 0, 1)
    assert align(mine, ANIMALS, ("strix", "felis", "canis")).to_class == (2, 0, 1)
    with pytest.raises(DatasetError, match="1 unknown: 'owl'; 1 missing: 'strix'"):
        align(mine, ANIMALS, ("owl", "felis", "canis"))  # a mixture is an accident


def test_the_list_comes_before_the_class_names(listed):
    """A label that is the class name of another class: the list decides."""
    mine = suite(labels=listed("dog", "cat", "owl"))
    assert align(mine, ANIMALS, ("dog", "cat", "owl")).to_class == (0, 1, 2)


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "cifar100-lit-colab", "stl10", "imagenet2012", "imagenet_a"])
def test_place_holders_of_an_unprepared_dataset_are_refused(name):
    count = len(load_classes(load_suite(name).classes))
    with pytest.raises(DatasetError, match="place holders of a tfds dataset that has not been prepared.*Prepare"):
        published(name, tuple(map(str, range(count))))


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "imagenet2012", "objectnet"])
def test_numbers_without_names_are_refused(name):
    with pytest.raises(DatasetError, match="numbers for labels and no names"):
        published(name, None)


def test_numbers_are_taken_where_the_list_has_them(listed):
    assert published("mnist", None).to_class == tuple(range(10))
    assert published("mnist", tuple("9876543210")).to_class == tuple(range(9, -1, -1))
    assert published("svhn_cropped", tuple("0123456789")).to_class == tuple(range(10))
    mine = suite(labels=listed("2", "0", "1"))  # the numbers are names: class 0 has label 2
    assert align(mine, ANIMALS, None).to_class == (1, 2, 0)
    assert "by number" in align(mine, ANIMALS, None).words


def test_class_names_that_are_numbers_do_not_allow_numbers():
    """Without a list of labels, nobody has said that the numbers are names."""
    with pytest.raises(DatasetError, match="numbers for labels"):
        align(suite(), ("0", "1"), None)


def test_svhn_with_ten_for_zero_is_refused():
    with pytest.raises(DatasetError, match="1 unknown: '10'; 1 missing: '0'"):
        published("svhn_cropped", tuple(map(str, range(1, 11))))


def test_folders_of_imagenet_v2_sort_as_text():
    """As ImageFolder lists them: 0, 1, 10, 100, 101, ...; position i is not class i."""
    folders = tuple(sorted(map(str, range(1000))))
    assert folders[:4] == ("0", "1", "10", "100")
    found = published("imagenet_v2", folders)
    assert found.to_class == tuple(map(int, folders))
    assert sum(i != position for i, position in enumerate(found.to_class)) == 988
    assert published("imagenet_v2", labels_of("imagenet2012")).to_class == tuple(range(1000))


def test_synsets_in_any_order():
    synsets = labels_of("imagenet2012")
    assert published("imagenet2012", synsets[::-1]).to_class == tuple(range(999, -1, -1))
    found = published("imagenet_sketch", synsets)
    classes = load_classes("imagenet")
    assert [classes[found.to_class[synsets.index(s)]] for s in ("n02119789", "n03773504")] == ["kit fox", "missile"]


@pytest.mark.parametrize("name", ["imagenet_a", "imagenet_r"])
def test_200_of_1000_labels(name):
    synsets, own = labels_of("imagenet2012"), labels_of(name)
    found = published(name, synsets)
    assert len(found.to_class) == 1000
    assert found.to_class.count(None) == 800
    assert [i for i in found.to_class if i is not None] == list(range(200))
    assert all((position is None) == (s not in own) for s, position in zip(synsets, found.to_class, strict=True))
    assert "800 labels that the suite does not score" in found.words
    assert published(name, own).to_class == tuple(range(200))
    with pytest.raises(DatasetError, match=f"1 missing: '{own[7]}'"):
        published(name, tuple(s for s in synsets if s != own[7]))


def test_classes_of_a_subset_have_the_names_of_the_whole():
    names = dict(zip(labels_of("imagenet2012"), load_classes("imagenet"), strict=True))
    for name in ("imagenet_a", "imagenet_r", "imagenette"):
        assert tuple(names[s] for s in labels_of(name)) == load_classes(load_suite(name).classes)


def test_objectnet_scores_113_of_its_folders():
    others = ("air_freshener", "baking_sheet", "wrench")
    folders = tuple(sorted((*labels_of("objectnet"), *others)))
    found = published("objectnet", folders)
    classes = load_classes("objectnet")
    called = {f: None if i is None else classes[i] for f, i in zip(folders, found.to_class, strict=True)}
    assert [called[f] for f in others] == [None, None, None]
    assert called["full_sized_towel"] == "bath towel"  # the folder is not called after the class
    assert called["drying_rack_for_dishes"] == "drying rack for plates"
    assert called["hand_towel_or_rag"] == "dishrag or hand towel"
    assert len({i for i in found.to_class if i is not None}) == 113


def test_real_keeps_every_right_label_and_none_for_the_unlabelled():
    found = published("imagenet2012_real", labels_of("imagenet2012")[::-1])
    assert found.classes_of((999, 0, 5)) == (0, 999, 994)
    assert found.classes_of(()) == ()
    assert load_suite("imagenet2012_real").any_hit


def test_labels_out_of_range():
    found = LabelMap(to_class=(1, None, 0), words="")
    assert found.classes_of([0, 1, 2]) == (1, 0)
    for label in (3, -1):
        with pytest.raises(DatasetError, match=f"^the dataset: label {label} is out of range; there are 3 .from 0."):
            found.classes_of([label])
        with pytest.raises(DatasetError, match=f"^cifar10:3.0.2, example 7: label {label} is out of range; there are"):
            found.classes_of([label], of="cifar10:3.0.2, example 7")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("cat", "dog"), "2 labels for 3 classes; 1 missing: 'owl'"),
        (("cat", "dog", "owl", "fox"), "4 labels for 3 classes; 1 unknown: 'fox'"),
        (("cat", "dog", "Owl"), "1 unknown: 'Owl'; 1 missing: 'owl'"),
        (("cat", "dog", "cat"), "labels of the same name: 'cat'"),
        ((), "0 labels for 3 classes; 3 missing: 'cat', 'dog', 'owl'"),
    ],
)
def test_what_does_not_fit_is_named(names, said):
    with pytest.raises(DatasetError, match=said):
        align(suite(), ANIMALS, names)


def test_two_names_of_one_class_cannot_both_be_labels(listed):
    mine = suite(labels=listed("cat", "dog | hound", "owl"))
    assert align(mine, ANIMALS, ("hound", "owl", "cat")).to_class == (1, 2, 0)
    with pytest.raises(DatasetError, match=r"several labels of one class: \['hound', 'dog'\]"):
        align(mine, ANIMALS, ("hound", "owl", "cat", "dog"))


def test_a_long_list_is_cut():
    with pytest.raises(DatasetError, match="and 988 more"):
        align(suite(), ANIMALS, tuple(f"x{i}" for i in range(1000)))


def test_a_list_of_another_length_is_refused(listed):
    with pytest.raises(DatasetError, match="lists 2 labels, but 3 classes"):
        align(suite(labels=listed("a", "b")), ANIMALS, ANIMALS)


def test_doubles_in_the_class_list_cannot_stand_for_a_label():
    """'missile' is two classes of ImageNet: a dataset that says 'missile' has not said which."""
    names = load_classes("imagenet")
    with pytest.raises(DatasetError, match="labels of the same name: 'missile', 'sunglasses'"):
        published("imagenet2012", names)
    once = tuple(dict.fromkeys(names))
    with pytest.raises(DatasetError, match="998 labels for 1000 classes"):
        published("imagenet2012", once)
