"""One side of a model as its start brings it, before it is fitted to the other side."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lit.config import (
    HeadConfig,
    ImageTowerConfig,
    PreprocessConfig,
    ProjectionHeadConfig,
    TextTowerConfig,
    TokenizerConfig,
)
from lit.training.starts.whole import Whole
from lit.zoo import FileRef


@dataclasses.dataclass(frozen=True, kw_only=True)
class Side:
    """A tower, what stands on top of it, and the input that it takes.

    Attributes:
      tower: its configuration; a head of its own included.
      params: '/'-joined names inside the whole model ("img/cls", "img_head/kernel"); empty from scratch.
      head: a head beside the tower.
      origin: where it comes from, for people.
      preprocess: of an image side, where the start brings it.
      tokenizer, vocab: of a text side; a `FileRef` is fetched only when it is needed.
      whole: the model that it was taken from, None where the start is one tower.
      licenses: files that travel with what was taken from a saved model, the vocabulary included.
    """

    tower: ImageTowerConfig | TextTowerConfig
    params: Mapping[str, np.ndarray]
    origin: str
    head: HeadConfig | None = None
    preprocess: PreprocessConfig | None = None
    tokenizer: TokenizerConfig | None = None
    vocab: Path | FileRef | None = None
    whole: Whole | None = None
    licenses: tuple[Path, ...] = ()

    @property
    def width(self) -> int:
        """Of what comes out."""
        return self.head.width if self.head else self.tower.features

    @property
    def has_head(self) -> bool:
        """Whether there is a head of either kind."""
        return self.head is not None or self.tower.out_dim is not None

    def with_head(self, dim: int, kind: str = "linear") -> "Side":
        """The same with a head of that width, to be drawn; what stood on top before is left out.

        Args:
          dim: its width.
          kind: "linear": the tower's own Dense `head`; "mlp": two layers beside it, the hidden one four times as wide.
        """
        kept = {n: a for n, a in self.params.items() if n.split("/")[0] in ("img", "txt") and "/head/" not in n}
        linear = kind == "linear"
        return dataclasses.replace(
            self,
            tower=dataclasses.replace(self.tower, out_dim=dim if linear else None),
            head=None if linear else ProjectionHeadConfig(dim=dim, hidden=4 * dim),
            params=kept,
        )
