"""What an interrupted `lit embed` has done: embeddings keyed by the content of the picture.

A file beside the output: one line of JSON that says which model made the rows, then records of one size, each a
SHA-256 of a picture's bytes, its embedding and a CRC.  Records are only ever appended, so whenever the process ends,
what stands before the first broken record is sound.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from lit.errors import OutputError
from lit.store.writing import checksums, one_at_a_time, refusals_told

_BEGINS = b'{"format": "lit-embed-partial-1"'
#: Rows that are checked together; bounds the memory.
_ROWS = 16_384


@dataclasses.dataclass(frozen=True, kw_only=True)
class MadeBy:
    """The model that made embeddings.

    Attributes:
      model, precision: for people.
      fingerprint: decides whether two rows may stand in one file (`Model.fingerprint`).
      dim: the width of a row.
    """

    model: str
    precision: str
    fingerprint: str
    dim: int

    def __str__(self) -> str:
        return f"{self.model} in {self.precision} (fingerprint {self.fingerprint[:12]})"


class Partial:
    """Rows that are done; `Partial.open` makes one."""

    def __init__(self, path: Path, made_by: MadeBy) -> None:
        self.path, self.made_by = path, made_by
        self._record = np.dtype([("sha256", np.uint8, 32), ("embedding", "<f4", made_by.dim), ("crc", "<u4")])
        said = json.dumps(dataclasses.asdict(made_by)).removeprefix("{")
        self._header = _BEGINS + b", " + said.encode() + b"\n"
        self._row_of: dict[bytes, int] = {}
        self._rows = 0

    @classmethod
    @contextmanager
    def open(cls, output: Path, made_by: MadeBy, *, restart: bool = False) -> Iterator["Partial"]:
        """Opens, or begins, the partial state of `output`; rows stay when the block ends, until `discard`.

        Args:
          output: the file that will be written in the end; the state is `<output>.partial`.
          made_by: the model of this run.
          restart: forget what is there.

        Raises:
          OutputError: another process is at it; another model made what is there; or the place is not writable.
        """
        partial = cls(output.with_name(output.name + ".partial"), made_by)
        with _locked(output):
            if restart:
                partial.discard()
            with refusals_told(partial.path):
                partial._resume()
            try:
                yield partial
            finally:
                if not partial:
                    partial.discard()

    def __len__(self) -> int:
        return len(self._row_of)

    def __contains__(self, sha256: bytes) -> bool:
        return sha256 in self._row_of

    def append(self, sha256: Sequence[bytes], embeddings: Float32[np.ndarray, "images dim"]) -> None:
        """Adds rows; from here on they survive the end of this process.

        Raises:
          OutputError: no space is left, say.
        """
        records = np.zeros(len(sha256), self._record)
        records["sha256"] = np.frombuffer(b"".join(sha256), np.uint8).reshape(-1, 32)
        records["embedding"] = embeddings
        records["crc"] = checksums(records["sha256"], records["embedding"])
        with refusals_told(self.path), self.path.open("ab") as file:
            file.write(records.tobytes())
        self._remember(sha256)

    def recount(self) -> int:
        """How many rows the file holds, whatever was under way when an `append` was interrupted."""
        self._row_of.clear()
        self._rows = 0
        self._read_sound_records(self.path.stat().st_size)
        return len(self)

    def rows(self, sha256: Iterable[bytes]) -> Float32[np.ndarray, "images dim"]:
        """The embeddings of pictures that are done, in the order asked for."""
        rows = [self._row_of[digest] for digest in sha256]
        if not rows:
            return np.zeros((0, self.made_by.dim), np.float32)
        return np.ascontiguousarray(self._records(self._rows)["embedding"][rows])

    def discard(self) -> None:
        """Forgets the state: the output is finished, or shall begin anew."""
        self.path.unlink(missing_ok=True)

    def _records(self, rows: int) -> np.ndarray:
        return np.memmap(self.path, self._record, mode="r", offset=len(self._header), shape=(rows,))

    def _remember(self, sha256: Iterable[bytes]) -> None:
        for digest in sha256:
            self._row_of[digest] = self._rows
            self._rows += 1

    def _resume(self) -> None:
        with self.path.open("a+b") as file:
            file.seek(0)
            first = file.readline(1 << 16)
            if first == self._header:
                file.truncate(self._read_sound_records(self.path.stat().st_size))
            elif not first.endswith(b"\n") and first[: len(_BEGINS)] == _BEGINS[: len(first)]:
                file.truncate(0)  # new, or killed while it was begun
                file.write(self._header)
            else:
                raise OutputError(self._not_ours(first))

    def _read_sound_records(self, size: int) -> int:
        """Remembers every record before the first broken one; returns where that begins, in bytes."""
        whole = (size - len(self._header)) // self._record.itemsize
        for start in range(0, whole, _ROWS):
            records = self._records(whole)[start : start + _ROWS]
            broken = np.flatnonzero(records["crc"] != checksums(records["sha256"], records["embedding"]))
            sound = records["sha256"][: broken[0] if broken.size else len(records)]
            self._remember(digest.tobytes() for digest in sound)
            if broken.size:
                break
        return len(self._header) + self._rows * self._record.itemsize

    def _not_ours(self, first: bytes) -> str:
        way_on = "pass --overwrite to begin anew, or name another -o."
        if not first.startswith(_BEGINS):
            return f"{self.path} is not a state that `lit embed` left behind; move it away, or name another -o."
        said = json.loads(first)
        of = MadeBy(**{field.name: said[field.name] for field in dataclasses.fields(MadeBy)})
        return (
            f"{self.path} was begun with {of}, and this run uses {self.made_by}: their embeddings do not mix. "
            f"Finish it with that model, {way_on}"
        )


@contextmanager
def _locked(output: Path) -> Iterator[None]:
    place = output.with_name(output.name + ".partial.lock")
    with one_at_a_time(place, f"another `lit embed` is writing {output}; wait for it, or name another -o."):
        try:
            yield
        finally:
            place.unlink(missing_ok=True)
