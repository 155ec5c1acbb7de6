"""Class lists: the published ones, your own, and files that cannot be used."""

import pytest

from lit.errors import PromptError, UnknownNameError
from lit.prompts import class_lists, load_classes


def test_the_published_lists():
    imagenet = load_classes("imagenet")
    assert len(imagenet) == 1000
    assert (imagenet[0], imagenet[999]) == ("tench", "toilet paper")
    assert [i for i, name in enumerate(imagenet) if imagenet.count(name) > 1] == [657, 744, 836, 837]
    assert len(load_classes("cifar10")) == 10
    assert len(load_classes("cifar100")) == 100
    assert {"imagenet", "cifar10", "cifar100"} <= set(class_lists())


@pytest.mark.parametrize("name", class_lists())
def test_every_packaged_list_can_be_read(name):
    classes = load_classes(name)
    assert isinstance(classes, dict if name == "fer2013" else tuple)
    assert len(classes) > 1


def test_your_own_file_keeps_order_and_duplicates(tmp_path):
    (tmp_path / "mine.txt").write_bytes("# mine\r\ndog\r\n\r\n crane (bird) \r\ndog\r\n".encode("utf-8-sig"))
    assert load_classes(tmp_path / "mine.txt") == ("dog", "crane (bird)", "dog")


def test_several_texts_for_a_class(tmp_path):
    (tmp_path / "mine.txt").write_text("dog\ncrane (bird) => crane | sandhill crane\nx: y|z => xyz\n")
    assert load_classes(tmp_path / "mine.txt") == {
        "dog": ("dog",),
        "crane (bird)": ("crane", "sandhill crane"),
        "x: y|z": ("xyz",),
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "holds no entry"),
        ("dog =>\n", "line 1: 'dog =>' lacks a name or a text; write it as 'name => text | text'"),
        ("dog => a || b\n", "lacks a name or a text"),
        ("=> a\n", "lacks a name or a text"),
        ("dog => a\ncat\ndog\n", "line 3: class 'dog' is there twice"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, content, says):
    (tmp_path / "mine.txt").write_text(content)
    with pytest.raises(PromptError, match=f"mine.txt.*{says}".replace("|", r"\|")):
        load_classes(tmp_path / "mine.txt")


def test_names_and_paths_that_do_not_exist():
    with pytest.raises(UnknownNameError, match=r"unknown class list 'imagnet'. Did you mean 'imagenet'\?"):
        load_classes("imagnet")
    with pytest.raises(PromptError, match=r"pets.txt is not there"):
        load_classes("pets.txt")
