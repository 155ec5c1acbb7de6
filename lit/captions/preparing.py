"""The work that a batch is: captions chosen and tokenized, pictures read; in any thread, in any process."""

import dataclasses
import functools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np

from lit.arrays import Picture
from lit.captions.augment import crop_flip
from lit.captions.corpus import Corpus
from lit.captions.draws import draws
from lit.captions.order import Order
from lit.config import PreprocessConfig
from lit.errors import DatasetError, ImageError
from lit.images import preprocess
from lit.prompts import canonicalize
from lit.tokenizers import Tokenizer

Augment = Literal["none", "crop-flip"]
#: Pictures that may be tried for one that cannot be used; where all fail, it is not the pictures that are at fault.
_TRIES = 64


@dataclasses.dataclass(frozen=True)
class Pictures:
    """How the pictures of a corpus are read.

    Attributes:
      pool: threads that share the work; None where processes do.
    """

    corpus: Corpus
    preprocess: PreprocessConfig
    augment: Augment
    skip_bad: bool
    seed: int
    pool: ThreadPoolExecutor | None = None

    def read(self, epoch: int, row: int) -> tuple[Picture, int, list[str]]:
        """A picture, the row that it is of, and what was wrong with those before it.

        A picture that cannot be used is replaced by another one, by lot: a function of the seed, the epoch and the row,
        so that a run that goes on meets the same ones.  (To leave bad ones out before would take a pass of decoding
        over the corpus, and could not know what becomes unreadable later.)

        Raises:
          ImageError: it cannot be used, and `skip_bad` is False.
          DatasetError: dozens of others cannot be used either.
        """
        wrong: list[str] = []
        at = row
        for attempt in range(_TRIES):
            try:
                return self._pixels(epoch, at), at, wrong
            except (ImageError, DatasetError) as error:
                name = self.corpus.ids[at]
                reason = error.reason if isinstance(error, ImageError) else str(error)
                if not self.skip_bad:
                    hint = "To let another one take its place, set data.skip_bad."
                    raise ImageError(f"{reason} {hint}", item=name) from error
                wrong.append(f"{name}: {reason}")
            number = draws(self.seed, "replacement", epoch, np.array([row * _TRIES + attempt]))
            at = int(number[0] % np.uint64(len(self.corpus)))
        raise DatasetError(
            f"{self.corpus.name}: {_TRIES} pictures in turn cannot be used, the first is {wrong[0]} Is the corpus "
            "still where it was?"
        )

    def _pixels(self, epoch: int, row: int) -> Picture:
        image = self.corpus.read(row).image
        if self.augment == "crop-flip":
            return crop_flip(image, self.preprocess, seed=self.seed, epoch=epoch, row=row)
        return preprocess(image, self.preprocess)

    def read_all(self, epoch: int, rows: list[int]) -> list[tuple[Picture, int, list[str]]]:
        """Of many rows, in order."""
        read = functools.partial(self.read, epoch)
        return list(map(read, rows) if self.pool is None else self.pool.map(read, rows))


@dataclasses.dataclass(frozen=True)
class Preparing:
    """From the number of a step to what its batch consists of; a function that a worker can be sent."""

    order: Order
    texts: tuple[tuple[str, ...], ...]
    tokenizer: Tokenizer
    canonicalize: bool
    pictures: Pictures | None

    def __call__(self, step: int) -> dict[str, Any]:
        """Tokens and rows, pixels where they are read; names of replaced pictures, or an error instead of all."""
        epoch, rows = self.order.rows(step)
        out: dict[str, Any] = {"replaced": ()}
        if self.pictures is not None:
            try:
                read = self.pictures.read_all(epoch, rows.tolist())
            except ImageError as error:  # as words, for it may have to come from another process
                return {"error": error.reason, "item": error.item}
            except DatasetError as error:
                return {"error": str(error), "item": None}
            rows = np.array([row for _, row, _ in read], np.int64)
            out["pixels"] = np.stack([picture for picture, _, _ in read])
            out["replaced"] = tuple(name for _, _, names in read for name in names)
        captions = [self.texts[row] for row in rows.tolist()]
        chosen = self.order.choices(epoch, rows, np.array([len(some) for some in captions], np.int64))
        texts = [some[n] for some, n in zip(captions, chosen.tolist(), strict=True)]
        out["tokens"] = self.tokenizer([canonicalize(text) for text in texts] if self.canonicalize else texts)
        out["index"] = np.array(rows)
        return out


def processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
