"""SIGTERM and Ctrl-C during a training: the step is finished and saved, then the run ends."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_CAUGHT = (signal.SIGTERM, signal.SIGINT)
#: What `Stop.requested` may be; where processes were told different things, the last of these holds for all.
REQUESTS = ("", *(number.name for number in _CAUGHT))


class Terminated(BaseException):
    """SIGTERM came where there was no step to finish."""


class Stop:
    """Whether the run shall end.

    Attributes:
      requested: the name of the signal that came, or "".
      patient: a signal only sets `requested`; otherwise it is raised at once, as KeyboardInterrupt or `Terminated`.
    """

    def __init__(self) -> None:
        self.requested = ""
        self.patient = False

    def __call__(self, number: int, frame: Any) -> None:
        """The handler.  A second Ctrl-C does not wait."""
        impatient = self.requested and number == signal.SIGINT
        self.requested = signal.Signals(number).name
        if impatient or not self.patient:
            raise KeyboardInterrupt if number == signal.SIGINT else Terminated


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Handles both signals in the block.  In a thread that is not the main one Python lets nobody: then none is."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop) for number in _CAUGHT}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
