"""Keeps Pillow's warnings from the user: what they are about is either defined here or an error."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_lock = threading.Lock()
_inside = 0
_entry: Any = None


@contextmanager
def quiet() -> Iterator[None]:
    """Ignores warnings from PIL while any thread is inside.

    `warnings.catch_warnings` restores the process's filters when a thread leaves, also under the feet of another one;
    this counts the threads instead.
    """
    global _inside, _entry
    with _lock:
        if _inside == 0:
            warnings.filterwarnings("ignore", module=r"PIL\.")
            _entry = warnings.filters[0]
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            # Somebody's catch_warnings may have exchanged the list in the meantime.
            if _inside == 0 and _entry in warnings.filters:
                warnings.filters.remove(_entry)  # pyright: ignore[reportAttributeAccessIssue]
