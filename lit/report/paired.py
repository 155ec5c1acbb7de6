"""Two reports image by image."""

from lit import metrics
from lit.errors import InputError
from lit.metrics import Paired
from lit.report.report import Predictions, Report


def paired(a: Report, b: Report) -> Paired:
    """McNemar's test and the interval of the difference, over the images that both reports scored.

    Images are matched by the hash of their bytes, not by name or place.

    Raises:
      InputError: a report has no classification predictions, or they share no image.
    """
    right_a, right_b = _right(a), _right(b)
    shared = [key for key in right_a if key in right_b]
    if not shared:
        raise InputError(
            f"the reports on {a.suite!r} and {b.suite!r} share no image, so there is nothing to pair; compare "
            "reports on the same split of the same dataset."
        )
    return metrics.mcnemar([right_a[key] for key in shared], [right_b[key] for key in shared])


def alone(a: Report, b: Report) -> tuple[int, int]:
    """Scored images that only `a` has, and only `b`.

    Raises:
      InputError: a report has no classification predictions.
    """
    in_a, in_b = _right(a).keys(), _right(b).keys()
    return len(in_a - in_b), len(in_b - in_a)


def _right(report: Report) -> dict[tuple[str, int], bool]:
    """Whether each image was classified rightly.  Identical images are told apart by how often they came before."""
    found: dict[tuple[str, int], bool] = {}
    seen: dict[str, int] = {}
    predictions = report.predictions
    if predictions is None or report.task != "classification":
        raise InputError(f"the report on {report.suite!r} has no predictions of classes; a paired test needs them.")
    for digest, correct in zip(predictions.digests, _correct(predictions), strict=True):
        nth = seen.get(digest, 0)
        seen[digest] = nth + 1
        found[digest, nth] = correct
    return found


def _correct(predictions: Predictions) -> list[bool]:
    return [bool(top) and top[0] in labels for top, labels in zip(predictions.top, predictions.labels, strict=True)]
