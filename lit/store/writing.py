"""What stored rows have in common, wherever they are kept: a checksum, and what is said when the system refuses."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
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


@contextmanager
def one_at_a_time(place: Path, busy: str, *, named: Path | None = None) -> Iterator[None]:
    """Lets one process into the block; `place` is a file that is made for it, and stays.

    Args:
      place: the lock.
      busy: what to say where another process is in the block.
      named: what a message calls the place, where it cannot be written.

    Raises:
      OutputError: another process is at it, or no file can be made there.
    """
    lock = filelock.FileLock(place, timeout=0)
    with refusals_told(named or place):
        # First, because filelock takes a place where no file can be made for a lock that another process holds.
        place.touch()
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise OutputError(busy) from error
    try:
        yield
    finally:
        lock.release()


def checksums(
    digests: UInt8[np.ndarray, "images 32"], rows: Float32[np.ndarray, "images dim"]
) -> UInt32[np.ndarray, "images"]:
    """CRC-32 of each digest and its row, one after the other, as stored."""
    keys, values = digests.tobytes(), np.ascontiguousarray(rows, "<f4").view(np.uint8).reshape(-1).data
    width, crc = 4 * rows.shape[1], zlib.crc32
    starts = zip(range(0, len(keys), DIGEST), range(0, len(values), width), strict=True)
    return np.asarray([crc(values[v : v + width], crc(keys[k : k + DIGEST])) for k, v in starts], np.uint32)
