"""Streams cut into batches of a few fixed shapes, so that no batch compiles anew.

Nothing here knows about JAX: a batch is handed to a function that starts the computation and returns at once, and
its result is collected a little later, so that the host prepares the next batch while the device computes.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Int32

from lit.errors import InputError

_T = TypeVar("_T")
_R = TypeVar("_R")

#: Batches under way beside the one that is collected: one computing, one waiting for it.
IN_FLIGHT = 2


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


def pipelined(batches: Iterable[_T], start: Callable[[_T], _R], depth: int = IN_FLIGHT) -> Iterator[tuple[_T, _R]]:
    """Starts a computation for each batch and yields `(batch, result)` in order, `depth` further ones under way.

    `start` must return without waiting (JAX dispatches asynchronously); whoever takes the result waits for it.
    """
    under_way: deque[tuple[_T, _R]] = deque()
    for batch in batches:
        under_way.append((batch, start(batch)))
        if len(under_way) > depth:
            yield under_way.popleft()
    yield from under_way


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
