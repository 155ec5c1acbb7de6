"""How a plan is run, and what comes out of it."""

import dataclasses

import numpy as np
from jaxtyping import Float32

from lit.errors import ConfigError
from lit.evaluation.classification import Scored
from lit.report import Report


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """How a plan is run.  What moves a figure (`limit`, `skip_bad`, `few_shot`, `seeds`) is in the seal.

    Attributes:
      skip_bad: leave out images that cannot be decoded, and name them; else the first one ends the run.
      limit: only the first so many images.
      few_shot: shots per class of the few-shot table; empty: no table.
      seeds: one draw of few-shot examples for each.
      batch_size: images per batch; None suits the device.
      keep: keep image and class embeddings on disk, and take those that are there.
      keep_words: the class embeddings, too; False for a text tower that will soon be another.
      progress: show it on standard error.

    Raises:
      ConfigError: limit or shots below 1.
    """

    skip_bad: bool = False
    limit: int | None = None
    few_shot: tuple[int, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2)
    batch_size: int | None = None
    keep: bool = True
    keep_words: bool = True
    progress: bool = False

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"limit is {self.limit}; it must be at least 1, or None for all images.")
        if any(shots < 1 for shots in self.few_shot):
            raise ConfigError(f"few_shot is {self.few_shot}; each must be at least one example per class.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """A report, and what explanations and pictures are made from.

    Attributes:
      report: the figures.
      scored: the images that have a label; None for retrieval.
      class_embeddings: None for retrieval.
    """

    report: Report
    scored: Scored | None = None
    class_embeddings: Float32[np.ndarray, "classes dim"] | None = None
