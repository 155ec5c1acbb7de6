"""One writer's share of a store: a file of rows, and a file of what they are the rows of."""

import os
import secrets
import time
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import Float32, UInt8

from lit.store.digest import DIGEST
from lit.store.writing import checksums, refusals_told

#: A digest, and the CRC of digest and row: damage to any of the three makes the row unknown, never wrong.
KEY = np.dtype([("digest", np.uint8, DIGEST), ("crc", "<u4")])


class Segment:
    """What is readable of a segment; a torn end is not a part of it.

    Args:
      rows_path: its file of rows; the keys lie beside it.
      dim: the width of a row.

    Attributes:
      keys: (n,) of type `KEY`.
      rows: (n, dim) float32, mapped from the file.
    """

    def __init__(self, rows_path: Path, dim: int) -> None:
        try:
            # Keys first: whoever is writing appends them last.
            self.keys = np.fromfile(rows_path.with_suffix(".keys"), KEY)
            n = min(len(self.keys), rows_path.stat().st_size // (4 * dim))
            self.keys = self.keys[:n]
            self.rows = np.memmap(rows_path, "<f4", "r", shape=(n, dim)) if n else np.zeros((0, dim), "<f4")
        except FileNotFoundError:  # killed before the second file, or somebody empties the cache
            self.keys, self.rows = np.zeros(0, KEY), np.zeros((0, dim), "<f4")

    def __len__(self) -> int:
        return len(self.keys)


class SegmentWriter:
    """Appends to a segment of its own.

    Args:
      directory: where; it must exist.

    Raises:
      OSError: no file can be made there.
    """

    def __init__(self, directory: Path) -> None:
        # In order of time, and of this process alone, whatever other machines write here.
        name = f"{time.time_ns():020}-{os.getpid()}-{secrets.token_hex(4)}"
        self.path = directory / f"{name}.rows"
        self._rows: IO[bytes] = self.path.open("xb", buffering=0)
        try:
            self._keys: IO[bytes] = self.path.with_suffix(".keys").open("xb", buffering=0)
        except OSError:
            self._rows.close()
            self.path.unlink(missing_ok=True)
            raise

    def append(self, digests: UInt8[np.ndarray, "images 32"], rows: Float32[np.ndarray, "images dim"]) -> None:
        """Adds rows; from here on they survive the end of this process.

        Raises:
          OutputError: no space is left, say; the segment is as it was.
        """
        keys = np.empty(len(digests), KEY)
        keys["digest"], keys["crc"] = digests, checksums(digests, rows)
        before = [(file, file.tell()) for file in (self._rows, self._keys)]
        with refusals_told(self.path):
            try:
                _write(self._rows, np.ascontiguousarray(rows, "<f4"))
                _write(self._keys, keys)
            except BaseException:  # Ctrl-C between the two as well: the next row must lie where its key says
                for file, size in before:
                    file.truncate(size)
                    file.seek(size)
                raise

    def close(self) -> None:
        """Lets go of the files."""
        self._rows.close()
        self._keys.close()


def _write(file: IO[bytes], array: np.ndarray) -> None:
    """All of it: an unbuffered file may take less than it is given, on a disk that is nearly full above all."""
    left = array.view(np.uint8).reshape(-1).data
    while left:
        left = left[file.write(left) :]
