"""95 % intervals: Wilson's for a share, and what the bootstraps have in common.

Every bootstrap here draws `DRAWS` times with the fixed `SEED`, so that a figure has one interval.
"""

import numpy as np
from jaxtyping import Float64

from lit.errors import InputError
from lit.metrics.figure import Figure

DRAWS = 1000
SEED = 0
#: The 97.5 % point of the standard normal distribution: scipy.stats.norm.ppf(0.975).
Z = 1.959963984540054


def wilson(hits: int | float, n: int) -> tuple[float, float]:
    """Wilson's score interval of a share, without continuity correction.

    Unlike "share +- 1.96 standard errors" it stays within [0, 1], and is not empty where all or none are right.

    Args:
      hits: how many of the n; need not be whole (a mean of rates times n).
      n: at least 1.

    Source: Wilson 1927; Brown, Cai and DasGupta, Interval estimation for a binomial proportion, 2001, recommend it.
      Equal to scipy.stats.binomtest(hits, n).proportion_ci(method="wilson").
    """
    if n < 1 or not 0 <= hits <= n:
        raise InputError(f"{hits} of {n} is no share: n must be at least 1, and the hits between 0 and n.")
    p = hits / n
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * (p * (1 - p) / n + Z * Z / (4 * n * n)) ** 0.5
    # At the ends rounding leaves 1e-17 where the formula gives 0 and 1.
    return (0.0 if hits == 0 else max(0.0, middle - half)), (1.0 if hits == n else min(1.0, middle + half))


def share(hits: int, n: int) -> Figure:
    """A share with Wilson's interval."""
    low, high = wilson(hits, n)
    return Figure(value=hits / n, low=low, high=high, n=n, method="Wilson")


def middle_95(draws: Float64[np.ndarray, "draws"]) -> tuple[float, float]:
    """What leaves 2.5 % of the draws on either side."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def drawn(over: str) -> str:
    """A bootstrap in words, for `Figure.method`."""
    return f"bootstrap over {over}, {DRAWS} draws, seed {SEED}"
