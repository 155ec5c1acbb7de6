"""Which classes are taken for which."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Int

from lit.metrics import checks


def confusion(
    label: Int[np.ndarray, "images"], predicted: Int[np.ndarray, "images"], classes: int
) -> list[tuple[int, int, int]]:
    """How often each class was predicted as which, right predictions included.

    Args:
      label, predicted: class positions.
      classes: how many there are.

    Returns:
      (true class, predicted class, images), all that are not 0, in the order of the classes.  The counts add up to the
      images.

    Raises:
      InputError: no image, lengths differ, or a position out of range.
    """
    checks.same_length(label=label, predicted=predicted)
    checks.within(label, classes)
    checks.within(predicted, classes, "predictions")
    cells, counts = np.unique(label.astype(np.int64) * classes + predicted, return_counts=True)
    return [(int(c) // classes, int(c) % classes, int(n)) for c, n in zip(cells, counts, strict=True)]


def worst_confusions(confusion: Iterable[tuple[int, int, int]], most: int = 20) -> list[tuple[int, int, int]]:
    """The commonest mistakes.

    Args:
      confusion: (true class, predicted class, images).
      most: how many to return, at most.

    Returns:
      The same triples without the right predictions, most images first; of equals in the order of the classes.

    Raises:
      InputError: `most` is less than 1.
    """
    checks.whole(most, 1, 2**31, "most")
    wrong = (cell for cell in confusion if cell[0] != cell[1] and cell[2] > 0)
    return sorted(wrong, key=lambda cell: (-cell[2], cell[0], cell[1]))[:most]
