"""Where the figures and the words of a run go: its log, TensorBoard's events, and standard error."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lit.training.events import Events
from lit.training.live import Live
from lit.training.metrics_log import MetricsLog
from lit.training.workplace import METRICS


class Reporter:
    """Says and writes down how a run goes.

    Args:
      output: the folder of the run.
      steps: of the whole run.
      shows: on standard error.
      writes: in the folder; of several processes one does.
    """

    def __init__(self, output: Path, steps: int, *, shows: bool, writes: bool) -> None:
        self._output, self._shows, self._writes = output, shows, writes
        self._live = Live(steps, enabled=shows)
        self._log: MetricsLog | None = None
        self._events: Events | None = None

    @contextmanager
    def recording(self, step: int) -> Iterator[None]:
        """In this block figures are written down; those of steps after `step` are dropped, for they come again.

        Raises:
          OutputError: the folder cannot be written.
        """
        with ExitStack() as stack:
            if self._writes:
                self._log = stack.enter_context(MetricsLog(self._output / METRICS, step=step))
                if find_spec("tensorboard"):
                    self._events = stack.enter_context(Events(self._output, step=step))
            yield

    def report(self, record: Mapping[str, Any]) -> None:
        """The figures of a step, as `lit.training.loop` makes them, or of a suite: "step" and others.

        Raises:
          OutputError: they cannot be written.
        """
        if self._log is not None:
            self._log.append(record)
        if self._events is not None:
            self._events.append(record["step"], {name: value for name, value in record.items() if name != "step"})
        if "loss" in record:
            self._live.show(record)

    def say(self, message: str) -> None:
        """One line for people."""
        self.end_line()
        if self._shows:
            print(message, file=sys.stderr, flush=True)

    def end_line(self) -> None:
        """Ends the line that shows the newest step, so that what comes next begins its own."""
        self._live.close()
