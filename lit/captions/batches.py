"""Batches without end: which images, which of their captions, in which order, all a function of the seed."""

import dataclasses
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt8

from lit.captions.ahead import grain, prepared_ahead
from lit.captions.corpus import Corpus
from lit.captions.left_out import NAMES, LeftOut
from lit.captions.order import Order
from lit.captions.pairs import CachedPairs
from lit.captions.preparing import Augment, Pictures, Preparing, processors
from lit.config import PreprocessConfig
from lit.errors import ConfigError, DatasetError, ImageError
from lit.tokenizers import Tokenizer

REPLACED = "the picture cannot be used, and another one took its place"
#: More threads than this only wait for each other.
_MOST_THREADS = 16


@dataclasses.dataclass(frozen=True)
class Batch:
    """Pairs of one step, this process's share of them.

    Attributes:
      tokens: ids of a caption each.
      index: rows of the corpus.
      vectors: of `CachedPairs`, where the corpus is cached; else None.
      pixels: (pairs, size, size, 3), where it is not; `lit.images.to_range` says what a tower makes of them.
    """

    tokens: Int32[np.ndarray, "pairs tokens"]
    index: Int64[np.ndarray, "pairs"]
    vectors: Float32[np.ndarray, "pairs width"] | None = None
    pixels: UInt8[np.ndarray, "pairs size size 3"] | None = None


class Batches:
    """An endless iterator over the batches of one process, prepared ahead by Grain's threads or processes.

    A batch is a function of the pairs, the seed and its number; see `Order` for the order and the captions.  So
    neither workers, nor what was prepared ahead, nor an interruption changes any, and the pairs of a step are the same
    however many processes share them.

    Args:
      pairs: cached embeddings, or a corpus whose pictures are then decoded.
      tokenizer: of the text tower.
      batch_size: pairs of all processes together.
      seed: decides everything.
      canonicalize: captions go through `lit.prompts.canonicalize`.
      workers: processes that read, decode and tokenize; 0: threads of this one.
      process_index, process_count: whose share this is: a process has `batch_size / process_count` neighbouring rows.
      preprocess: how pictures are read; only where `pairs` is a corpus.
      augment: "crop-flip": see `lit.captions.augment`; only where `pairs` is a corpus.
      skip_bad: a picture that cannot be used is replaced by another one; else it is an error.

    Attributes:
      steps_per_epoch: batches in which each image comes at most once.
      step: batches that were taken.
      replaced: pictures of these batches that could not be used and were replaced by another one, each time that it
        happened, in this process.

    Raises:
      ConfigError: the batch is larger than the corpus, or does not divide among the processes; or arguments that do not
        go together.
      DatasetError: the corpus cannot be read in this order.
      MissingExtraError: grain is not installed.
    """

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
        _check(pairs, preprocess, augment, workers)
        order = Order(len(pairs), batch_size, seed, process_index, process_count)
        pictures = None
        if isinstance(pairs, Corpus) and preprocess is not None:
            pictures = Pictures(pairs, preprocess, augment, skip_bad, seed)
        self._prepare = Preparing(order, pairs.texts, tokenizer, canonicalize, pictures)
        self._pairs, self._workers = pairs, workers
        self._batches: Any = None
        self._pool: ThreadPoolExecutor | None = None
        self.steps_per_epoch, self.step, self.replaced = order.steps_per_epoch, 0, LeftOut()
        self._of = {
            "pairs": pairs.key,
            "batch size": batch_size,
            "seed": seed,
            "tokenizer": tokenizer.fingerprint,
            "canonicalize": canonicalize,
            "augment": augment,
            "preprocess": "" if preprocess is None else repr(preprocess),
        }
        grain()

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        if self._batches is None:
            self._batches = self._prepared()
        made = next(self._batches)
        if "error" in made:
            self.close()
            raise DatasetError(made["error"]) if made["item"] is None else ImageError(made["error"], item=made["item"])
        self.step += 1
        if names := made["replaced"]:
            self.replaced += LeftOut({REPLACED: len(names)}, {REPLACED: tuple(names[:NAMES])})
        index = made["index"]
        vectors = self._pairs.vectors[index] if isinstance(self._pairs, CachedPairs) else None
        return Batch(made["tokens"], index, vectors, made.get("pixels"))

    def state(self) -> dict[str, Any]:
        """Where it stands: small, and JSON can write it.  Batches that were only prepared do not count.

        Every process has the same one, but for `replaced`, which counts what this process met.
        """
        replaced = {"count": self.replaced.total, "names": list(self.replaced.names.get(REPLACED, ()))}
        return {"step": self.step, "of": dict(self._of), "replaced": replaced}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on where `state` was taken, whatever was prepared or taken since.

        Workers and the number of processes may be others.

        Raises:
          ConfigError: it was taken of other pairs, with another seed, batch or tokenizer; which.
        """
        of = state["of"]
        changed = [what for what, now in self._of.items() if of.get(what) != now]
        if changed:
            what = "; ".join(f"{name} was {of.get(name)!s:.20} and is {self._of[name]!s:.20}" for name in changed)
            raise ConfigError(f"the saved state is of other batches: {what}. Go on with what it was, or begin anew.")
        self.close()
        self.step, said = int(state["step"]), state["replaced"]
        self.replaced = LeftOut()
        if said["count"]:
            self.replaced = LeftOut({REPLACED: said["count"]}, {REPLACED: tuple(said["names"])})

    def close(self) -> None:
        """Ends threads and processes; the next batch starts them again."""
        if self._batches is not None:
            self._batches.close()
            self._batches = None
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _prepared(self) -> Any:
        """An iterator from the present step on."""
        prepare = self._prepare
        if prepare.pictures is not None and not self._workers:
            self._pool = ThreadPoolExecutor(min(processors(), _MOST_THREADS), thread_name_prefix="lit-pictures")
            prepare = dataclasses.replace(prepare, pictures=dataclasses.replace(prepare.pictures, pool=self._pool))
        return prepared_ahead(prepare, self.step, self._workers)


def _check(pairs: CachedPairs | Corpus, preprocess: PreprocessConfig | None, augment: Augment, workers: int) -> None:
    if workers < 0:
        raise ConfigError(f"workers is {workers}; it counts processes, and 0 means threads.")
    if isinstance(pairs, CachedPairs):
        if augment != "none":
            raise ConfigError(
                f"augment is {augment!r}, and the pictures are embedded once and for all; set data.augment = 'none', "
                "or data.cache = false."
            )
    elif preprocess is None:
        raise ConfigError("a corpus that is not cached needs `preprocess`: how its pictures are read.")
    elif not pairs.random_access:
        raise DatasetError(
            f"{pairs.name} can be read in order only, not shuffled (TFRecord files have no index). Set data.cache = "
            "true, which reads it in order once, or prepare it as array_record."
        )
