"""Which images a step has, and which of their captions."""

import dataclasses
import functools

import numpy as np
from jaxtyping import Int64

from lit.captions.draws import draws
from lit.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class Order:
    """The order of all steps: a function of these numbers.

    Each epoch has an order of its own, of which the last images that fill no batch are dropped: others in each epoch.
    The pairs of a step are the same however many processes share them: process i has the i-th part of its rows.

    Attributes:
      images: of the corpus.
      batch_size: of all processes together.

    Raises:
      ConfigError: the batch is larger than the corpus, or cannot be shared.
    """

    images: int
    batch_size: int
    seed: int
    process_index: int = 0
    process_count: int = 1

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ConfigError(f"the batch size is {self.batch_size}; it must be at least 1.")
        if self.batch_size > self.images:
            raise ConfigError(
                f"a batch has {self.batch_size:,} pairs and the corpus {self.images:,} images; no image comes twice in "
                f"a batch. Make batch.size {self.images:,} or less, or take a larger corpus."
            )
        if self.batch_size % self.process_count:
            raise ConfigError(
                f"{self.batch_size:,} pairs of a batch cannot be shared equally by {self.process_count} processes; "
                f"make batch.size a multiple of {self.process_count}."
            )
        if not 0 <= self.process_index < self.process_count:
            raise ConfigError(f"process {self.process_index} is none of {self.process_count}; they count from 0.")

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which each image comes at most once."""
        return self.images // self.batch_size

    def rows(self, step: int) -> tuple[int, Int64[np.ndarray, "pairs"]]:
        """The epoch of a step, and the images of this process in it, no two alike."""
        epoch, number = divmod(step, self.steps_per_epoch)
        share = self.batch_size // self.process_count
        first = number * self.batch_size + self.process_index * share
        return epoch, _shuffled(self.images, self.seed, epoch)[first : first + share]

    def choices(
        self, epoch: int, rows: Int64[np.ndarray, "pairs"], captions: Int64[np.ndarray, "pairs"]
    ) -> Int64[np.ndarray, "pairs"]:
        """Which of its captions an image has in an epoch.

        The first by lot, then one further in each epoch: of n captions, n epochs see each once.

        Args:
          captions: how many each image has.
        """
        first = draws(self.seed, "caption", 0, rows) % captions.astype(np.uint64)
        return (first.astype(np.int64) + epoch) % captions


@functools.lru_cache(maxsize=2)  # a batch that is prepared ahead may be of the next epoch
def _shuffled(images: int, seed: int, epoch: int) -> Int64[np.ndarray, "images"]:
    """Sorted by lot, all at once: Grain's own shuffle is asked image by image, and takes fifty times as long."""
    order = np.argsort(draws(seed, "order", epoch, np.arange(images)), kind="stable")
    order.flags.writeable = False
    return order
