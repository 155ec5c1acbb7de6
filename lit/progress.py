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
      unit: what is counted ("images"); "bytes" also shows how fast they come.
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
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    count = (DownloadColumn(), TransferSpeedColumn()) if unit == "bytes" else (MofNCompleteColumn(),)
    columns = (TextColumn("{task.description}"), BarColumn(), *count, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=total)
        yield lambda n: bars.advance(task, n)


def _lines(what: str, total: int | None, unit: str) -> Callable[[int], None]:
    done, said = 0, time.monotonic()

    def advance(n: int) -> None:
        nonlocal done, said
        done += n
        if time.monotonic() - said >= _LINE_EVERY:
            said = time.monotonic()
            of = f" of {total:,}" if total is not None else ""
            print(f"{what}: {done:,}{of} {unit}".rstrip(), file=sys.stderr, flush=True)

    return advance
