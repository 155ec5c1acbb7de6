"""Which classes are taken for which."""

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
