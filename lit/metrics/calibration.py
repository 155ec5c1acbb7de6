"""Calibration: whether a confidence of 80 % is right four times in five."""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from lit.errors import InputError
from lit.metrics import checks
from lit.metrics.figure import Figure
from lit.metrics.intervals import DRAWS, SEED, drawn, middle_95

#: Of a bin, for drawing images of all but the same confidence together.
_PARTS = 32


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Predictions whose confidence lies in (low, high]: how sure they were on average, and how often right.

    An empty bin has n = 0, and its confidence and accuracy are 0.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


def calibration(
    confidence: Float[np.ndarray, "images"], correct: Bool[np.ndarray, "images"], bins: int = 15
) -> tuple[Figure, list[ReliabilityBin]]:
    """The expected calibration error (ECE) and the reliability curve that it sums up.

    The ECE is the distance between a bin's mean confidence and its accuracy, averaged over images.  The bins have equal
    width and hold (low, high]; a confidence of 0 goes into the first.

    The interval draws images anew, and turns the draws around the figure (2 value - quantile: the "basic" bootstrap).
    A distance can only grow by noise: a resample has more of it than the sample, as the sample has more than the truth,
    and an interval straight from the quantiles would lie too high.  So the figure often stands near the upper end: part
    of it is noise.

    Args:
      confidence: of the predicted class, in [0, 1].
      correct: whether it is right.
      bins: how many.

    Returns:
      The ECE, a fraction, and the bins in order, empty ones included.

    Raises:
      InputError: no image, lengths differ, or a confidence outside [0, 1].

    Source: Guo et al., On calibration of modern neural networks, 2017 (15 bins); bias: Kumar et al., Verified
      uncertainty calibration, 2019.
    """
    n = checks.same_length(confidence=confidence, correct=correct)
    checks.whole(bins, 1, 10_000, "bins")
    checks.finite(confidence, "confidences")
    sure = confidence.astype(np.float64)
    if sure.min() < 0 or sure.max() > 1 + 1e-6:
        raise InputError(
            f"confidences reach from {sure.min():.4g} to {sure.max():.4g}; they must lie in [0, 1]: probabilities, not "
            "logits."
        )
    edges = np.arange(bins + 1) / bins
    place = np.clip(np.searchsorted(edges, sure, side="left") - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    total = np.maximum(counts, 1)
    mean_sure = np.bincount(place, sure, minlength=bins) / total
    rate = np.bincount(place, correct, minlength=bins) / total
    value = float((counts * np.abs(rate - mean_sure)).sum() / n)
    low, high = middle_95(_drawn_errors(place, sure, correct, bins))
    figure = Figure(
        value=value,
        low=max(0.0, min(value, 2 * value - high)),
        high=min(1.0, max(value, 2 * value - low)),
        n=n,
        method="basic " + drawn("images"),
    )
    found = [
        ReliabilityBin(low=float(a), high=float(b), n=int(c), confidence=float(s), accuracy=float(r))
        for a, b, c, s, r in zip(edges[:-1], edges[1:], counts, mean_sure, rate, strict=True)
    ]
    return figure, found


def _drawn_errors(
    place: Int[np.ndarray, "images"],
    sure: Float64[np.ndarray, "images"],
    correct: Bool[np.ndarray, "images"],
    bins: int,
) -> Float64[np.ndarray, "draws"]:
    """The ECE of each draw of as many images: a bin's part is the absolute sum of (right - confidence) in it.

    Images of one outcome and all but the same confidence are drawn together, as a multinomial count: a thirtieth of a
    bin is nothing beside the 0 or 1 that is subtracted from it, and 50,000 images become a thousand cells.
    """
    fine = np.minimum(sure * (bins * _PARTS), bins * _PARTS - 1).astype(np.int64)
    _, cell, counts = np.unique((place * bins * _PARTS + fine) * 2 + correct, return_inverse=True, return_counts=True)
    gap = np.bincount(cell, correct - sure) / counts
    bin_of_cell = np.zeros(len(counts), np.int64)
    bin_of_cell[cell] = place
    n = len(place)
    draws = np.random.default_rng(SEED).multinomial(n, counts / n, size=DRAWS)
    # Cells are sorted, so those of a bin lie together.
    starts = np.flatnonzero(np.diff(bin_of_cell, prepend=-1))
    return np.abs(np.add.reduceat(draws * gap, starts, axis=1)).sum(axis=1) / n
