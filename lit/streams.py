"""Streams cut into batches of a few fixed shapes, so that no batch compiles anew.

Nothing here knows about JAX: a batch is handed to a function that starts the computation and returns at once, and
its result is collected a little later, so that the host prepares the next batch while the device computes.
"""

import dataclasses
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Int32

from lit.errors import InputError

_T = TypeVar("_T")

#: Batches under way beside the one that is collected.
IN_FLIGHT = 2
#: Batches that compute side by side.  On a CPU they fill the gaps in which one batch waits for the slowest core: 95
#: images/s instead of 75 (embedded model, 2 cores of an AMD EPYC; eval/speed_evaluate.py side).  On an accelerator one
#: computes while the next is being sent.
SIDE_BY_SIDE = 2


@dataclasses.dataclass
class Clock:
    """How long the parts of a stream were busy, in seconds; filled while it runs.

    Attributes:
      decode: decoding and resizing: processor time, summed over threads.
      tower: while at least one batch was under way; the first includes compilation.
    """

    decode: float = 0.0
    tower: float = 0.0

    def __post_init__(self) -> None:
        self._lock, self._under_way, self._since = threading.Lock(), 0, 0.0

    @contextmanager
    def decoding(self) -> Iterator[None]:
        """Adds the processor time that the calling thread spends in the block."""
        began = time.thread_time()
        try:
            yield
        finally:
            with self._lock:
                self.decode += time.thread_time() - began

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Adds the time in which at least one thread is in such a block."""
        with self._lock:
            if not self._under_way:
                self._since = time.perf_counter()
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1
                if not self._under_way:
                    self.tower += time.perf_counter() - self._since


def collection(items: Any, what: str) -> Iterable[Any]:
    """The items, unless this iterates over something else: a lone path, text, file or picture.

    Raises:
      InputError: it does, or it does not iterate at all; the message says how to write it.
    """
    shape = tuple(items.shape) if hasattr(items, "shape") else ()
    # Rows of a grey picture, and of a colour picture, are no pictures; (n, h, w) is a stack of grey ones.
    one_picture = len(shape) == 2 or (len(shape) == 3 and shape[-1] in (1, 3, 4))
    lone = isinstance(items, str | bytes | bytearray | memoryview | os.PathLike) or hasattr(items, "read")
    if lone or one_picture:
        kind = f"array of shape {shape}" if one_picture else type(items).__name__
        shown = "array" if one_picture else f"{items!r:.40}"  # an array's repr has many lines
        raise InputError(f"{what} is a single {kind}; wrap it in a list: [{shown}].")
    if not isinstance(items, Iterable) or (hasattr(items, "shape") and not shape):
        raise InputError(f"{what} is a {type(items).__name__}; it must be an iterable of {what}.")
    return items


def chunks(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Lists of `size` items in order; the last may be shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def pad_rows(rows: list[np.ndarray], size: int) -> np.ndarray:
    """Stacks arrays of one shape and repeats the last one until there are `size`.

    Repeating a real row keeps the padding's values finite whatever the tower does with them.
    """
    return np.stack(rows + rows[-1:] * (size - len(rows)))


def pipelined(
    batches: Iterable[_T],
    start: Callable[[_T], Any],
    *,
    depth: int = IN_FLIGHT,
    clock: Clock | None = None,
) -> Generator[tuple[_T, np.ndarray], None, None]:
    """Starts a computation for each batch and yields `(batch, result)` in order, `depth` further ones under way.

    Args:
      batches: taken one at a time, as the computations before them end.
      start: returns without waiting (JAX dispatches asynchronously) with something that `numpy.asarray` waits for.  It
        is called in other threads, by one at a time.
      depth: computations under way while the caller prepares a batch.
      clock: is told how long they took.
    """
    under_way: deque[tuple[_T, Future[np.ndarray]]] = deque()
    alone, clock = threading.Lock(), clock or Clock()

    def compute(batch: _T) -> np.ndarray:
        with clock.computing():
            with alone:  # or two threads would compile the same program
                result = start(batch)
            return np.asarray(result)

    pool = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="lit-tower")
    try:
        for batch in batches:
            under_way.append((batch, pool.submit(compute, batch)))
            if len(under_way) > depth:
                batch, result = under_way.popleft()
                yield batch, result.result()
        for batch, result in under_way:
            yield batch, result.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def ahead(items: Iterable[_T], depth: int) -> Generator[_T, None, None]:
    """Iterates in a thread of its own, at most `depth` items further than its caller has got.

    An error of `items` comes out where the item would have.  Closing it closes `items` and ends the thread.
    """
    iterator, end = iter(items), object()
    pool = ThreadPoolExecutor(1, thread_name_prefix="lit-reader")
    try:
        waiting = deque(pool.submit(next, iterator, end) for _ in range(depth))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(pool.submit(next, iterator, end))
            yield item  # pyright: ignore[reportReturnType]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if isinstance(iterator, Generator):
            iterator.close()


def by_length(tokens: Int32[np.ndarray, "texts tokens"], *, shortest: int) -> list[tuple[int, list[int]]]:
    """Groups rows by how many columns they need up to their last id that is not 0.

    A row's own length alone decides, never its neighbours', so a row always runs at the same shape.

    Args:
      tokens: ids, 0 for padding.
      shortest: lengths are rounded up to this times a power of two, so that there are few; never beyond the columns.

    Returns:
      (columns, positions of the rows), shortest first, no group empty.
    """
    lengths = [min(shortest, tokens.shape[1])]
    while lengths[-1] < tokens.shape[1]:
        lengths.append(min(2 * lengths[-1], tokens.shape[1]))
    used = np.max(np.where(tokens != 0, np.arange(1, tokens.shape[1] + 1), 1), axis=1)
    fits = np.searchsorted(lengths, used)
    return [(n, np.flatnonzero(fits == i).tolist()) for i, n in enumerate(lengths) if (fits == i).any()]
