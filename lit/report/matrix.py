"""Which part of a confusion matrix to show: all of a small one, of a large one the classes most confused."""

import dataclasses

from lit import metrics
from lit.report.report import Report

#: Up to so many classes are shown as they are.
ALL = 25
#: Of more, so many.
MOST_CONFUSED = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class Matrix:
    """Part of a confusion matrix.

    Attributes:
      classes: positions, in the suite's order.
      images: rows are true classes, columns predicted ones; counts.
      support: images of each row's class, those outside the part included.
    """

    classes: tuple[int, ...]
    images: tuple[tuple[int, ...], ...]
    support: tuple[int, ...]


def matrix_of(report: Report) -> Matrix:
    """The part that a page shows."""
    counts = {(true, predicted): n for true, predicted, n in report.confusion}
    total: dict[int, int] = {}
    for (true, _), n in counts.items():
        total[true] = total.get(true, 0) + n
    classes = _chosen(report)
    return Matrix(
        classes=classes,
        images=tuple(tuple(counts.get((true, predicted), 0) for predicted in classes) for true in classes),
        support=tuple(total.get(true, 0) for true in classes),
    )


def worst_confusions(report: Report, most: int = 20) -> list[tuple[int, int, int]]:
    """(true, predicted, images) of mistakes, most frequent first."""
    return metrics.worst_confusions(report.confusion, max(most, 1))  # a report may have no confusions at all


def _chosen(report: Report) -> tuple[int, ...]:
    if len(report.class_names) <= ALL:
        return tuple(range(len(report.class_names)))
    chosen: set[int] = set()
    for true, predicted, _ in worst_confusions(report, len(report.confusion)):
        if len(chosen | {true, predicted}) > MOST_CONFUSED:
            break
        chosen |= {true, predicted}
    return tuple(sorted(chosen))
