"""What every metric asks of its input: something there, equal lengths, numbers, labels within the classes."""

from typing import Any

import numpy as np

from lit.errors import InputError


def same_length(**columns: Any) -> int:
    """The common length of the columns.

    Raises:
      InputError: they differ, or are empty.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {n}" for name, n in lengths.items())
        raise InputError(f"{found}; they must have one entry for each image, in the same order.")
    n = next(iter(lengths.values()))
    if n == 0:
        raise InputError(f"{next(iter(lengths))} is empty; a figure needs at least one example.")
    return n


def finite(values: np.ndarray, what: str) -> None:
    """Raises InputError at a NaN or an infinity, saying how many there are and where the first is."""
    if not np.isfinite(values).all():
        bad = np.argwhere(~np.isfinite(values))
        raise InputError(
            f"{len(bad)} of {values.size} {what} are NaN or infinite, the first at {tuple(bad[0].tolist())}; look at "
            "what computed them: no figure can be taken from them."
        )


def within(labels: np.ndarray, classes: int, what: str = "labels") -> None:
    """Raises InputError at a label outside 0 ... classes - 1."""
    if classes < 1:
        raise InputError(f"classes is {classes}; there must be at least one.")
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        place = int(np.flatnonzero((labels < 0) | (labels >= classes))[0])
        raise InputError(
            f"{what}: entry {place} is {labels.ravel()[place]}; with {classes} classes each must be between 0 and "
            f"{classes - 1}. Check which list of classes the labels count in."
        )


def whole(value: Any, low: int, high: int, what: str) -> None:
    """Raises InputError unless `value` is a whole number between `low` and `high`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise InputError(f"{what} is {value!r}; it must be a whole number between {low} and {high}.")
