"""One pass over a dataset: what the store has is taken from it, the rest goes through the tower and into the store."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain, islice

import numpy as np
from jaxtyping import Float32, UInt8

from lit.datasets import Dataset
from lit.errors import ImageError
from lit.evaluation import meeting
from lit.evaluation.reading import Read, Reading
from lit.image_embedder import ImageEmbedder
from lit.progress import progress as show_progress
from lit.report.report import Timing
from lit.store import DatasetIndex, EmbeddingStore
from lit.streams import Clock

#: Stored rows that are looked up together: one at a time, the look-ups take longer than all the rest of a pass.
LOOK_UP = 256
#: And bytes of their pictures, at which they are looked up at once, however few.
LOOK_UP_BYTES = 2**25


class OnePass:
    """One pass over a dataset.

    Args:
      model: computes what is missing.
      dataset: one split.
      share: the positions to be read.
      store: has embeddings and takes those that are computed; None for neither.
      skip_bad: go on where an image cannot be used.
    """

    def __init__(
        self, model: ImageEmbedder, dataset: Dataset, share: range, store: EmbeddingStore | None, skip_bad: bool
    ) -> None:
        self._model, self._share, self._store = model, share, store
        self._reading, self._clock, self._computed = Reading(dataset, share), Clock(), 0
        self._look_up_seconds = 0.0
        self._failures: list[ImageError] | None = [] if skip_bad else None
        # One entry, and one row of the embeddings, for each example read; `_row_of` has a content's first row.
        self._examples: list[tuple[str, tuple[int, ...], tuple[str, ...]]] = []
        self._digests: list[bytes] = []
        self._row_of: dict[bytes, int] = {}
        self._zimg = np.zeros((len(share), model.dim), np.float32)
        self._sent: list[int] = []
        self._unread: dict[int, str] = {}
        self._bad: dict[int, str] = {}

    def run(self, size: int, progress: bool) -> tuple[DatasetIndex, Float32[np.ndarray, "images dim"]]:
        """Reads the share to its end."""
        with (
            show_progress("embedding images", len(self._share), enabled=progress, unit="images") as advance,
            closing(self._reading.ahead()) as source,
        ):
            try:
                missing = self._missing(source, advance)
                for first in islice(missing, 1):
                    self._compute(chain([first], missing), size, advance)
            except ImageError as error:
                raise self._placed(error) from error
            except KeyboardInterrupt:
                done = f"{self._computed:,} images were embedded"
                kept = self._store is not None and self._store.writable
                more = " and are kept; the same command continues there" if kept else ""
                raise KeyboardInterrupt(done + more) from None
        return self._result()

    @property
    def all_read(self) -> bool:
        """Whether every example's content could be read, be it a picture or not."""
        return not self._unread

    def timing(self, began: float) -> Timing:
        """Where the time went since `began` (`time.perf_counter`); `read` includes hashing and look-ups."""
        return Timing(
            wall=time.perf_counter() - began,
            read=self._reading.seconds + self._look_up_seconds,
            decode=self._clock.decode,
            tower=self._clock.tower,
            text=0.0,
            score=0.0,
            computed=self._computed,
            reused=len(self._examples) - len(self._bad) - self._computed,
        )

    def _missing(self, source: Iterator[Read], advance: Callable[[int], None]) -> Iterator[bytes | np.ndarray]:
        """The content of images whose embedding is neither stored nor under way.

        What the store knows waits for a look-up together, its content beside it in case that the row is damaged; what
        it does not know does not wait.
        """
        waiting: list[tuple[int, bytes | np.ndarray]] = []
        size = 0
        for read in source:
            row, content = len(self._examples), read.content
            self._examples.append((read.example.id, read.example.labels, read.example.texts))
            self._digests.append(read.digest)
            if isinstance(content, ImageError):
                # An empty picture fails in its turn, after those before it.
                self._unread[row] = content.reason
                self._sent.append(row)
                yield b""
            elif self._row_of.setdefault(read.digest, row) != row:
                advance(1)
            elif self._store is None or read.digest not in self._store:
                self._sent.append(row)
                yield content
            else:
                waiting.append((row, content))
                size += content.nbytes if isinstance(content, np.ndarray) else len(content)
                if len(waiting) >= LOOK_UP or size >= LOOK_UP_BYTES:
                    yield from self._damaged(waiting, advance)
                    waiting, size = [], 0
        if waiting:
            yield from self._damaged(waiting, advance)

    def _damaged(
        self, waiting: list[tuple[int, bytes | np.ndarray]], advance: Callable[[int], None]
    ) -> Iterator[bytes | np.ndarray]:
        """Takes stored rows; gives the content of those that turn out to be damaged."""
        assert self._store is not None
        meeting.stop_if_another_failed()
        began, rows = time.perf_counter(), [row for row, _ in waiting]
        self._zimg[rows], known = self._store.get(_joined([self._digests[row] for row in rows]))
        self._look_up_seconds += time.perf_counter() - began
        advance(int(known.sum()))
        for at in np.flatnonzero(~known).tolist():
            row, content = waiting[at]
            self._sent.append(row)
            yield content

    def _compute(self, contents: Iterator[bytes | np.ndarray], size: int, advance: Callable[[int], None]) -> None:
        batches = self._model.iter_images(contents, batch_size=size, failures=self._failures, clock=self._clock)
        seen = 0
        with closing(batches):
            for index, zimg in batches:
                rows = [self._sent[i] for i in index.tolist()]
                if self._store is not None:
                    self._store.append(_joined([self._digests[row] for row in rows]), zimg)
                self._zimg[rows] = zimg
                self._computed += len(rows)
                advance(int(index[-1]) + 1 - seen)  # those that cannot be used are done with, too
                seen = int(index[-1]) + 1
                meeting.stop_if_another_failed()

    def _placed(self, error: ImageError) -> ImageError:
        if error.index is None:  # the dataset's own
            return error
        row = self._sent[error.index]
        return unusable(self._examples[row][0], self._unread.get(row, error.reason))

    def _result(self) -> tuple[DatasetIndex, Float32[np.ndarray, "images dim"]]:
        for error in self._failures or ():
            assert error.index is not None
            row = self._sent[error.index]
            self._bad[row] = self._unread.get(row, error.reason)
        for row, digest in enumerate(self._digests):
            first = self._row_of.get(digest, row)
            if first in self._bad:
                self._bad[row] = self._bad[first]
            elif first != row:
                self._zimg[row] = self._zimg[first]
        good = [row for row in range(len(self._examples)) if row not in self._bad]
        ids, labels, texts = zip(*(self._examples[row] for row in good), strict=True) if good else ((), (), ())
        index = DatasetIndex(
            ids=ids,
            digests=_joined([self._digests[row] for row in good]),
            labels=labels,
            texts=texts,
            positions=np.asarray(self._share, np.int64)[good],
            excluded=tuple((self._examples[row][0], reason) for row, reason in sorted(self._bad.items())),
        )
        return index, self._zimg[good] if self._bad else self._zimg


def unusable(name: str, reason: str) -> ImageError:
    """The error of an image that cannot be used, with the way round it."""
    way = "pass skip_bad=True (--skip-bad; in the recipe of a training, data.skip_bad = true)"
    return ImageError(f"{reason} To leave out images that cannot be used, {way}.", item=name)


def _joined(digests: list[bytes]) -> UInt8[np.ndarray, "images 32"]:
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)
