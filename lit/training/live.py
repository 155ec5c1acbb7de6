"""One line that lives: how a training goes, on standard error."""

import sys
import time
from collections.abc import Mapping
from typing import Any

from lit.progress import duration

#: Seconds between two lines where nobody watches, and between two states of the line where somebody does.
_LINE_EVERY, _SHOW_EVERY = 10.0, 0.2


class Live:
    """Shows the newest figures: rewritten in place on a terminal, a line now and then elsewhere.

    Args:
      steps: of the whole run.
      enabled: False makes it silent.
    """

    def __init__(self, steps: int, *, enabled: bool) -> None:
        self._steps, self._enabled = steps, enabled
        self._in_place = enabled and sys.stderr.isatty()
        self._shown_at, self._width = time.monotonic(), 0

    def show(self, record: Mapping[str, Any]) -> None:
        """Shows a step, unless the last one was shown just now; the last step is always shown."""
        now = time.monotonic()
        often = _SHOW_EVERY if self._in_place else _LINE_EVERY
        if self._enabled and (now - self._shown_at >= often or record["step"] == self._steps):
            self._shown_at = now
            line = self.line(record)
            if self._in_place:
                sys.stderr.write("\r" + line.ljust(self._width))
                self._width = len(line)
            else:
                sys.stderr.write(line + "\n")
            sys.stderr.flush()

    def close(self) -> None:
        """Ends the line, so that the next message begins its own."""
        if self._in_place and self._width:
            sys.stderr.write("\n")
            sys.stderr.flush()
            self._width = 0

    def line(self, record: Mapping[str, Any]) -> str:
        """The figures of a step, as `lit.training.meter` makes them, in one line."""
        accuracy = (record["image_to_text"] + record["text_to_image"]) / 2
        left = (self._steps - record["step"]) * record["seconds_per_step"]
        return (
            f"step {record['step']:,} of {self._steps:,}, loss {record['loss']:.4g}, in batch {100 * accuracy:.1f} %, "
            f"logit scale {record['logit_scale']:.3g}, {record['pairs_per_second']:,.0f} pairs/s, "
            f"waiting {100 * record['waiting']:.0f} %, {duration(left)} left"
        )
