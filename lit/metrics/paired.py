"""Two answers to the same images: whether their difference is more than chance."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from lit.metrics import checks
from lit.metrics.intervals import DRAWS, SEED, Z, drawn, middle_95

#: Below so many images on which the two differ, the exact test and a closed interval.
FEW = 25


@dataclasses.dataclass(frozen=True, kw_only=True)
class Paired:
    """How much more often B is right than A, on the same images.

    Attributes:
      difference: accuracy of B less that of A, a fraction.
      low, high: its 95 % interval.
      p: the probability of so lopsided a split, or worse, among the images on which they differ, were A and B equal.
      only_a, only_b: images that only A, and only B, has right.
      n: images.
      method: how interval and p were made.
    """

    difference: float
    low: float
    high: float
    p: float
    only_a: int
    only_b: int
    n: int
    method: str

    @property
    def sentence(self) -> str:
        """The result in plain words, the two called A and B."""
        return self.in_words("A", "B")

    def in_words(self, a: str, b: str) -> str:
        """The result in plain words.

        Args:
          a, b: what to call the two.
        """
        p = "p < 0.0001" if self.p < 0.0001 else f"p = {self.p:.{4 if self.p < 0.01 else 2}f}"
        digits = 1 if self.high - self.low >= 0.002 else 2
        low, high = (self.low, self.high) if self.only_b >= self.only_a else (-self.high, -self.low)
        found = f"95 % interval {100 * low:.{digits}f} to {100 * high:.{digits}f}; McNemar {p}"
        if self.only_a == self.only_b:
            differ = f"they differ on {2 * self.only_a:,}" if self.only_a else "on the very same ones"
            return f"{a} and {b} are right equally often on the same {self.n:,} images ({differ}; {found})."
        better, worse = (b, a) if self.only_b > self.only_a else (a, b)
        verdict = "the difference is unlikely to be chance" if self.p < 0.05 else "the difference may well be chance"
        return (
            f"{better} is right on {100 * abs(self.difference):.{digits}f} points more than {worse} of the same "
            f"{self.n:,} images ({found}): {verdict}."
        )


def mcnemar(
    correct_a: Bool[np.ndarray, "images"] | Sequence[bool], correct_b: Bool[np.ndarray, "images"] | Sequence[bool]
) -> Paired:
    """McNemar's test of two classifiers on the same images, and the interval of the difference of their accuracies.

    Only images on which the two differ say which is better; were they equal, either would win half of them.  With fewer
    than 25 such images the exact binomial test is used, which errs on the careful side; with more its mid-p version,
    which is neither careful nor bold there, and better than the chi-square approximation at every size.

    The interval draws images anew in pairs (percentiles of the bootstrap); below 25 it is Bonett and Price's, which is
    right for few, and not empty for none.

    Args:
      correct_a, correct_b: whether each image is right, in the same order.

    Raises:
      InputError: no image, or lengths differ.

    Source: McNemar 1947; Fagerland, Lydersen and Laake, The McNemar test for binary matched-pairs data: mid-p and
      asymptotic are better than exact conditional, 2013; Bonett and Price, Adjusted Wald confidence interval for a
      difference of binomial proportions based on paired data, 2012.
    """
    n = checks.same_length(correct_a=correct_a, correct_b=correct_b)
    right_a, right_b = np.asarray(correct_a, bool), np.asarray(correct_b, bool)
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    few = only_a + only_b < FEW
    low, high = _closed(only_a, only_b, n) if few else _drawn(only_a, only_b, n)
    interval = "Bonett-Price interval" if few else drawn("images, in pairs")
    return Paired(
        difference=(only_b - only_a) / n,
        low=low,
        high=high,
        p=_p(only_a, only_b, exact=few),
        only_a=only_a,
        only_b=only_b,
        n=n,
        method=f"{interval}; McNemar, {'exact' if few else 'mid-p'}",
    )


def _p(only_a: int, only_b: int, *, exact: bool) -> float:
    from scipy.special import bdtr  # half a second to import, and only a comparison needs it

    less, n = min(only_a, only_b), only_a + only_b
    tail = float(bdtr(less, n, 0.5)) if n else 1.0
    # Mid-p counts the observed split half, on either side.
    return min(1.0, 2 * tail) if exact else tail + (float(bdtr(less - 1, n, 0.5)) if less else 0.0)


def _closed(only_a: int, only_b: int, n: int) -> tuple[float, float]:
    a, b = (only_a + 1) / (n + 2), (only_b + 1) / (n + 2)
    half = Z * ((a + b - (b - a) ** 2) / (n + 2)) ** 0.5
    return max(-1.0, b - a - half), min(1.0, b - a + half)


def _drawn(only_a: int, only_b: int, n: int) -> tuple[float, float]:
    """Images fall into three kinds, so a resample of them is a multinomial draw of three counts.

    Exchanging A and B turns the interval around, exactly: the draw is made for the smaller and the larger count.
    """
    less, more = sorted((only_a, only_b))
    counts = np.random.default_rng(SEED).multinomial(n, np.asarray([less, more, n - less - more]) / n, size=DRAWS)
    low, high = middle_95((counts[:, 1] - counts[:, 0]) / n)
    if less == more:
        return (low - high) / 2, (high - low) / 2
    return (low, high) if only_b == more else (-high, -low)
