"""Tables in files: CSV, TSV, JSON lines, Parquet."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lit.errors import DatasetError, MissingExtraError

#: Endings of a table's name.
SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")


def table_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rows: where each is ("line 3", "row 3"), and its cells by column.  In CSV and TSV every cell is text.

    Args:
      path: a file that ends in one of `SUFFIXES`; UTF-8.

    Raises:
      DatasetError: it cannot be read, or a line is not as it should be: which, and why.
      MissingExtraError: Parquet without pyarrow.
    """
    try:
        yield from _READERS[path.suffix.lower()](path)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} could not be read: {error}.") from error


def _csv_rows(path: Path, separator: str = ",") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """csv, not pandas: it tells the line of a row, also after cells with line breaks."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=separator, strict=True)
        try:
            header = next(rows, [])
            if twice := [name for name in dict.fromkeys(header) if header.count(name) > 1]:
                raise DatasetError(f"{path}, line 1: the column {twice[0]!r} is there twice; name each once.")
            for cells in rows:
                if not cells:
                    continue
                where = f"line {rows.line_num}"
                if len(cells) != len(header):
                    raise DatasetError(f"{path}, {where}: {len(cells)} cells; the header has {len(header)}.")
                yield where, dict(zip(header, cells, strict=True))
        except csv.Error as error:
            hint = "Is a quotation mark not closed?"
            raise DatasetError(f"{path} could not be read up to line {rows.line_num}: {error}. {hint}") from error


def _tsv_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return _csv_rows(path, "\t")


def _json_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                cells = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DatasetError(f"{path}, line {number} is not JSON: {error}.") from error
            if not isinstance(cells, dict):
                raise DatasetError(f"{path}, line {number} is {cells!r:.60}; each line should be an object.")
            yield f"line {number}", cells


def _parquet_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(f"reading {path}", "parquet") from error
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=4096):
                for cells in batch.to_pylist():
                    number += 1
                    yield f"row {number}", cells
    except pyarrow.ArrowException as error:
        raise DatasetError(f"{path} could not be read: {error}.") from error


_READERS = {".csv": _csv_rows, ".tsv": _tsv_rows, ".jsonl": _json_rows, ".parquet": _parquet_rows}
