"""Two reports image by image."""

from collections.abc import Iterable, Iterator

from lit import metrics
from lit.errors import InputError
from lit.metrics import Paired
from lit.report.report import Predictions, Report

_Key = tuple[str, int]


def paired(a: Report, b: Report) -> Paired:
    """McNemar's test and the interval of the difference, over the images that both reports scored.

    Images are matched by the hash of their bytes, not by name or place.

    Raises:
      InputError: a report has no classification predictions, or they share no image, or label them differently.
    """
    right_a, right_b = _right(a), _right(b)
    shared = [key for key in right_a if key in right_b]
    if not shared:
        raise InputError(
            f"the reports on {a.suite!r} and {b.suite!r} share no image, so there is nothing to pair; compare "
            "reports on the same split of the same dataset."
        )
    others = sum(x != y for x, y in zip(_labels(a, shared), _labels(b, shared), strict=True))
    if others:
        raise InputError(
            f"the labels of {others:,} of the {len(shared):,} images that both reports scored differ, so being right "
            "means something else in each; compare reports with the same labels."
        )
    return metrics.mcnemar([right_a[key] for key in shared], [right_b[key] for key in shared])


def _labels(report: Report, keys: Iterable[_Key]) -> list[tuple[int, ...]]:
    predictions = report.predictions
    assert predictions is not None
    labels = dict(zip(_keys(predictions), predictions.labels, strict=True))
    return [tuple(sorted(labels[key])) for key in keys]


def alone(a: Report, b: Report) -> tuple[int, int]:
    """Scored images that only `a` has, and only `b`.

    Raises:
      InputError: a report has no classification predictions.
    """
    in_a, in_b = _right(a).keys(), _right(b).keys()
    return len(in_a - in_b), len(in_b - in_a)


def _right(report: Report) -> dict[_Key, bool]:
    """Whether each image was classified rightly."""
    predictions = report.predictions
    if predictions is None or report.task != "classification":
        raise InputError(f"the report on {report.suite!r} has no predictions of classes; a paired test needs them.")
    return dict(zip(_keys(predictions), _correct(predictions), strict=True))


def _keys(predictions: Predictions) -> Iterator[_Key]:
    """The digest of each image, and how often it came before: identical images are told apart."""
    seen: dict[str, int] = {}
    for digest in predictions.digests:
        nth = seen.get(digest, 0)
        seen[digest] = nth + 1
        yield digest, nth


def _correct(predictions: Predictions) -> list[bool]:
    return [bool(top) and top[0] in labels for top, labels in zip(predictions.top, predictions.labels, strict=True)]
