"""Reads the files that hold prompts and class names: one entry per line, `#` for comments."""

import dataclasses
import re
from pathlib import Path
from typing import Literal

from lit import resources
from lit.errors import PromptError, UnknownNameError

#: A comment of this form at the top of a file is kept, as "source" or "licence".
_FIELD = re.compile(r"#\s*(source|licence)\s*:\s*(.+)")


@dataclasses.dataclass(frozen=True)
class ListFile:
    """What a file says.

    Attributes:
      name: the file's, without folder and suffix.
      path: for messages.
      entries: (line number, text) in order, without comments and empty lines, spaces at either end removed.
      source, licence: from the header; empty where it has none.
    """

    name: str
    path: str
    entries: tuple[tuple[int, str], ...]
    source: str
    licence: str


def packaged(kind: Literal["templates", "classes"]) -> dict[str, Path]:
    """Name -> file of the lists that travel with lit."""
    folder = resources.directory("prompts") / kind
    return {path.stem: path for path in sorted(folder.glob("*.txt"))}


def find(name_or_path: str | Path, *, folder: Literal["templates", "classes"], kind: str) -> Path:
    """The file that is meant: a packaged list by name, or else a path.

    Raises:
      UnknownNameError: neither a packaged name nor something that looks like a path.
      PromptError: a path where no file is.
    """
    known = packaged(folder)
    if isinstance(name_or_path, str) and name_or_path in known:
        return known[name_or_path]
    if not str(name_or_path).strip():
        raise PromptError(f"the {kind} has an empty name; give a text file, or one of the names {', '.join(known)}.")
    path = Path(name_or_path)
    there = _what_is(path)
    if there == "a file":
        return path
    if there == "not there" and folder == "templates" and "{}" in str(name_or_path):
        raise PromptError(
            f"{name_or_path!r} is a template, not the name of a prompt set; give a list of templates, or a text file "
            "with one per line."
        )
    if there == "not there" and isinstance(name_or_path, str) and len(path.parts) < 2 and not path.suffix:
        raise UnknownNameError(kind, name_or_path, known, hint="A path to a text file works too.")
    raise PromptError(f"{path} is {there}; give a text file, or one of the names {', '.join(known)}.")


def _what_is(path: Path) -> Literal["a file", "a folder", "not there"]:
    try:
        return "a file" if path.is_file() else "a folder" if path.is_dir() else "not there"
    except OSError:  # a name that no file system takes
        return "not there"


def read(path: Path) -> ListFile:
    """Reads a list.

    The encoding is UTF-8, with or without a byte order mark; lines may end as on Windows.

    Raises:
      PromptError: the file cannot be read, is not UTF-8, or holds no entry.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise PromptError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        bad = error.object[error.start]
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PromptError(f"{path}, line {line}: byte 0x{bad:02x} is not UTF-8; save the file as UTF-8.") from error
    if "\0" in text:
        raise PromptError(f"{path} holds a NUL character, so it is no text file; give one entry per line, in UTF-8.")
    lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    fields = {match[1]: match[2] for line in lines if (match := _FIELD.match(line))}
    entries = tuple((i, line) for i, line in enumerate(lines, 1) if line and not line.startswith("#"))
    if not entries:
        raise PromptError(f"{path} holds no entry; write one per line (lines that begin with # are comments).")
    return ListFile(path.stem, str(path), entries, fields.get("source", ""), fields.get("licence", ""))
