"""What stored rows have in common, wherever they are kept: a checksum, and what is said when the system refuses."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8, UInt32

from lit.errors import OutputError
from lit.store.digest import DIGEST


@contextmanager
def refusals_told(path: Path) -> Iterator[None]:
    """Turns a failure to write into one that says where and what to do.

    Raises:
      OutputError: the disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{path} could not be written: {error.strerror or error}. What was done is kept; free some space or make "
            "the folder writable, and run the same command again."
        ) from error


def checksums(
    digests: UInt8[np.ndarray, "images 32"], rows: Float32[np.ndarray, "images dim"]
) -> UInt32[np.ndarray, "images"]:
    """CRC-32 of each digest and its row, one after the other, as stored."""
    keys, values = digests.tobytes(), np.ascontiguousarray(rows, "<f4").view(np.uint8).reshape(-1).data
    width, crc = 4 * rows.shape[1], zlib.crc32
    starts = zip(range(0, len(keys), DIGEST), range(0, len(values), width), strict=True)
    return np.asarray([crc(values[v : v + width], crc(keys[k : k + DIGEST])) for k, v in starts], np.uint32)
