"""The seal changes where a figure could, and nowhere else."""

import dataclasses
import json

import pytest
from labelled import CLASSES
from PIL import Image

import lit
from lit.evaluation import Options, plan, run
from lit.report import compare_seals


@pytest.mark.parametrize(
    ("choices", "group", "factors"),
    [
        ({"prompts": "plain"}, "protocol", {"templates"}),
        ({"protocol": "lit-colab"}, "protocol", {"protocol", "templates", "averaging"}),
        ({"renormalize": False}, "protocol", {"averaging"}),
        ({"canonicalize": True}, "protocol", {"canonicalisation"}),
        ({"classes": ["car and cat", "green", "red car", "a dog"]}, "protocol", {"class names"}),
        ({"limit": 20}, "data", {"images", "content"}),
    ],
)
def test_what_moves_a_figure_moves_the_seal(tiny_model, folder, choices, group, factors):
    base, other = lit.evaluate(tiny_model, folder), lit.evaluate(tiny_model, folder, **choices)
    assert base.seal.hash != other.seal.hash
    found = compare_seals(base.seal, other.seal).differences
    assert {factor for factor, _, _ in found[group]} == factors
    assert found.keys() == {group}


@pytest.mark.parametrize("choices", [{"limit": 1000}, {"progress": True}, {"keep": False}, {"skip_bad": True}])
def test_what_moves_nothing_does_not(tiny_model, folder, choices):
    assert lit.evaluate(tiny_model, folder).seal.hash == lit.evaluate(tiny_model, folder, **choices).seal.hash


def test_repaired_names_and_the_rule_for_several_labels_are_in_it(tiny_model, folder):
    planned = plan(folder)
    hashes = set()
    for change in ({}, {"any_hit": True}, {"metric": "mean_per_class"}, {"resize": "crop"}):
        suite = dataclasses.replace(planned.suite, **change)
        hashes.add(run(tiny_model, dataclasses.replace(planned, suite=suite)).report.seal.hash)
    assert len(hashes) == 4
    listed = dataclasses.replace(planned.suite, classes=str(_list(folder)))
    one, two = (
        run(tiny_model, plan(dataclasses.replace(listed, repaired=names), data=folder)).report
        for names in ({1: "a dog"}, {1: "photo"})
    )
    assert "repaired/top1" in one.figures
    assert one.seal.hash != two.seal.hash


def _list(folder):
    path = folder.parent / "classes.txt"
    path.write_text("\n".join(name.replace(" ", "_") for name in CLASSES) + "\n")
    return path


def test_captions_are_in_it(tiny_model, known, tmp_path):
    seals = []
    for word in ("photo", "drawing"):
        rows = []
        for i, picture in enumerate(known[0][:6]):
            Image.fromarray(picture).save(tmp_path / f"{i}.png")
            rows.append(json.dumps({"image": f"{i}.png", "texts": [f"a {word} of it {i}"]}))
        (tmp_path / "m.jsonl").write_text("\n".join(rows) + "\n")
        seals.append(lit.evaluate(tiny_model, tmp_path / "m.jsonl").seal)
    assert seals[0].data["content"] != seals[1].data["content"]


def test_a_run_that_departs_from_its_protocol_says_so(tiny_model, folder):
    expected = lit.suites.Expected(model="tiny", metric="top1", value=0.9, source="a paper", protocol="clip")
    suite = dataclasses.replace(plan(folder).suite, classes=str(_list(folder)), expected=(expected,))

    def measured(**choices):
        return run(tiny_model, plan(suite, data=folder, **choices), Options(limit=choices.pop("limit", None))).report

    assert measured().altered == ()
    assert measured().published("top1") == expected
    for choices, said in (
        ({"prompts": "plain"}, "prompts: plain"),
        ({"renormalize": False}, "renormalize: False"),
        ({"canonicalize": True}, "canonicalize: True"),
        ({"classes": ["a", "b", "c", "d"]}, "class names: your own"),
    ):
        assert measured(**choices).altered == (said,)
        assert measured(**choices).published("top1") is None
    short = run(tiny_model, plan(suite, data=folder), Options(limit=3)).report
    assert short.altered == ("only the first 3 of 24 images",)
    assert short.published("top1") is None
    assert measured(protocol="big-vision").published("top1") is None
