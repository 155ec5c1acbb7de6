"""Prompt sets: the published ones, your own, and files that cannot be used."""

import inspect

import pytest

from lit.errors import PromptError, UnknownNameError
from lit.prompts import PromptSet, prompt_sets


@pytest.mark.parametrize(
    ("name", "count"),
    [("plain", 1), ("clip-best", 7), ("clip-paper", 80), ("big-vision", 81), ("lit-colab", 8), ("clip-cifar", 18)],
)
def test_the_published_sets(name, count):
    prompts = PromptSet.load(name)
    assert (prompts.name, len(prompts.templates)) == (name, count)
    assert prompts.source
    assert prompts.licence
    assert len(set(prompts.templates)) == count
    assert name in prompt_sets()


def test_every_packaged_set_is_a_known_protocol_or_clip_for_a_dataset():
    general = {"plain", "clip-best", "clip-paper", "big-vision", "lit-colab"}
    assert general < set(prompt_sets())
    assert all(name.startswith("clip-") for name in set(prompt_sets()) - general)


@pytest.mark.parametrize("name", prompt_sets())
def test_every_packaged_set_can_be_read(name):
    prompts = PromptSet.load(name)
    assert prompts.source
    assert prompts.licence
    assert len(set(prompts.templates)) == len(prompts.templates)


def test_format_inserts_the_class_name_as_it_is():
    prompts = PromptSet(name="mine", templates=("a photo of a {}.", "{x} {}!"))
    assert prompts.format("cat") == ["a photo of a cat.", "{x} cat!"]
    assert prompts.format("{}") == ["a photo of a {}.", "{x} {}!"]
    assert prompts.format("Great_White", canonicalize=True) == ["a photo of a great white", "x great white"]


def test_it_is_frozen_and_equal_by_content():
    assert PromptSet(name="a", templates=("{}",)) == PromptSet(name="a", templates=("{}",))
    with pytest.raises(AttributeError):
        PromptSet(name="a", templates=("{}",)).name = "b"


def test_your_own_file(tmp_path):
    file = tmp_path / "mine.txt"
    file.write_bytes(
        b"\xef\xbb\xbf# source: me\r\n# licence: CC0\r\n\r\n  a photo of a {}. \r\n# a comment\r\n{} \xc3\xa9\r\n"
    )
    prompts = PromptSet.load(file)
    assert prompts == PromptSet(name="mine", templates=("a photo of a {}.", "{} é"), source="me", licence="CC0")
    assert PromptSet.load(str(file)) == prompts


def test_only_line_ends_end_a_line(tmp_path):
    (tmp_path / "mine.txt").write_text("one\u2028{}\x0ctwo\rthree {}", encoding="utf-8")
    assert PromptSet.load(tmp_path / "mine.txt").templates == ("one\u2028{}\x0ctwo", "three {}")


def test_a_file_named_like_a_set_is_reached_by_a_path(tmp_path, monkeypatch):
    (tmp_path / "plain").write_text("my {}")
    monkeypatch.chdir(tmp_path)
    assert PromptSet.load("plain").templates == ("{}",)
    assert PromptSet.load("./plain").templates == ("my {}",)
    assert PromptSet.load(tmp_path / "plain").templates == ("my {}",)


@pytest.mark.parametrize(
    ("name", "meant"), [("clip_best", "clip-best"), ("CLIP-paper", "clip-paper"), ("bigvision", "big-vision")]
)
def test_unknown_names(name, meant):
    with pytest.raises(
        UnknownNameError, match=f"unknown prompt set '{name}'. Did you mean '{meant}'.*A path to a text file"
    ):
        PromptSet.load(name)


def test_a_name_longer_than_any_file_name():
    with pytest.raises(UnknownNameError, match="unknown prompt set"):
        PromptSet.load("x" * 10_000)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no entry"),
        (b"# only\n\n# comments\n", "holds no entry"),
        (b"a {}\na photo\n", "line 2: 'a photo' has no {}; it needs exactly one"),
        (b"# x\n\na {} and a {}\n", "line 3: 'a {} and a {}' has 2 {}"),
        (b"a {}\nb \xe9 {}\n", "line 2: byte 0xe9 is not UTF-8"),
        ("a {}".encode("utf-16"), "line 1: byte 0xff is not UTF-8"),
        (b"a {}\0\n", "holds a NUL character"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, content, says):
    (tmp_path / "mine.txt").write_bytes(content)
    with pytest.raises(PromptError, match=f"mine.txt.*{says}"):
        PromptSet.load(tmp_path / "mine.txt")


def test_a_lone_template_is_told_from_a_name(tmp_path):
    with pytest.raises(PromptError, match="is a template, not the name of a prompt set; give a list of templates"):
        PromptSet.load("a photo of a {}.")
    (tmp_path / "{}").write_text("a {}\n")
    assert PromptSet.load(tmp_path / "{}").templates == ("a {}",)


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name(name):
    with pytest.raises(PromptError, match="the prompt set has an empty name; give a text file, or one of"):
        PromptSet.load(name)


def test_paths_where_no_file_is(tmp_path):
    with pytest.raises(PromptError, match=r"mine.txt is not there; give a text file, or one of the names big-vision"):
        PromptSet.load("mine.txt")
    with pytest.raises(PromptError, match="is a folder"):
        PromptSet.load(tmp_path)


@pytest.mark.parametrize(
    ("templates", "says"),
    [
        ((), "prompt set 'mine' is empty"),
        (("a {}", "b"), "'mine', template 2 of 2: 'b' has no {}"),
        (("{}{}",), "has 2 {}"),
        ((3,), "template 1 of 1 is 3; a template is a string"),
        ("a photo of a {}", "the templates are one string"),
    ],
)
def test_templates_that_cannot_be_used(templates, says):
    prompts = object.__new__(PromptSet)  # past the type checks of the tests
    object.__setattr__(prompts, "name", "mine")
    object.__setattr__(prompts, "templates", templates)
    with pytest.raises(PromptError, match=says):
        inspect.unwrap(PromptSet.__post_init__)(prompts)
