"""Results on standard output, and files that are written whole or not at all."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from lit.errors import OutputError
from lit.writing import replacing as replacing


def emit(text: str) -> None:
    """Writes a result and a line's end to standard output, at once.

    Raises:
      OutputError: the device behind standard output is full, say.
      BrokenPipeError: nobody reads any more; the run ends in silence.
    """
    try:
        click.echo(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is left in the buffer would fail again when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(f"standard output cannot be written: {error.strerror}.") from error


def emit_json(record: dict[str, Any]) -> None:
    """One object on one line (JSON Lines)."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    emit(json.dumps(record, ensure_ascii=not utf8))


def for_people() -> bool:
    """Whether standard output is a terminal; otherwise results are tab-separated lines."""
    return sys.stdout.isatty()


def emit_row(*cells: object) -> None:
    """One tab-separated line; tabs and line ends inside a cell become spaces."""
    emit("\t".join(" ".join(str(cell).splitlines()).replace("\t", " ") for cell in cells))


def terminal_width() -> int:
    """Columns."""
    import shutil

    return shutil.get_terminal_size().columns


def emit_renderable(renderable: Any) -> None:
    """A rich table or text, as wide as the terminal; in colour on a terminal, unless NO_COLOR is set."""
    import io

    from rich.console import Console

    rendered = io.StringIO()
    Console(
        file=rendered, width=terminal_width(), force_terminal=for_people(), emoji=False, markup=False, highlight=False
    ).print(renderable)
    emit(rendered.getvalue().rstrip("\n"))


def check_target(path: Path, suffixes: tuple[str, ...]) -> None:
    """Fails before the work where the writing would fail after it.

    Raises:
      OutputError: unknown suffix, a folder, or in a folder that is not there or not writable.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name a file in it, such as {path / ('result' + suffixes[0])}.")
    if path.suffix.lower() not in suffixes:
        raise OutputError(f"{path} has the suffix {path.suffix!r}; it must be one of {', '.join(suffixes)}.")
    if not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written: there is no folder {path.parent}; make it first.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path} cannot be written: the folder {path.parent} is not writable for you.")
