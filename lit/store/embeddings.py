"""All stored embeddings of one model."""

import errno
import logging
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from lit.files import cache_directory
from lit.store.digest import DIGEST
from lit.store.segment import Segment, SegmentWriter
from lit.store.writing import checksums, refusals_told

_log = logging.getLogger("lit")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class EmbeddingStore:
    """Rows by the digest of their picture; `EmbeddingStore.open` makes one.

    Several processes may open the same store; each sees what the others had written when it opened it.

    Attributes:
      directory: where it lies.
      dim: the width of a row.
      writable: False once the folder turned out to take no file.
    """

    def __init__(self, directory: Path, dim: int) -> None:
        self.directory, self.dim = directory, dim
        self._writer: SegmentWriter | None = None
        self.writable = True
        self._unseen: set[bytes] = set()  # appended since this process last looked at its own segment
        # A later segment outranks an earlier one: there a damaged row was made again.
        paths = sorted(directory.glob("*.rows")) if directory.is_dir() else []
        self._segments = [Segment(path, dim) for path in paths]
        self._place: dict[bytes, tuple[int, int]] = {}
        for number in range(len(self._segments)):
            self._remember(number, 0)

    @classmethod
    def open(cls, fingerprint: str, dim: int, root: Path | None = None) -> "EmbeddingStore":
        """Opens the store of one model, or begins it with the first row.

        Args:
          fingerprint: names everything that determines an embedding, beside the picture; it becomes a folder's name.
          dim: the width of a row.
          root: `<cache>/embeddings` unless given.
        """
        return cls((root or cache_directory() / "embeddings") / fingerprint, dim)

    def __len__(self) -> int:
        return len(self._place)

    def __contains__(self, digest: bytes) -> bool:
        """Whether there is a row, sound or not; only `get` tells which."""
        return digest in self._place or digest in self._unseen

    def __enter__(self) -> "EmbeddingStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(
        self, digests: UInt8[np.ndarray, "images 32"]
    ) -> tuple[Float32[np.ndarray, "images dim"], Bool[np.ndarray, "images"]]:
        """The rows that are there.

        Returns:
          (images, dim), and which of them are known; the others are 0.  A row whose checksum is wrong is not known.
        """
        keys = _split(digests)
        if not self._unseen.isdisjoint(keys):
            self._see_own_rows()
        places = [self._place.get(key, (-1, -1)) for key in keys]
        segment, row = np.asarray(places, np.int64).reshape(-1, 2).T
        out, known = np.zeros((len(digests), self.dim), np.float32), segment >= 0
        expected = np.zeros(len(digests), np.uint32)
        for number in np.unique(segment[known]).tolist():
            here = np.flatnonzero(segment == number)
            source = self._segments[number]
            out[_range(here)] = source.rows[_range(row[here])]
            expected[here] = source.keys["crc"][row[here]]
        there = np.flatnonzero(known)
        damaged = there[checksums(digests[_range(there)], out[_range(there)]) != expected[there]]
        if damaged.size:
            _log.warning(
                "%d stored embeddings in %s are damaged; they count as not stored", len(damaged), self.directory
            )
            out[damaged], known[damaged] = 0, False
        return out, known

    def append(self, digests: UInt8[np.ndarray, "images 32"], rows: Float32[np.ndarray, "images dim"]) -> None:
        """Adds rows; from here on they survive the end of this process.

        A folder that cannot be written costs a warning, once: then nothing is stored.

        Raises:
          OutputError: the disk is full; what was stored before is kept.
        """
        if rows.shape != (len(digests), self.dim):
            raise ValueError(f"{len(digests)} digests and rows of shape {rows.shape}; the store's rows have {self.dim}")
        if self._writer is None and self.writable:
            self._writer = self._begin()
        if self._writer is not None and len(digests):
            self._writer.append(digests, rows)
            self._unseen.update(_split(digests))

    def close(self) -> None:
        """Lets go of the files; a row appended later goes into a new segment."""
        if self._writer is not None:
            self._see_own_rows()
            self._writer.close()
            self._writer = None

    def _begin(self) -> SegmentWriter | None:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            writer = SegmentWriter(self.directory)
        except OSError as error:
            if error.errno in _FULL:
                with refusals_told(self.directory):
                    raise
            _log.warning(
                "image embeddings cannot be kept in %s (%s); an interrupted run will begin anew. Set LIT_CACHE to a "
                "folder that can be written.",
                self.directory,
                error.strerror or error,
            )
            self.writable = False
            return None
        self._segments.append(Segment(writer.path, self.dim))
        return writer

    def _see_own_rows(self) -> None:
        assert self._writer is not None
        seen = len(self._segments[-1])
        self._segments[-1] = Segment(self._writer.path, self.dim)
        self._remember(len(self._segments) - 1, seen)
        self._unseen.clear()

    def _remember(self, number: int, start: int) -> None:
        keys = _split(self._segments[number].keys["digest"][start:])
        self._place.update((key, (number, start + row)) for row, key in enumerate(keys))


def _split(digests: np.ndarray) -> list[bytes]:
    content = digests.tobytes()
    return [content[at : at + DIGEST] for at in range(0, len(content), DIGEST)]


def _range(index: np.ndarray) -> np.ndarray | slice:
    """A slice where the positions are neighbours: it copies at once, and often need not copy."""
    if len(index) and index[-1] - index[0] == len(index) - 1 and (np.diff(index) == 1).all():
        return slice(int(index[0]), int(index[-1]) + 1)
    return index
