"""Reports as JSON files: exact both ways, and never read as something they are not.

A file is one JSON object: `format`, `version`, `sha256` and `report`.  The checksum is over the values of `report`, not
over its layout, so a file that was reformatted still loads and one in which a digit was changed does not.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lit.errors import InputError
from lit.report.plain import first_not_finite, from_plain, to_plain
from lit.report.report import Report
from lit.writing import write_text

FORMAT = "lit-report"
#: Stays while every new field has a default, which files written before it take; newer versions are refused.
VERSION = 1


def save(report: Report, path: str | Path) -> None:
    """Writes a report; a file that is there already is replaced in one step.

    Raises:
      InputError: the report holds a NaN or an infinity; says where.
      OutputError: the place cannot be written; what was there still is.
    """
    write_text(path, to_json(report))


def load(path: str | Path) -> Report:
    """Reads what `save` wrote; equal to what was saved in every field.

    Raises:
      InputError: no such file, no report, damaged, or written by a newer version.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        return from_json(content)
    except InputError as error:
        raise InputError(f"{path} {error}") from error


def to_json(report: Report) -> str:
    """The text of the file: strict JSON in ASCII, one line for each column."""
    plain = to_plain(report)
    try:
        sha256 = _checksum(plain)
    except ValueError as error:
        raise InputError(
            f"the report holds a figure that is not finite ({first_not_finite(plain)}) and was not written; leave out "
            "what could not be measured."
        ) from error
    head = f'"format": "{FORMAT}",\n"version": {VERSION},\n"sha256": "{sha256}",\n"report": '
    return "{\n" + head + "".join(_laid_out(plain, "")) + "\n}\n"


def from_json(content: str | bytes) -> Report:
    """The report in the text of a file.

    Raises:
      InputError: as `load`, in words that continue the name of the file.
    """
    try:
        whole = json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(f"is no JSON, or was cut off ({error}); a report is what `lit eval -o` writes.") from error
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise InputError(f'is not a report: it lacks "format": "{FORMAT}". A report is what `lit eval -o` writes.')
    version = whole.get("version")
    if version != VERSION:
        way_on = "pip install --upgrade lit-jax" if isinstance(version, int) and version > VERSION else "write it again"
        raise InputError(f"is a report of version {version!r}, and this lit reads version {VERSION}: {way_on}.")
    plain = whole.get("report")
    if _checksum(plain) != whole.get("sha256"):
        raise InputError("is damaged or was changed by hand: its figures do not match its checksum; run again.")
    try:
        return from_plain(Report, plain)
    except InputError as error:
        raise InputError(f"is not a whole report: {error}.") from error


def _checksum(plain: Any) -> str:
    said = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_of_numpy)
    return hashlib.sha256(said.encode()).hexdigest()


def _laid_out(plain: Any, indent: str) -> Iterator[str]:
    """Tables over several lines, lists of tables with one on each, columns on a single line."""
    inner, table = indent + " ", isinstance(plain, dict)
    if plain and table and len(indent) < 3:
        rows = (f"{json.dumps(key)}: {''.join(_laid_out(value, inner))}" for key, value in plain.items())
    elif isinstance(plain, list) and plain:
        rows = (json.dumps(row, default=_of_numpy) for row in plain)
    else:
        yield json.dumps(plain, separators=(", ", ": ") if table else (",", ":"), default=_of_numpy)
        return
    opens, closes = "{}" if table else "[]"
    yield f"{opens}\n{inner}" + f",\n{inner}".join(rows) + f"\n{indent}{closes}"


def _of_numpy(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a {type(value).__name__} has no place in a report")


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
