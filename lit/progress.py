"""Progress on standard error: a bar where somebody watches, a line now and then where nobody does."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds between two lines where standard error is not a terminal.
_LINE_EVERY = 10.0


@contextmanager
def progress(what: str, total: int | None, *, enabled: bool = True, unit: str = "") -> Iterator[Callable[[int], None]]:
    """Yields a function that is told how many more are done.

    Args:
      what: one or two words ("embedding texts").
      total: how many there will be; None when nobody knows.
      enabled: False makes it silent.
      unit: what is counted ("images"); with one, it is also shown how fast they come, and when the last will.
    """
    if not enabled:
        yield lambda n: None
    elif sys.stderr.isatty():
        with _bar(what, total, unit) as advance:
            yield advance
    else:
        yield _lines(what, total, unit)


@contextmanager
def _bar(what: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Of the last half minute or so; what was known before came fast, and says nothing of what is left."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.1f} {unit}/s" if task.speed else "", style="progress.data.speed")

    if unit == "bytes":
        count = (DownloadColumn(), TransferSpeedColumn())
    else:
        count = (MofNCompleteColumn(), *([Rate()] if unit else []))
    columns = (TextColumn("{task.description}"), BarColumn(), *count, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=total)
        yield lambda n: bars.advance(task, n)


def _lines(what: str, total: int | None, unit: str) -> Callable[[int], None]:
    done, said, said_at, told = 0, 0, time.monotonic(), 0

    def advance(n: int) -> None:
        nonlocal done, said, said_at, told
        done, told = done + n, told + 1
        now = time.monotonic()
        if now - said_at >= _LINE_EVERY:
            of = f" of {total:,}" if total is not None else ""
            # Since the last line: what was known before came fast, and says nothing of what is left.
            # A first step after a long start says nothing of the speed.
            speed = (done - said) / (now - said_at) if told > 1 else 0.0
            rate = _rate(speed, None if total is None else total - done, unit)
            print(f"{what}: {done:,}{of} {unit}".rstrip() + rate, file=sys.stderr, flush=True)
            said, said_at = done, now

    return advance


def _rate(per_second: float, left: int | None, unit: str) -> str:
    if not unit or not per_second:
        return ""
    shown = f", {per_second / 1e6:,.1f} MB/s" if unit == "bytes" else f", {per_second:,.1f} {unit}/s"
    return shown if left is None else f"{shown}, {duration(left / per_second)} left"


def duration(seconds: float) -> str:
    """Such as "3 h 05 min", "2 min 10 s", "8 s"."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
