"""Streams cut into batches of one fixed shape, so that no batch compiles anew.

Nothing here knows about JAX: a batch is handed to a function that starts the computation and returns at once, and
its result is collected a little later, so that the host prepares the next batch while the device computes.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

import numpy as np

_T = TypeVar("_T")
_R = TypeVar("_R")

#: Batches under way at once: one computing, one waiting for it.
IN_FLIGHT = 2


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


def pipelined(batches: Iterable[_T], start: Callable[[_T], _R], depth: int = IN_FLIGHT) -> Iterator[tuple[_T, _R]]:
    """Starts a computation for each batch and yields `(batch, result)` in order, `depth` of them under way at a time.

    `start` must return without waiting (JAX dispatches asynchronously); whoever takes the result waits for it.
    """
    under_way: deque[tuple[_T, _R]] = deque()
    for batch in batches:
        under_way.append((batch, start(batch)))
        if len(under_way) > depth:
            yield under_way.popleft()
    yield from under_way
