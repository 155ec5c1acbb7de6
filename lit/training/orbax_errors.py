"""What Orbax and TensorStore raise, and what they leave behind when they do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without_echoes() -> Iterator[None]:
    """Where one of many reads or writes fails, Orbax drops the others, and Python prints each as it is collected."""
    hook = sys.unraisablehook

    def other_than_orbax(found: Any) -> None:
        if not issubclass(found.exc_type, Exception | GeneratorExit):
            hook(found)  # Ctrl-C, say

    sys.unraisablehook = other_than_orbax
    try:
        yield
    finally:
        sys.unraisablehook = hook


def by_orbax(error: BaseException) -> bool:
    """Whether it is what Orbax and TensorStore raise when files are damaged or the system refuses.

    Some of it is a plain `Exception`, which nothing narrower catches.
    """
    return isinstance(error, OSError | ValueError | KeyError | TypeError | EOFError) or type(error) is Exception


def first_line(error: BaseException) -> str:
    """Of its message, so that it fits into a sentence."""
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__)[:300]
