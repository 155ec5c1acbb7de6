"""Text towers."""

import dataclasses
from typing import Any, Literal

from lit.config import checks, sizes


@dataclasses.dataclass(frozen=True, kw_only=True)
class BertConfig:
    """A text tower: BERT encoder, post-LN, padding (id 0) masked.

    Attributes:
      vocab_size, max_positions, num_segments: rows of the three embedding tables.
      pool: "cls" takes token 0 (no pooler, no tanh), "gap" the mean over tokens that are not padding.
      gelu: "tanh" is the approximation that flaxformer uses, "erf" the exact function of the BERT paper's code.
      out_dim: width of the Dense `head`; None for no head.
    """

    kind: Literal["bert"] = "bert"
    width: int
    depth: int
    mlp_dim: int
    num_heads: int
    vocab_size: int = 30_522
    max_positions: int = 512
    num_segments: int = 2
    layer_norm_eps: float = 1e-12
    gelu: Literal["tanh", "erf"] = "tanh"
    pool: Literal["cls", "gap"] = "cls"
    out_dim: int | None = None

    def __post_init__(self) -> None:
        checks.choices(self)
        checks.positive(self, "width", "depth", "mlp_dim", "num_heads", "vocab_size", "max_positions", "num_segments")
        checks.positive(self, "layer_norm_eps", "out_dim")
        checks.divides(self, "width", "num_heads")

    @classmethod
    def of_size(cls, size: str, **overrides: Any) -> "BertConfig":
        """`BertConfig.of_size("base", out_dim=768)`.

        Raises:
          UnknownNameError: the size is none of base, large, minilm-6x384.
        """
        return cls(**{**sizes.fields("BERT size", size, sizes.BERTS), **overrides})

    @property
    def features(self) -> int:
        """Width of what comes out."""
        return self.out_dim or self.width


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextTransformerConfig:
    """A text tower: the small pre-LN transformer of LiT, no mask of any kind.

    Attributes:
      context_length: tokens; the position embedding has exactly this many rows.
      pool: "last" takes the last token (LiT), "cls" the first, "gap" the mean, "max" the maximum, "map" a MAPHead.
      out_dim: width of the Dense `head`; None for no head.
    """

    kind: Literal["text-transformer"] = "text-transformer"
    width: int
    depth: int
    mlp_dim: int
    num_heads: int
    vocab_size: int
    context_length: int = 16
    pool: Literal["last", "cls", "gap", "max", "map"] = "last"
    out_dim: int | None = None

    def __post_init__(self) -> None:
        checks.choices(self)
        checks.positive(self, "width", "depth", "mlp_dim", "num_heads", "vocab_size", "context_length", "out_dim")
        checks.divides(self, "width", "num_heads")

    @classmethod
    def of_size(cls, size: str, **overrides: Any) -> "TextTransformerConfig":
        """`TextTransformerConfig.of_size("S", vocab_size=16_000, out_dim=1024)`; the sizes are ViT's.

        Raises:
          UnknownNameError: the size is none of Ti, S, B, L, H, g (and mu, for tests).
        """
        return cls(**{**sizes.fields("text transformer size", size, sizes.TRANSFORMERS), **overrides})

    @property
    def features(self) -> int:
        """Width of what comes out."""
        return self.out_dim or self.width


TextTowerConfig = BertConfig | TextTransformerConfig
