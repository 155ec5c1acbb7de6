"""Memory that a thread uses again for every picture.

A fresh array of a few hundred kilobytes is mapped by the system page by page and given back at once: measured, a fifth
of the time of a small photograph and up to a third of a large one.  What is allocated here never leaves the functions
that borrow it.
"""

import math
import threading

import numpy as np
from numpy.typing import DTypeLike

#: Bytes; a larger array is not kept.  64 MiB hold a photograph of 22 million pixels.
LARGEST_KEPT = 64 * 2**20


class Workspace(threading.local):
    """Named arrays, one set for each thread; freed when the thread ends."""

    def __init__(self) -> None:
        self._memory: dict[str, np.ndarray] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint8) -> np.ndarray:
        """An uninitialised C-contiguous array; valid until this thread asks for the same name again."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        memory = self._memory.get(name)
        if memory is None or memory.size < size:
            memory = np.empty(size, np.uint8)
            if size <= LARGEST_KEPT:
                self._memory[name] = memory
        return memory[:size].view(dtype).reshape(shape)


WORKSPACE = Workspace()
