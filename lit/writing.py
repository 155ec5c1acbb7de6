"""Files that are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lit.errors import OutputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`, and puts it in the place of `path` when the block has succeeded.

    Raises:
      OutputError: the system refused to write; nothing half-written is left, and what was at `path` still is.
    """
    # A fixed name: what a kill leaves behind is overwritten by the next run.
    temporary = path.with_name(f".{path.name}.lit-tmp")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{path} could not be written: {error.strerror or error}. Nothing half-written was left; free some space "
            "or choose another place."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Writes UTF-8; a character that UTF-8 cannot hold (half a surrogate pair, from a file name) becomes "?".

    Raises:
      OutputError: `path` is a folder, its folder is not there, or the system refused.
    """
    path = Path(path)
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written: there is no folder {path.parent}; make it first.")
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode("utf-8", "replace"))
