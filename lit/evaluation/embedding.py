"""A dataset's images as embeddings: read, hashed, and computed where the store does not have them yet."""

import dataclasses
import hashlib
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, nullcontext
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from lit.datasets import Dataset, Example
from lit.errors import ConfigError, DatasetError, ImageError
from lit.model import Model
from lit.progress import progress as show_progress
from lit.report.report import Excluded, Timing
from lit.store import DatasetIndex, EmbeddingStore, digest_of, index_key
from lit.streams import Clock, ahead

#: Examples that are read and hashed before anything asks for them.
_READ_AHEAD = 16
#: Stands for the digest of what cannot be read.
_NO_DIGEST = bytes(32)


@dataclasses.dataclass(frozen=True, kw_only=True)
class EmbeddedDataset:
    """The usable images of a dataset, or of one shard, in its order; columns of equal length.

    Attributes:
      ids: the dataset's names.
      digests: (images, 32) SHA-256 of the stored content.
      labels, texts: as the dataset gives them.
      zimg: (images, dim) float32, rows of unit norm.
      positions: (images,) in the dataset.
      excluded: images that cannot be used, and why.
      timing: where the time went; `text` and `score` are 0.
    """

    ids: tuple[str, ...]
    digests: UInt8[np.ndarray, "images 32"]
    labels: tuple[tuple[int, ...], ...]
    texts: tuple[tuple[str, ...], ...]
    zimg: Float32[np.ndarray, "images dim"]
    positions: Int64[np.ndarray, "images"]
    excluded: tuple[Excluded, ...]
    timing: Timing


def embed_dataset(
    model: Model,
    dataset: Dataset,
    *,
    keep: bool = True,
    batch_size: int | None = None,
    skip_bad: bool = False,
    shard: int = 0,
    shards: int = 1,
    limit: int | None = None,
    progress: bool = False,
) -> EmbeddedDataset:
    """Embeds a dataset, or one shard of it, in bounded memory beside the result.

    Each batch is stored as soon as it is there: however a run ends, the next one computes only what is missing.  Once
    a pass was complete, the next one reads no image at all.

    Args:
      model: from `lit.load`.
      dataset: one split.
      keep: take embeddings from the store, and keep them there.
      batch_size: images per batch, see `Model.embed_images`; another size can move the last bits of an embedding, so
        the store keeps them apart.
      skip_bad: exclude images that cannot be used; else the first one is an error.
      shard, shards: this process's share: positions `shard`, `shard + shards`, ...
      limit: only the first so many images of the dataset, all shards together.
      progress: show it on standard error.

    Raises:
      ImageError: an image cannot be used, and `skip_bad` is False; it names the image by the dataset's id.
      DatasetError: the dataset does not hold what it said, or not one image can be used.
      OutputError: the disk is full; what was done is kept.
    """
    began, size = time.perf_counter(), model.image_batch(batch_size)
    if limit is not None and limit < 1:
        raise ConfigError(f"limit is {limit}; it must be at least 1, or None for all images.")
    share = range(shard, len(dataset) if limit is None else min(limit, len(dataset)), shards)
    with EmbeddingStore.open(image_fingerprint(model, size), model.dim) if keep else nullcontext() as store:
        key = _index_key(dataset, share)
        index = None if store is None else DatasetIndex.read(store.directory, key)
        zimg = None if store is None or index is None else _stored(store, index)
        if index is None or zimg is None:
            work = _Pass(model, dataset, share, store, skip_bad)
            index, zimg = work.run(size, progress)
            timing = work.timing(time.perf_counter() - began)
            # A file that could not be read today may be readable tomorrow; what cannot be decoded stays so.
            if store is not None and store.writable and work.all_read:
                index.write(store.directory, key)
        else:
            timing = _timing(time.perf_counter() - began, reused=len(zimg))
    if index.excluded and not skip_bad:
        raise _unusable(*index.excluded[0])
    if index.excluded and len(index.excluded) == len(dataset):
        raise DatasetError(
            f"{dataset.name}: not one of {len(dataset):,} images can be used; the first is {index.excluded[0][0]}: "
            f"{index.excluded[0][1]}"
        )
    columns = {field.name: getattr(index, field.name) for field in dataclasses.fields(index)}
    columns["excluded"] = tuple(Excluded(id=name, reason=reason) for name, reason in index.excluded)
    return EmbeddedDataset(**columns, zimg=zimg, timing=timing)


def image_fingerprint(model: Model, batch_size: int) -> str:
    """SHA-256 (hex) over what determines an image's embedding, beside the image, to the last bit."""
    said = 1, model.fingerprint, batch_size, [f"{name} {version(name)}" for name in ("numpy", "pillow", "simplejpeg")]
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _index_key(dataset: Dataset, share: range) -> str:
    return index_key(
        fingerprint=dataset.fingerprint,
        name=dataset.name,
        split=dataset.split,
        label_names=dataset.label_names,
        description=dict(dataset.description),
        share=[share.start, share.stop, share.step],
    )


def _stored(store: EmbeddingStore, index: DatasetIndex) -> Float32[np.ndarray, "images dim"] | None:
    """All embeddings of a dataset that is known, or None where one is missing."""
    zimg, known = store.get(index.digests)
    return zimg if known.all() else None


class _Pass:
    """One pass over a dataset.

    Args:
      share: the positions to be read.
      store: has embeddings and takes those that are computed; None for neither.
    """

    def __init__(
        self, model: Model, dataset: Dataset, share: range, store: EmbeddingStore | None, skip_bad: bool
    ) -> None:
        self._model, self._dataset, self._share, self._store = model, dataset, share, store
        self._clock, self._read_seconds, self._computed = Clock(), 0.0, 0
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
            closing(ahead(self._contents(), _READ_AHEAD)) as source,
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

    def timing(self, wall: float) -> Timing:
        """Where the time went."""
        reused = len(self._examples) - len(self._bad) - self._computed
        clock = self._clock
        return _timing(
            wall,
            read=self._read_seconds,
            decode=clock.decode,
            tower=clock.tower,
            computed=self._computed,
            reused=reused,
        )

    def _contents(self) -> Generator[tuple[Example, bytes | np.ndarray | ImageError, bytes], None, None]:
        """The examples with their content and its digest; runs in a thread of its own."""
        examples = self._dataset.examples(self._share.start, self._share.step)
        try:
            for _ in self._share:
                began = time.perf_counter()
                example = next(examples, None)
                if example is None:
                    raise DatasetError(self._wrong_count("fewer"))
                content = _content(example)
                digest = _NO_DIGEST if isinstance(content, ImageError) else digest_of(content)
                self._read_seconds += time.perf_counter() - began
                yield example, content, digest
            whole = self._share.stop == len(self._dataset)
            if whole and next(examples, None) is not None:
                raise DatasetError(self._wrong_count("more"))
        finally:
            if isinstance(examples, Generator):
                examples.close()

    def _wrong_count(self, word: str) -> str:
        name = f"{self._dataset.name}, split {self._dataset.split!r}"
        return f"{name}, holds {word} examples than the {len(self._dataset):,} that it says; prepare it again."

    def _missing(
        self,
        source: Iterator[tuple[Example, bytes | np.ndarray | ImageError, bytes]],
        advance: Callable[[int], None],
    ) -> Iterator[bytes | np.ndarray]:
        """The content of images whose embedding is neither stored nor under way."""
        for example, content, digest in source:
            row = len(self._examples)
            self._examples.append((example.id, example.labels, example.texts))
            self._digests.append(digest)
            if isinstance(content, ImageError):
                # An empty picture fails in its turn, after those before it.
                self._unread[row] = content.reason
                self._sent.append(row)
                yield b""
            elif self._row_of.setdefault(digest, row) == row and not self._take_stored(row, digest):
                self._sent.append(row)
                yield content
            else:
                advance(1)

    def _take_stored(self, row: int, digest: bytes) -> bool:
        if self._store is None:
            return False
        found, known = self._store.get(np.frombuffer(digest, np.uint8)[None])
        self._zimg[row] = found[0]
        return bool(known[0])

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

    def _placed(self, error: ImageError) -> ImageError:
        if error.index is None:  # the dataset's own
            return error
        row = self._sent[error.index]
        return _unusable(self._examples[row][0], self._unread.get(row, error.reason))

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


def _content(example: Example) -> bytes | np.ndarray | ImageError:
    if not isinstance(example.image, Path):
        return example.image
    try:
        return example.image.read_bytes()
    except OSError as error:
        return ImageError(f"it cannot be read: {error.strerror or error}.", item=example.id)


def _unusable(name: str, reason: str) -> ImageError:
    return ImageError(f"{reason} To leave out images that cannot be used, pass skip_bad=True (--skip-bad).", item=name)


def _joined(digests: list[bytes]) -> UInt8[np.ndarray, "images 32"]:
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)


def _timing(
    wall: float,
    *,
    read: float = 0.0,
    decode: float = 0.0,
    tower: float = 0.0,
    computed: int = 0,
    reused: int = 0,
) -> Timing:
    return Timing(
        wall=wall, read=read, decode=decode, tower=tower, text=0.0, score=0.0, computed=computed, reused=reused
    )
