"""Which published figures a report is held against, and where they are shown."""

import dataclasses

import pytest
import reports
from reports import Reader

from lit.report import page
from lit.suites.suite import Expected


def expected(**fields):
    return Expected(**{"model": "LiT-B16B_2", "metric": "top1", "value": 0.739, "source": "card"} | fields)


def test_only_exactly_its_protocol_counts():
    same, other, silent = (expected(protocol=p) for p in ("clip", "lit-colab", ""))
    report = reports.classification(2, 60, expected=(other, silent, same))
    assert report.published("top1") == same
    assert report.published("mean_per_class") is None
    assert dataclasses.replace(report, expected=(other, silent)).published("top1") is None
    assert dataclasses.replace(report, protocol="").published("top1") is None
    assert dataclasses.replace(report, model="LiT-L16L").published("top1") is None
    assert report.departed_from("top1") is None


def test_a_run_that_departs_is_held_against_nothing():
    report = reports.classification(10, 500, expected=(expected(protocol="clip"),), altered=("prompts: plain", "a <b>"))
    assert report.published("top1") is None
    assert report.departed_from("top1") == report.expected[0]
    said = "published 73.9 % under clip; this run departs from it: prompts: plain; a <b>"
    assert said in str(report)
    text = Reader(page(report)).text
    assert "published 73.9 % under clip (card); this run departs from it: prompts: plain; a <b>. Not compar" in text
    assert "This measurement is" not in text
    assert "the published figure at" not in page(report)
    assert "a &lt;b&gt;" in report._repr_html_()


def test_notes_are_told():
    report = reports.classification(2, 60, notes=("near copies are known",))
    assert "note: near copies are known" in str(report)


def test_departures_are_told_where_nothing_was_published():
    report = reports.classification(2, 60, altered=("only the first 60 images",))
    said = "this run departs from its suite and protocol: only the first 60 images"
    assert said in str(report)
    assert "no published figure under this protocol" in str(report)
    text = Reader(page(report)).text
    assert "This run departs from the suite and protocol that it names: only the first 60 images." in text


def test_figures_beside_the_headline_have_theirs():
    """Oxford Pets: the suite reports mean per class, the source top-1."""
    report = reports.classification(10, 5000, headline="mean_per_class", expected=(expected(protocol="clip"),))
    top1 = report.figures["top1"].value
    assert f"; published 73.90 % (card); this is {100 * (0.739 - top1):.2f} points below it" in str(report)
    text = Reader(page(report)).text
    assert "73.9 % −" in text
    assert "Published: card. Points are" in text
    assert "None of this figure under this protocol; others below have one." in text
    assert "card" in report._repr_html_()


@pytest.mark.parametrize(("protocol", "said"), [("", "protocol not stated"), ("x", "published otherwise, protocol x")])
def test_what_was_measured_otherwise_is_told_apart(protocol, said):
    of_other = expected(protocol=protocol, metric="top5", value=0.9, model="LiT-L16L")
    report = reports.classification(10, 500, expected=(expected(protocol=protocol, metric="top5"), of_other))
    text = Reader(page(report)).text
    assert f"Top-5 accuracy published{'' if protocol else ','}" in text
    assert f"{said}: 73.9 % (card). Not comparable." in text
    assert "90.0 % (card)" not in text


def test_recall_has_its_published_figures():
    row = expected(protocol="clip", metric="text_to_image_r5", value=0.56)
    text = Reader(page(dataclasses.replace(reports.retrieval(), expected=(row,)))).text
    assert "57.00 % 56.39 to 57.61 % published 56.0 %" in text
