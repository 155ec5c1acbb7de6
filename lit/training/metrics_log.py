"""What a run measured, step by step: one JSON object a line, never more than the checkpoint knows of."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lit.store.writing import refusals_told
from lit.writing import write_text


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a log, up to the first that a kill cut off; none where there is no file."""
    if not path.is_file():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            break
    return lines


class MetricsLog:
    """Appends to a log.

    Args:
      path: of the file.
      step: what was logged for later steps is dropped: those steps will be done again.

    Raises:
      OutputError: it cannot be written.
    """

    def __init__(self, path: Path, *, step: int) -> None:
        self._path = path
        if path.is_file():
            kept = [line for line in read_metrics(path) if line["step"] <= step]
            write_text(path, "".join(map(_line, kept)))
        with refusals_told(path):
            self._file = path.open("a", encoding="utf-8")

    def __enter__(self) -> "MetricsLog":
        return self

    def __exit__(self, *failed: object) -> None:
        self._file.close()

    def append(self, record: Mapping[str, Any]) -> None:
        """One line; it is with the system when this returns."""
        with refusals_told(self._path):
            self._file.write(_line(record))
            self._file.flush()


def _line(record: Mapping[str, Any]) -> str:
    # JSON has no NaN and no infinity; other readers than Python's refuse them.
    finite = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in record.items()}
    return json.dumps(finite, allow_nan=False) + "\n"
