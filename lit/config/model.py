"""The whole model."""

import dataclasses
from typing import Literal

from lit.config import checks
from lit.config.heads import HeadConfig
from lit.config.image_towers import ImageTowerConfig, ViTConfig
from lit.config.inputs import PreprocessConfig, TokenizerConfig
from lit.config.text_towers import BertConfig, TextTowerConfig
from lit.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class LiTConfig:
    """A whole model: two towers, their heads, and the input that they were trained with.

    Attributes:
      name: as released.
      image, text: the towers.
      dim: width of the shared space; both sides must arrive there.
      image_head, text_head: a head on top of a tower (beside a tower's own Dense `head`), None for none.
      tokenizer, preprocess: travel with the weights.
      bias: the model has a `logit_bias` (parameter `b`), as sigmoid-trained models do.
      locked: the towers that were, or are to be, kept fixed in training.
    """

    name: str
    image: ImageTowerConfig
    text: TextTowerConfig
    dim: int
    tokenizer: TokenizerConfig
    preprocess: PreprocessConfig
    image_head: HeadConfig | None = None
    text_head: HeadConfig | None = None
    bias: bool = False
    locked: tuple[Literal["image", "text"], ...] = ("image",)

    def __post_init__(self) -> None:
        checks.positive(self, "dim")
        if not {*self.locked} <= {"image", "text"}:
            raise ConfigError(f"{self.name}: locked is {self.locked!r}; it may hold 'image' and 'text'.")
        if isinstance(self.image, ViTConfig) and self.image.pool == "none":
            raise ConfigError(f"{self.name}: the image tower's pool is 'none'; an image needs one vector.")
        for side, tower, head in (
            ("image", self.image, self.image_head),
            ("text", self.text, self.text_head),
        ):
            got = head.width if head else tower.features
            if got != self.dim:
                raise ConfigError(f"{self.name}: the {side} side ends {got} wide, and dim is {self.dim}.")
        if self.image.image_size != self.preprocess.image_size:
            raise ConfigError(
                f"{self.name}: the image tower takes {self.image.image_size} pixels and preprocessing makes "
                f"{self.preprocess.image_size}."
            )
        longest = self.text.max_positions if isinstance(self.text, BertConfig) else self.text.context_length
        fits = self.tokenizer.context_length <= longest
        if not fits or (self.text.kind == "text-transformer" and self.tokenizer.context_length != longest):
            raise ConfigError(
                f"{self.name}: the tokenizer makes {self.tokenizer.context_length} ids and the text tower has "
                f"{longest} positions."
            )
