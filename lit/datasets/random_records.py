"""ArrayRecord files read by number, from several threads."""

import bisect
import itertools
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from lit.datasets import guest
from lit.datasets.records import Piece, damaged
from lit.errors import DatasetError, MissingExtraError

#: Files that are kept open; a process may often open no more than 1024.
_OPEN = 128


class RandomRecords:
    """The records of some pieces by their position in all of them.

    A copy in another process opens the files anew.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = tuple(pieces)
        self._ends = list(itertools.accumulate(piece.take for piece in pieces))
        self._begin()

    def _begin(self) -> None:
        self._lock, self._readers = threading.Lock(), OrderedDict[str, Any]()

    def __getstate__(self) -> dict[str, Any]:
        return {"_pieces": self._pieces, "_ends": self._ends}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def place(self, position: int) -> tuple[Piece, int]:
        """The piece of a record, and its position in the file."""
        if not 0 <= position < self._ends[-1]:
            raise IndexError(f"there is no record {position}; there are {self._ends[-1]}")
        number = bisect.bisect_right(self._ends, position)
        piece = self._pieces[number]
        return piece, piece.skip + piece.take - (self._ends[number] - position)

    def read(self, position: int) -> bytes:
        """One record.

        Raises:
          MissingExtraError: array_record is not installed.
          DatasetError: the file is damaged, or holds fewer records than it should.
        """
        piece, at = self.place(position)
        try:
            return self._reader(piece).read([at])[0]
        except (OSError, ValueError, RuntimeError, IndexError) as error:
            raise DatasetError(damaged(piece, at, str(error))) from error

    def _reader(self, piece: Piece) -> Any:
        with self._lock:
            if piece.path not in self._readers:
                self._readers[piece.path] = _opened(piece)
                if len(self._readers) > _OPEN:  # closed with its last user, who may be reading
                    self._readers.popitem(last=False)
            self._readers.move_to_end(piece.path)
            return self._readers[piece.path]


def _opened(piece: Piece) -> Any:
    if not guest.has("array_record"):
        raise MissingExtraError("reading ArrayRecord files", "arrayrecord")
    from array_record.python.array_record_module import ArrayRecordReader

    reader = ArrayRecordReader(piece.path, options="readahead_buffer_size:0", file_reader_buffer_size=1 << 15)
    if reader.num_records() < piece.skip + piece.take:
        raise IndexError(f"there are {reader.num_records()} records")
    return reader
