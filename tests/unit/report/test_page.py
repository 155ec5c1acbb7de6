"""The page as text: parts, escaping, what it does without.  `tests/browser` looks at it in a browser."""

import base64
import dataclasses
import hashlib
import re
import sys

import pytest
import reports
from reports import Reader

from lit.errors import InputError, MissingExtraError
from lit.metrics.figure import Figure
from lit.report import GalleryItem, page
from lit.report.matrix import matrix_of, worst_confusions
from lit.report.report import FewShot, ReliabilityBin
from lit.report.seal import GROUPS


def parts(html):
    return re.findall(r'<section (?:class="\w+" )?id="([\w-]+)"', html)


def test_a_full_page():
    html = page(reports.full(), gallery=reports.gallery(), gap=reports.gap())
    assert parts(html) == [
        "warnings", "headline", "notes", "figures", "classes", "confusions", "gallery", "calibration", "few-shot",
        "gap", "time", "excluded", "seal", "reproduce",
    ]  # fmt: skip
    text = Reader(html).text
    for said in (
        "73.40 % 95 % interval 72.53 to 74.27 %",
        "n = 10,000",
        "73.9 % Zhai et al., LiT: Zero-Shot Transfer with Locked-image text Tuning, table 7",
        "This measurement is 0.50 points below it; the interval contains it",
        "published otherwise, protocol lit-colab: 73.1 % (vit_jax notebook). Not comparable.",
        "Top-1 accuracy 73.40 % 72.53 to 74.27 % 73.80 % 72.94 to 74.66 % 73.9 % −0.50 points 10,000",
        "airplane automobile 298 28.5 %",
        "cat 99.9 % is airplane",
        "ridge l2 = 1024 60.90 % 56.55 to 65.24 % 79.",
        "zero-shot 73.40 % 72.53 to 74.27 %",
        "Intervals: Student over 3 draws of examples and Wilson over images, in quadrature.",
        "20 % of the test images have a near copy",
        "Top-1 accuracy on the same images, with one choice changed at a time.",
        "templates clip-best plain 71.80 % −2.10 −2.40 to −1.80",
        "10,000 images in 52.6 s, 190 images a second. 8,000 went through the image tower",
        "test/04711 the file is cut off",
        "canonicalisation lower case, no punctuation",
        "The command that was typed: this report does not hold all of it.",
        reports.full().seal.hash,
    ):
        assert said in text, said


def test_data_without_a_suite_and_embeddings_that_were_stored():
    report = reports.classification(2, 50, suite="labels")
    report = dataclasses.replace(report, timing=dataclasses.replace(report.timing, computed=0, reused=50))
    text = Reader(page(report)).text
    assert "lit eval" not in text
    assert "None of them went through the image tower in this run" in text


def test_few_shot_is_held_against_top1():
    """Whatever the suite's headline is: few-shot measures top-1."""
    report = dataclasses.replace(reports.full(), headline="mean_per_class")
    top1 = report.figures["top1"]
    html = page(report)
    row = re.search(r'zero-shot</th><td class="number">([\d.]+)', html)[1]
    assert row == f"{100 * top1.value:.2f}" != f"{100 * report.accuracy:.2f}"
    chart = page(dataclasses.replace(report, headline="top1"))
    charts = [re.search(r'id="few-shot".*?</svg>', text, re.DOTALL)[0] for text in (html, chart)]
    assert charts[0] == charts[1]


def test_the_gap_of_a_report_is_shown_unless_another_is_given():
    report = reports.classification(2, 60, gap=reports.gap(path=True))
    assert "each on top of those above" in page(report)
    assert page(report, gap=()).count('id="gap"') == 0
    assert "with one choice changed at a time" in page(report, gap=reports.gap())
    assert report.to_html() == page(report)


def test_a_command_that_would_leave_something_out_is_not_given():
    report = reports.classification(2, 60, altered=("prompts: plain", "only the first 60 images"))
    text = Reader(page(report)).text
    assert "It departs from the suite and its protocol: prompts: plain; only the first 60 images" in text
    assert "lit eval" not in text
    plain = Reader(page(reports.classification(2, 60))).text
    assert "lit eval cifar10 --model LiT-B16B_2 --protocol clip" in plain


def test_the_same_report_makes_the_same_page():
    assert page(reports.full(), gap=reports.gap()) == page(reports.full(), gap=reports.gap())


def test_parts_that_a_report_lacks_are_left_out():
    bare = reports.classification(2, 60, predictions=False, confusion=(), support=(), correct=(), reliability=())
    assert parts(page(bare)) == ["headline", "figures", "time", "seal", "reproduce"]
    html = page(reports.retrieval())
    assert parts(html) == ["headline", "figures", "time", "seal", "reproduce"]
    text = Reader(html).text
    assert "Way Queries R@1 R@5 R@10 Image to text 5,000 42.00 % 40.63 to 43.37 % 68.00 %" in text
    assert "Text to image 25,010 31.00 %" in text
    assert "published, protocol not stated: 43.0 % (model card). Not comparable." in text
    assert "No published figure under this protocol." in Reader(page(bare)).text


@pytest.mark.parametrize("bad", reports.NASTY)
def test_everything_is_escaped(bad):
    """In every place that takes a text; the parser also fails where a tag of theirs closes one of ours."""
    from lit.report.report import Excluded
    from lit.suites.suite import Expected

    names = (bad, *reports.NASTY)
    report = reports.classification(
        len(names), 300, names=names, title=bad, suite=bad, task=bad, model=bad, protocol=bad, created=bad,
        warnings=(bad,),
        excluded=(Excluded(id=bad, reason=bad),),
        expected=(
            Expected(model=bad, metric="top1", value=0.5, source=bad, protocol=bad),
            Expected(model=bad, metric="top1", value=0.5, source=bad, protocol=bad + "2"),
        ),
        seal=reports.seal(**{group: {bad: bad} for group in GROUPS}),
        few_shot=(FewShot(method=bad, shots=1, accuracies=(0.5,), setting=bad),),
    )  # fmt: skip
    report = report.__class__(
        **{**vars(report), "headline": bad, "figures": {bad: Figure(value=0.5, low=0.4, high=0.6, n=9, method=bad)}}
    )
    item = GalleryItem(id=bad, jpeg=reports.thumbnail(0), label=bad, predicted=bad, confidence=1.0)
    step = reports.gap()[0].__class__(**{**vars(reports.gap()[0]), "factor": bad, "before": bad, "after": bad})
    html = page(report, gallery=[item], gap=[step])
    read = Reader(html)
    assert read.tags.count("script") == read.tags.count("style") == read.tags.count("title") == 1
    assert read.tags.count("img") == 1
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    # In prose its white space is folded, as a browser does.
    assert read.text.count(" ".join(bad.split())) >= 12


def test_names_that_utf8_cannot_hold():
    names = ("caf\udce9", "b")
    few = (FewShot(method=names[0], shots=1, accuracies=(0.5,), setting=""),)
    html = page(reports.classification(2, 60, names=names, few_shot=few), gallery=reports.gallery(2, names))
    assert html.encode().decode().count("caf?") > 5


def test_nothing_comes_from_elsewhere():
    html = page(reports.full(), gallery=reports.gallery(3), gap=reports.gap())
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", html))
    assert addresses == {"http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"}, "names, not addresses"
    loads = [value for name, value in Reader(html).attributes if name in ("src", "href", "xlink:href", "srcset")]
    assert all(value.startswith(("data:", "#")) for value in loads)
    assert not re.search(r"@import|url\((?!#)", html)


def test_only_its_own_script_may_run():
    html = page(reports.retrieval())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html).group(1)
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_ids_are_unique_over_all_charts():
    ids = re.findall(r'\bid="([^"]+)"', page(reports.full(), gap=reports.gap()))
    assert len(ids) > 100
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("missing", ["jinja2", "matplotlib"])
def test_without_the_extra(monkeypatch, missing):
    from lit.report.page import _environment

    _environment.cache_clear()
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lit-jax\[report\]'"):
        page(reports.full())


def test_odd_values():
    empty_bin = ReliabilityBin(low=0.0, high=0.5, n=0, confidence=0.0, accuracy=0.0)
    last = ReliabilityBin(low=0.5, high=1.0, n=1, confidence=1.0, accuracy=1.0)
    timing = reports.timing(10).__class__(
        wall=0.0, read=0.0, decode=0.0, tower=0.0, text=0.0, score=0.0, computed=1, reused=0
    )
    perfect = Figure(value=1.0, low=1.0, high=1.0, n=50, method="")
    text = Reader(
        page(
            reports.classification(
                2,
                50,
                support=(50, 0),
                correct=(50, 0),
                confusion=((0, 0, 50),),
                figures={"top1": perfect},
                reliability=(empty_bin, last),
                timing=timing,
                created="yesterday",
                few_shot=(
                    FewShot(method="ridge", shots=1, accuracies=(0.5,), setting="l2 = 1"),
                    FewShot(method="none", shots=5, accuracies=(), setting=""),
                ),
            )
        )
    ).text
    assert "100.0 % 95 % interval 100.0 to 100.0 %" in text
    assert "dog 0 none" in text
    assert "There is no mistake." in text
    assert "1 image in 0.0 s." in text
    assert "yesterday" in text
    assert "ridge l2 = 1 50.0 %" in text
    assert parts(page(reports.classification(2, 50, reliability=(empty_bin,)))).count("calibration") == 0


def test_small_matrices_are_whole_and_large_ones_the_worst_part():
    whole = matrix_of(reports.classification(10, 2000))
    assert whole.classes == tuple(range(10))
    assert [sum(row) for row in whole.images] == list(whole.support)
    report = reports.classification(1000, 20_000)
    part = matrix_of(report)
    assert 10 <= len(part.classes) <= 20
    true, said, n = worst_confusions(report)[0]
    assert part.images[part.classes.index(true)][part.classes.index(said)] == n
    counts = [row[2] for row in worst_confusions(report, 50)]
    assert counts == sorted(counts, reverse=True)
    assert all(a != b for a, b, _ in worst_confusions(report, 50))


def test_many_classes_are_folded():
    html = page(reports.classification(31, 2000))
    assert "All 31 classes" in html
    assert "The 10 worst classes" in html
    assert html.count('scope="row" data-sort') == 31 + 20
    assert "worst classes" not in page(reports.classification(10, 500))


def test_methods_of_a_report(tmp_path):
    report = reports.full()
    assert report.to_html(tmp_path / "report.html") == (tmp_path / "report.html").read_text("utf-8") == page(report)
    in_notebooks = reports.classification(2, 50, title=reports.NASTY[0], warnings=(reports.NASTY[0],))._repr_html_()
    read = Reader(in_notebooks)
    assert "script" not in read.tags
    assert read.text.count(reports.NASTY[0]) == 2
    with pytest.raises(InputError, match="headline"):
        reports.classification(2, 50, headline="top7")
