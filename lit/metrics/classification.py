"""Classification: the best classes of each image, whether they are right, and the two accuracies."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from lit.errors import InputError
from lit.metrics import checks
from lit.metrics.figure import Figure
from lit.metrics.intervals import DRAWS, SEED, drawn, middle_95, share, wilson

#: Class positions that are right for each image: one, or several of which each counts.
Labels = Int[np.ndarray, "images"] | Sequence[Sequence[int]]

#: Scores that are copied at one time, so that ranking 50,000 x 1000 needs little memory.
_BLOCK = 2**20
#: Up to so many ranks one pass for each is faster than sorting.
_FEW = 16


def top_k(scores: Float[np.ndarray, "images classes"], k: int) -> Int[np.ndarray, "images ranks"]:
    """The k best classes of each image, best first; of equal scores the first class wins, as in `numpy.argmax`.

    Args:
      scores: finite; inner products, logits or probabilities.
      k: between 1 and the number of classes.

    Returns:
      (images, k) class positions.

    Raises:
      InputError: no image, a score that is no number, or k out of range.
    """
    images = checks.same_length(scores=scores)
    checks.whole(k, 1, scores.shape[1], "k")
    checks.finite(scores, "scores")
    best = np.empty((images, k), np.int64)
    rows = max(1, _BLOCK // scores.shape[1])
    for start in range(0, images, rows):
        part = slice(start, start + rows)
        if k > _FEW:
            best[part] = np.argsort(-scores[part], axis=1, kind="stable")[:, :k]
            continue
        left = scores[part].copy()
        for rank in range(k):
            best[part, rank] = left.argmax(axis=1)
            np.put_along_axis(left, best[part, rank, None], -np.inf, axis=1)
    return best


def hits(top: Int[np.ndarray, "images ranks"], labels: Labels) -> Bool[np.ndarray, "images"]:
    """Whether a right class is among the ranks given: `hits(top[:, :1], labels)` for top-1.

    Args:
      top: class positions.
      labels: the right class of each image, or several for each: one hit is enough (ImageNet-ReaL).

    Raises:
      InputError: lengths differ, no image, or an image without a label: it is neither right nor wrong.

    Source: big_vision, evaluators/proj/image_text/discriminative_classifier.py, counts several labels alike.
    """
    checks.same_length(top=top, labels=labels)
    if isinstance(labels, np.ndarray):
        if labels.min() < 0:
            raise InputError(f"image {int(labels.argmin())} has the label {labels.min()}; leave out what has no label.")
        return (top == labels[:, None]).any(axis=1)
    counts = np.fromiter(map(len, labels), np.int64, len(labels))
    if not counts.all():
        raise InputError(
            f"{(counts == 0).sum()} of {len(labels)} images have no label, the first at {int(counts.argmin())}; leave "
            "them out: they are neither right nor wrong."
        )
    flat = np.fromiter((label for right in labels for label in right), np.int64, int(counts.sum()))
    found = (top[np.repeat(np.arange(len(top)), counts)] == flat[:, None]).any(axis=1)
    return np.logical_or.reduceat(found, np.cumsum(counts) - counts)


def accuracy(correct: Bool[np.ndarray, "images"]) -> Figure:
    """The share that is right, with Wilson's interval.

    Raises:
      InputError: no image.
    """
    n = checks.same_length(correct=correct)
    return share(int(np.count_nonzero(correct)), n)


def mean_per_class(correct: Bool[np.ndarray, "images"], label: Int[np.ndarray, "images"], classes: int) -> Figure:
    """The mean of the classes' accuracies: each class counts alike, however many images it has.

    Classes without an image are left out of the mean (and named in the method).  The interval draws images anew within
    each class: the number that is right of class c is binomial.  Deviations are stretched by sqrt(n / (n - 1)), since n
    images drawn from themselves vary too little by that factor (Rao and Wu 1988); classes of one image, which show no
    spread by themselves, are drawn from all such classes together.  Where nothing varies (all right, or each class all
    right or all wrong) a bootstrap has no width, and Wilson's interval over the images is given.

    Args:
      correct: whether each image is right.
      label: its class.
      classes: how many there are.

    Raises:
      InputError: no image, lengths differ, or a label out of range.
    """
    images = checks.same_length(correct=correct, label=label)
    checks.within(label, classes)
    support = np.bincount(label, minlength=classes)
    right = np.bincount(label[correct], minlength=classes)[support > 0]
    absent, support = int((support == 0).sum()), support[support > 0]
    value = float((right / support).mean())
    said = f"; {absent} of {classes} classes have no image" if absent else ""
    deviations = _deviations(right, support)
    if not np.ptp(deviations):
        low, high = wilson(value * images, images)
        return Figure(value=value, low=low, high=high, n=images, method=f"Wilson over images{said}")
    low, high = middle_95(deviations)
    low, high = max(0.0, min(value, value + low)), min(1.0, max(value, value + high))
    return Figure(value=value, low=low, high=high, n=images, method=drawn("the images of each class") + said)


def _deviations(right: Int[np.ndarray, "classes"], support: Int[np.ndarray, "classes"]) -> Float64[np.ndarray, "draws"]:
    """Of the mean over classes, draw by draw."""
    lone = support == 1
    rates = np.where(lone, right[lone].mean() if lone.any() else 0.0, right / support)
    # Classes alike in size and rate are drawn as one: their counts add up to a binomial count again.
    kinds, alike = np.unique(np.stack([support, rates]), axis=1, return_counts=True)
    n, rate = kinds[0].astype(np.int64), kinds[1]
    stretch = np.sqrt(n / np.maximum(n - 1, 1))
    draws = np.random.default_rng(SEED).binomial(n * alike, rate, size=(DRAWS, len(n)))
    return ((draws / n - alike * rate) * stretch).sum(axis=1) / len(support)
