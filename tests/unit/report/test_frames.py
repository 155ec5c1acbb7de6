"""Reports as tables and as text."""

import dataclasses

import pytest
import reports

from lit.errors import InputError
from lit.report import confusion_frame, per_class_frame, predictions_frame, to_frame
from lit.report.report import Predictions
from lit.suites.suite import Expected


def test_one_row_per_figure():
    report = reports.full()
    frame = to_frame(report)
    assert list(frame["figure"]) == ["top1", "top5", "mean_per_class", "ece", "repaired/top1"]
    assert frame["value"].tolist() == [f.value for f in report.figures.values()]
    assert frame.set_index("figure")["published"].dropna().to_dict() == {"top1": 0.739}
    assert frame["seal"].eq(report.seal.hash[:12]).all()


def test_which_published_figure_counts():
    def found(*protocols, model="LiT-B16B_2"):
        expected = tuple(
            Expected(model=model, metric="top1", value=i / 10, source="", protocol=p) for i, p in enumerate(protocols)
        )
        published = reports.classification(2, 50, expected=expected).published("top1")
        return published and published.value

    assert found("clip", "") == 0.0
    assert found("", "clip") == 0.1
    assert found("big-vision", "") is None
    assert found("big-vision") is None
    assert found("clip", model="LiT-L16L") is None


def test_classes():
    report = reports.classification(10, 2000)
    frame = per_class_frame(report)
    assert frame["class_name"].tolist() == list(reports.CIFAR10)
    assert frame["images"].sum() == 2000
    assert frame["accuracy"].mean() == pytest.approx(report.figures["mean_per_class"].value)
    assert ((frame["low"] < frame["accuracy"]) & (frame["accuracy"] < frame["high"])).all()
    empty = per_class_frame(reports.classification(2, 50, support=(50, 0), correct=(40, 0)))
    assert empty["accuracy"].isna().tolist() == [False, True]
    assert empty["high"].isna().tolist() == [False, True]
    with pytest.raises(InputError, match="no figures by class"):
        per_class_frame(reports.retrieval())


def test_confusion():
    report = reports.classification(10, 2000)
    frame = confusion_frame(report)
    assert frame["images"].is_monotonic_decreasing
    assert frame["images"].sum() == 2000
    assert frame.groupby("true")["share"].sum().tolist() == pytest.approx([1] * 10)
    row = frame.iloc[0]
    assert row["true_name"] == reports.CIFAR10[row["true"]]
    assert confusion_frame(reports.retrieval()).empty


def test_predictions():
    report = reports.classification(10, 2000)
    frame = predictions_frame(report)
    assert len(frame) == 2000
    assert float(frame["correct"].mean()) == report.accuracy
    right = frame[frame["correct"]]
    assert (right["label_name"] == right["predicted_name"]).all()
    rows = Predictions(
        ids=("a", "b", "c"),
        digests=("", "", ""),
        labels=((0, 1), (0,), ()),
        top=((1, 0), (1, 0), (1, 0)),
        confidence=(0.5, 0.6, 0.7),
    )
    several = predictions_frame(dataclasses.replace(report, predictions=rows))
    assert several["correct"].tolist()[:2] == [True, False]
    assert several["correct"].isna().tolist() == [False, False, True]
    assert several["label"].isna().tolist() == [False, False, True]
    without_names = predictions_frame(reports.retrieval())
    assert without_names["label_name"].tolist() == [None, None]
    assert without_names["predicted"].tolist() == [3, 2]
    with pytest.raises(InputError, match="carries no predictions"):
        predictions_frame(reports.classification(2, 50, predictions=False))


def test_names_that_utf8_cannot_hold():
    report = reports.classification(2, 60, names=("caf\udce9", "b"))
    assert per_class_frame(report)["class_name"][0] == "caf\udce9"
    assert set(confusion_frame(report)["true_name"]) == {"caf\udce9", "b"}
    assert set(predictions_frame(report)["label_name"]) == {"caf\udce9", "b"}


def test_text():
    lines = str(reports.full()).splitlines()
    assert lines[0] == "CIFAR-10: LiT-B16B_2, protocol clip"
    assert lines[1].startswith("  Top-1 accuracy 73.40 % (95 %: 72.5")
    assert "n = 10,000" in lines[1]
    assert "published 73.90 % (Zhai et al." in lines[2]
    assert lines[2].endswith("; this is 0.50 points below it")
    assert "  3 excluded" in lines
    assert lines[-1].startswith("  seal ")
    assert "no published figure under this protocol" in str(reports.classification())
    assert "Image to text, recall at 1 42.00 %" in str(reports.retrieval())
