"""Image towers."""

import dataclasses
from typing import Any, Literal

from lit.config import checks, sizes
from lit.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class ViTConfig:
    """An image tower: Vision Transformer.

    Attributes:
      width, depth, num_heads, mlp_dim: the transformer.
      patch_size, image_size: pixels; `image_size` is a multiple of `patch_size`.
      pool: "cls" takes token 0, "gap" the mean over tokens, "map" an attention head with a learned probe (MAPHead),
        "none" keeps every token.
      class_token: a learned token is prepended.  `pool="cls"` without one takes the first patch (big_vision's "0").
      layout: where the position embedding is added.  "vit_jax": after the class token was prepended, one entry more;
        "big_vision": before it.  The parameters' names follow the code base, too.
      posemb: "learned", or "sincos2d", which has no parameters.
      representation_size: width of a Dense + tanh before the head (`pre_logits`), None for none.
      out_dim: width of the Dense `head`; None for no head, and then the output is `width` wide.
    """

    kind: Literal["vit"] = "vit"
    width: int
    depth: int
    mlp_dim: int
    num_heads: int
    patch_size: int
    image_size: int = 224
    pool: Literal["cls", "gap", "map", "none"] = "cls"
    class_token: bool = True
    layout: Literal["vit_jax", "big_vision"] = "vit_jax"
    posemb: Literal["learned", "sincos2d"] = "learned"
    representation_size: int | None = None
    out_dim: int | None = None

    def __post_init__(self) -> None:
        checks.choices(self)
        checks.positive(self, "width", "depth", "mlp_dim", "num_heads", "patch_size", "image_size")
        checks.positive(self, "representation_size", "out_dim")
        checks.divides(self, "width", "num_heads")
        checks.divides(self, "image_size", "patch_size")

    @classmethod
    def of_size(cls, size: str, **overrides: Any) -> "ViTConfig":
        """`ViTConfig.of_size("B/16", out_dim=768)`: a published size and a patch size.

        Raises:
          UnknownNameError: the size is none of Ti, S, B, L, H, g (and mu, for tests).
          ConfigError: there is no patch size behind a slash.
        """
        name, slash, patch = size.partition("/")
        fields = sizes.fields("ViT size", name, sizes.TRANSFORMERS)
        if not slash or not patch.isdecimal():
            raise ConfigError(f"{size!r} has no patch size; write it as '{name}/16'.")
        return cls(**{**fields, "patch_size": int(patch), **overrides})

    @property
    def features(self) -> int:
        """Width of what comes out."""
        return self.out_dim or self.representation_size or self.width

    @property
    def grid(self) -> int:
        """Patches along one side."""
        return self.image_size // self.patch_size


@dataclasses.dataclass(frozen=True, kw_only=True)
class EfficientNetLiteConfig:
    """An image tower: EfficientNet-Lite, a convolutional network with ReLU6 and without squeeze-and-excitation.

    What comes out are the features after global pooling, 1280 wide whatever the coefficients, or those of a head.

    Attributes:
      width_coefficient, depth_coefficient: multiply the channels and the repeats of the base network.
      image_size: pixels.
      out_dim: width of the Dense `head`; None for no head.

    Source: github.com/tensorflow/tpu, models/official/efficientnet/lite (Lite0: 1.0, 1.0, 224).
    """

    kind: Literal["efficientnet-lite"] = "efficientnet-lite"
    width_coefficient: float = 1.0
    depth_coefficient: float = 1.0
    image_size: int = 224
    out_dim: int | None = None

    def __post_init__(self) -> None:
        checks.choices(self)
        checks.positive(self, "width_coefficient", "depth_coefficient", "image_size", "out_dim")

    @property
    def features(self) -> int:
        """Width of what comes out."""
        return self.out_dim or 1280


ImageTowerConfig = ViTConfig | EfficientNetLiteConfig
