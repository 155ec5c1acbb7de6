"""One choice of an explained gap."""

import dataclasses

from lit.metrics.figure import Figure


@dataclasses.dataclass(frozen=True, kw_only=True)
class GapStep:
    """A choice, and what it costs.

    Attributes:
      factor: what was varied ("templates").
      before, after: its two values in words.
      figure: top-1 with `after`.
      delta, low, high: the paired difference to the figure with `before`, on the same images, a fraction, and its 95 %
        interval.
    """

    factor: str
    before: str
    after: str
    figure: Figure
    delta: float
    low: float
    high: float

    @property
    def start(self) -> float:
        """Top-1 with `before`."""
        return self.figure.value - self.delta
