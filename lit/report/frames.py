"""Reports as pandas tables."""

from collections.abc import Sequence

import pandas as pd

from lit.errors import InputError
from lit.metrics.intervals import wilson
from lit.report.report import Predictions, Report


def to_frame(report: Report) -> pd.DataFrame:
    """One row per figure; frames of several reports can be put under one another.

    Returns:
      `suite`, `model`, `protocol`, `figure` ("top1"), `value`, `low`, `high` (fractions, 95 %), `n`, `method`,
      `published` (NaN where there is none under this protocol), `source`, `seal` (the first 12 digits).
    """
    rows = []
    for key, figure in report.figures.items():
        published = report.published(key)
        rows.append(
            {
                "suite": report.suite,
                "model": report.model,
                "protocol": report.protocol,
                "figure": key,
                "value": figure.value,
                "low": figure.low,
                "high": figure.high,
                "n": figure.n,
                "method": figure.method,
                "published": published.value if published else float("nan"),
                "source": published.source if published else "",
                "seal": report.seal.hash[:12],
            }
        )
    return pd.DataFrame(rows)


def per_class_frame(report: Report) -> pd.DataFrame:
    """One row per class, in the suite's order.

    Returns:
      `class`, `class_name`, `images`, `correct`, `accuracy`, `low`, `high` (Wilson, 95 %; NaN without images).

    Raises:
      InputError: the report has no classes (retrieval).
    """
    if not report.support:
        raise InputError(f"the report on {report.suite!r} has no figures by class; a retrieval suite has none.")
    frame = pd.DataFrame(
        {
            "class": range(len(report.support)),
            "class_name": _words(report.class_names),
            "images": report.support,
            "correct": report.correct,
        }
    )
    frame["accuracy"] = frame["correct"] / frame["images"].where(frame["images"] > 0)
    ends = [
        wilson(hits, n) if n else (float("nan"),) * 2 for hits, n in zip(report.correct, report.support, strict=True)
    ]
    frame[["low", "high"]] = ends
    return frame


def confusion_frame(report: Report) -> pd.DataFrame:
    """One row per pair of classes that occurred, right ones included, most frequent first.

    Returns:
      `true`, `predicted` (positions), `true_name`, `predicted_name`, `images`, `share` (of the true class's images).
    """
    frame = pd.DataFrame(report.confusion, columns=["true", "predicted", "images"], dtype=int)
    frame.insert(2, "true_name", _words([report.class_names[c] for c in frame["true"]]))
    frame.insert(3, "predicted_name", _words([report.class_names[c] for c in frame["predicted"]]))
    frame["share"] = frame["images"] / frame.groupby("true")["images"].transform("sum")
    return frame.sort_values(["images", "true", "predicted"], ascending=[False, True, True], ignore_index=True)


def predictions_frame(report: Report) -> pd.DataFrame:
    """One row per scored image, in the dataset's order.

    Returns:
      `id`, `digest`, `label` (the first right class, <NA> without labels), `labels` (all of them), `predicted`,
      `label_name`, `predicted_name`, `correct` (<NA> without labels), `confidence`, `top` (the best classes).

    Raises:
      InputError: the report carries no predictions.
    """
    if report.predictions is None:
        raise InputError(f"the report on {report.suite!r} carries no predictions; it was written without them.")
    return _frame_of(report.predictions, report.class_names)


def _frame_of(predictions: Predictions, class_names: tuple[str, ...]) -> pd.DataFrame:
    labels, top = predictions.labels, predictions.top
    correct = [best[0] in right if best and right else None for best, right in zip(top, labels, strict=True)]
    frame = pd.DataFrame(
        {
            "id": _words(predictions.ids),
            "digest": _words(predictions.digests),
            "label": pd.array([right[0] if right else None for right in labels], dtype="Int64"),
            "labels": pd.Series(labels, dtype=object),
            "predicted": pd.array([best[0] if best else None for best in top], dtype="Int64"),
            "correct": pd.array(correct, dtype="boolean"),
            "confidence": pd.Series(predictions.confidence, dtype=float),
            "top": pd.Series(top, dtype=object),
        }
    )
    frame.insert(5, "label_name", _first_names(labels, class_names))
    frame.insert(6, "predicted_name", _first_names(top, class_names))
    return frame


def _first_names(positions: tuple[tuple[int, ...], ...], class_names: tuple[str, ...]) -> pd.Series:
    return _words([class_names[of_image[0]] if of_image and class_names else None for of_image in positions])


def _words(values: Sequence[str | None]) -> pd.Series:
    """Python strings: names of files may hold what pandas' own string type refuses, half surrogate pairs."""
    return pd.Series(values, dtype=object)
