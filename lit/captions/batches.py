"""Batches without end: which images, which of their captions, in which order, all a function of the seed."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt8

from lit.captions.corpus import Corpus
from lit.captions.left_out import LeftOut
from lit.captions.pairs import CachedPairs
from lit.config import PreprocessConfig
from lit.tokenizers import Tokenizer

Augment = Literal["none", "crop-flip"]


@dataclasses.dataclass(frozen=True)
class Batch:
    """Pairs of one step, this process's share of them.

    Attributes:
      tokens: ids of a caption each.
      index: rows of the corpus.
      zimg: embeddings, where the corpus is cached; else None.
      pixels: (pairs, size, size, 3), where it is not; `lit.images.to_range` says what a tower makes of them.
    """

    tokens: Int32[np.ndarray, "pairs tokens"]
    index: Int64[np.ndarray, "pairs"]
    zimg: Float32[np.ndarray, "pairs dim"] | None = None
    pixels: UInt8[np.ndarray, "pairs size size 3"] | None = None


class Batches:
    """An endless iterator over the batches of one process.

    Args:
      pairs: cached embeddings, or a corpus whose pictures are then decoded.
      tokenizer: of the text tower.
      batch_size: pairs of all processes together.
      seed: decides everything below.
      canonicalize: captions go through `lit.prompts.canonicalize`.
      workers: processes that read, decode and tokenize; 0: threads of this one.
      process_index, process_count: whose share this is: a process has `batch_size / process_count` neighbouring rows.
      preprocess: how pictures are read; only where `pairs` is a corpus.
      augment: "crop-flip": a random part of the picture, mirrored half of the time; only where `pairs` is a corpus.
      skip_bad: a picture that cannot be used is replaced by the next one; else it is an error.

    Attributes:
      steps_per_epoch: batches in which each image comes at most once.
      step: batches that were taken.

    Raises:
      ConfigError: the batch is larger than the corpus, or does not divide among the processes.
      MissingExtraError: grain is not installed.
    """

    steps_per_epoch: int
    step: int

    def __init__(
        self,
        pairs: CachedPairs | Corpus,
        tokenizer: Tokenizer,
        *,
        batch_size: int,
        seed: int = 0,
        canonicalize: bool = True,
        workers: int = 0,
        process_index: int = 0,
        process_count: int = 1,
        preprocess: PreprocessConfig | None = None,
        augment: Augment = "none",
        skip_bad: bool = True,
    ) -> None:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        raise NotImplementedError

    @property
    def replaced(self) -> LeftOut:
        """Pictures, of the batches that were taken, that could not be used and were replaced by another one."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Where it stands: small, and JSON can write it.  Batches that were only prepared do not count."""
        raise NotImplementedError

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on where `state` was taken, whatever was prepared or taken since.

        Raises:
          ConfigError: it was taken of other pairs, with another seed, batch or tokenizer; which.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Ends threads and processes."""
        raise NotImplementedError
