"""The examples of a share of a dataset, each with its content and what names it, read ahead of their use."""

import dataclasses
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np

from lit.datasets import Dataset, Example
from lit.errors import DatasetError, ImageError
from lit.store import digest_of
from lit.streams import ahead

#: Examples that are read and hashed before anything asks for them.
READ_AHEAD = 16
#: Stands for the digest of what cannot be read.
_NO_DIGEST = bytes(32)


@dataclasses.dataclass(frozen=True, slots=True)
class Read:
    """One example as it was read.

    Attributes:
      example: of the dataset.
      content: encoded bytes or pixels; or why there are none.
      digest: SHA-256 of the content, see `lit.store.digest_of`.
    """

    example: Example
    content: bytes | np.ndarray | ImageError
    digest: bytes


class Reading:
    """Reads a share of a dataset.

    Args:
      dataset: one split.
      share: the positions to be read.

    Attributes:
      seconds: that reading and hashing took so far.
    """

    def __init__(self, dataset: Dataset, share: range) -> None:
        self._dataset, self._share, self.seconds = dataset, share, 0.0

    def ahead(self) -> Generator[Read, None, None]:
        """The examples in order, read in a thread of their own; closing it ends the thread.

        Raises:
          DatasetError: the dataset holds fewer or more examples than it said.
        """
        return ahead(self._all(), READ_AHEAD)

    def _all(self) -> Generator[Read, None, None]:
        examples = self._dataset.examples(self._share.start, self._share.step)
        try:
            for _ in self._share:
                began = time.perf_counter()
                example = next(examples, None)
                if example is None:
                    raise DatasetError(self._wrong_count("fewer"))
                content = _content(example)
                digest = _NO_DIGEST if isinstance(content, ImageError) else digest_of(content)
                self.seconds += time.perf_counter() - began
                yield Read(example, content, digest)
            whole = self._share.stop == len(self._dataset)
            if whole and next(examples, None) is not None:
                raise DatasetError(self._wrong_count("more"))
        finally:
            if isinstance(examples, Generator):
                examples.close()

    def _wrong_count(self, word: str) -> str:
        name = f"{self._dataset.name}, split {self._dataset.split!r}"
        return f"{name}, holds {word} examples than the {len(self._dataset):,} that it says; prepare it again."


def _content(example: Example) -> bytes | np.ndarray | ImageError:
    if not isinstance(example.image, Path):
        return example.image
    try:
        return example.image.read_bytes()
    except OSError as error:
        return ImageError(f"it cannot be read: {error.strerror or error}.", item=example.id)
