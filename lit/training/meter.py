"""How fast a training goes, and how much of it is waiting for data."""

from collections import deque

#: Steps that the figures are over: recent, and enough that one slow step does not jump out.
_WINDOW = 50


class Meter:
    """Is told of every step.

    Args:
      pairs: of a step, over all devices and processes.
    """

    def __init__(self, pairs: int) -> None:
        self._pairs, self._told = pairs, 0
        self._steps: deque[tuple[float, float]] = deque(maxlen=_WINDOW)

    def add(self, seconds: float, waited: float) -> None:
        """A step took so long, of which it waited so long for its batch.  The first, which compiles, is forgotten."""
        if self._told == 1:
            self._steps.clear()
        self._told += 1
        self._steps.append((seconds, waited))

    @property
    def figures(self) -> dict[str, float]:
        """`seconds_per_step`, `pairs_per_second`, and `waiting`, a share of the time."""
        seconds, waited = (sum(column) for column in zip(*self._steps, strict=True))
        return {
            "seconds_per_step": seconds / len(self._steps),
            "pairs_per_second": self._pairs * len(self._steps) / seconds if seconds else 0.0,
            "waiting": waited / seconds if seconds else 0.0,
        }
