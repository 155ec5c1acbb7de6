"""The linter, with a real tokenizer."""

from pathlib import Path

import pytest

from lit.config import TokenizerConfig
from lit.prompts import Finding, PromptSet, lint_prompts, load_classes
from lit.tokenizers import load_tokenizer

DATA = Path(__file__).parents[2] / "golden" / "data" / "tokens"


@pytest.fixture(scope="module")
def bert():
    return load_tokenizer(TokenizerConfig(kind="wordpiece"), DATA / "bert_vocab.txt")


def found(findings, kind):
    return [(f.where, f.message) for f in findings if f.kind == kind]


def test_nothing_to_say(bert):
    assert lint_prompts(["dog", "cat"], PromptSet.load("clip-best"), bert) == []
    assert lint_prompts({"pet": ["dog", "cat"], "car": ["car"]}, ["a photo of a {}."], bert) == []


def test_the_published_imagenet_list_has_two_pairs(bert):
    findings = lint_prompts(load_classes("imagenet"), PromptSet.load("clip-best"), bert)
    assert [where for where, _ in found(findings, "duplicate")] == ["class 'missile'", "class 'sunglasses'"]
    truncated = {where.partition(" in ")[0] for where, _ in found(findings, "truncated")}
    assert truncated == {"class 'Mexican hairless dog (xoloitzcuintli)'"}
    assert {f.kind for f in findings} == {"duplicate", "truncated"}
    assert "there 2 times (entries 657, 744, counted from 0)" in findings[0].message
    assert str(findings[0]).startswith("duplicate: class 'missile': there 2 times")


def test_templates(bert):
    findings = lint_prompts(["dog", "cat"], ["a {}", "a photo", "{} or {}", "a {}", " the  {}"], bert)
    assert [where for where, _ in found(findings, "template")] == ["template 'a photo'", "template '{} or {}'"]
    assert found(findings, "duplicate")[0][0] == "template 'a {}'"
    assert found(findings, "whitespace") == [("template ' the  {}'", "odd white space; it should be 'the {}'.")]


def test_white_space_and_empty_names():
    findings = lint_prompts(["dog", "red  car", " "], ["{}"])
    assert [where for where, _ in found(findings, "whitespace")] == ["class 'red  car'", "class ' '"]


def test_truncation_says_what_is_cut_where(bert):
    long = "a very long name of a thing that nobody can read to the end of it"
    findings = lint_prompts(["dog", long], ["{}", "a photo of the {}, indoors."], bert)
    cut = found(findings, "truncated")
    assert [where.rpartition(" in ")[2] for where, _ in cut] == ["'{}'", "'a photo of the {}, indoors.'"]
    assert cut[0][1] == "longer than 16 tokens; cut off: 'it'."
    assert cut[1][1] == "longer than 16 tokens; cut off: 'to the end of it, indoors.'."


def test_names_that_look_alike_to_the_model(bert):
    findings = lint_prompts(["Crane", "dog", "crane", "  café", "cafe"], ["a {}"], bert)
    alike = found(findings, "same-tokens")
    assert [where for where, _ in alike] == ["class 'Crane'", "class '  café'"]
    assert "the same tokens as class 'crane' in every prompt" in alike[0][1]


def test_names_that_differ_only_in_what_is_cut(bert):
    long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    findings = lint_prompts([long + "dog", long + "cat"], ["{}"], bert)
    assert len(found(findings, "same-tokens")) == 1


def test_unknown_words(bert):
    findings = lint_prompts({"cat": ["cat", "😀 cat"], "dog": ["dog"]}, ["{}", "🐶 {}"], bert)
    unknown = found(findings, "unknown-token")
    assert unknown == [
        ("template '🐶 {}'", "the vocabulary has no piece for '🐶'."),
        ("class 'cat', text '😀 cat'", "the vocabulary has no piece for '😀'."),
    ]


def test_findings_are_frozen():
    with pytest.raises(AttributeError):
        Finding(kind="template", where="x", message="y").kind = "whitespace"
