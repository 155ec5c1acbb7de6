"""Classification by the nearest training examples."""

from typing import Literal

import numpy as np
from jaxtyping import Float, Float32, Float64, Int

from lit.errors import InputError
from lit.metrics import checks
from lit.metrics.classification import top_k

#: Similarities in memory at one time.
_BLOCK = 2**22

#: Source: DINO, eval_knn.py: 20 neighbours "usually working the best", and the temperature of their votes.
NEIGHBOURS, TEMPERATURE = 20, 0.07


def nearest_neighbours(
    z_train: Float[np.ndarray, "examples dim"],
    y_train: Int[np.ndarray, "examples"],
    z_test: Float[np.ndarray, "images dim"],
    classes: int,
    *,
    k: int = NEIGHBOURS,
    vote: Literal["softmax", "majority"] = "softmax",
    temperature: float = TEMPERATURE,
) -> Float64[np.ndarray, "images classes"]:
    """The votes that each class gets from the k training examples of largest cosine.

    Args:
      z_train, z_test: any norms but 0; they are scaled to 1.
      y_train: classes of the examples.
      classes: how many there are.
      k: between 1 and the number of examples.
      vote: "softmax": an example's vote weighs exp(cosine / temperature), scaled so that all votes add up to 1;
        "majority": each weighs 1 / k.
      temperature: of the softmax.

    Returns:
      Rows that sum to 1.  The class is the argmax: of equal votes the first; of examples equally near the first count.

    Raises:
      InputError: no example, no image, widths differ, k out of range, a label out of range, or a row that is 0 or no
        number.

    Source: the softmax vote is that of DINO (Caron et al. 2021, after Wu et al. 2018), which DINOv2 and TIPS follow;
      facebookresearch/dino, eval_knn.py.
    """
    checks.same_length(z_train=z_train, y_train=y_train)
    checks.same_length(z_test=z_test)
    checks.within(y_train, classes)
    checks.whole(k, 1, len(z_train), "k (there are so many examples)")
    if vote not in ("softmax", "majority"):
        raise InputError(f"vote is {vote!r}; it must be 'softmax' or 'majority'.")
    if not temperature > 0:
        raise InputError(f"temperature is {temperature}; it must be above 0.")
    if z_train.shape[1] != z_test.shape[1]:
        raise InputError(f"examples have {z_train.shape[1]} numbers and images {z_test.shape[1]}; they must agree.")
    train, test = _unit(z_train, "examples"), _unit(z_test, "images")
    votes = np.zeros((len(test), classes))
    rows = max(1, _BLOCK // len(train))
    for start in range(0, len(test), rows):
        cosine = test[start : start + rows] @ train.T
        near = top_k(cosine, k)
        cosines = np.take_along_axis(cosine, near, axis=1).astype(np.float64)
        weights = np.exp((cosines - cosines[:, :1]) / temperature) if vote == "softmax" else np.ones_like(cosines)
        image = start + np.arange(len(near))[:, None]
        np.add.at(votes, (image, y_train[near]), weights / weights.sum(axis=1, keepdims=True))
    return votes


def _unit(z: Float[np.ndarray, "rows dim"], what: str) -> Float32[np.ndarray, "rows dim"]:
    checks.finite(z, f"numbers of the {what}")
    norms = np.linalg.norm(z.astype(np.float64), axis=1, keepdims=True)
    if not norms.all():
        raise InputError(f"row {int(norms.argmin())} of the {what} is 0 throughout; it has no direction to compare.")
    return (z / norms).astype(np.float32)
