"""A measured figure never stands without its interval."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure with its 95 % interval.

    Attributes:
      value, low, high: fractions (0.737 for 73.7 %).
      n: how many examples (queries, classes) it is over.
      method: how the interval was made ("Wilson", "bootstrap over images, 1000 draws, seed 0").
    """

    value: float
    low: float
    high: float
    n: int
    method: str
