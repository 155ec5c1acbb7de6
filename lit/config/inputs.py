"""How texts and pictures become what the towers take."""

import dataclasses
from typing import Literal

from lit.config import checks
from lit.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class TokenizerConfig:
    """How texts become ids.

    Attributes:
      kind: "wordpiece" (BERT uncased) or "sentencepiece" (with sticky EOS: the last id is always EOS).
      context_length: ids per text; longer texts are cut, shorter ones padded.
      vocab: file name of the vocabulary inside a bundle, or as published.
      sep: wordpiece only: close with [SEP].  LiT's towers were trained without, sentence-transformers' with it.
    """

    kind: Literal["wordpiece", "sentencepiece"]
    context_length: int = 16
    vocab: str = "vocab.txt"
    sep: bool = False

    def __post_init__(self) -> None:
        checks.choices(self)
        checks.positive(self, "context_length")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PreprocessConfig:
    """How pictures become what an image tower takes; every family was trained with its own.

    Attributes:
      image_size: pixels, both sides.
      resize: "stretch" ignores the aspect ratio; "crop" resizes the smaller side and takes the centre.
      kernel: "bilinear" or "bicubic"; without antialias there is "bilinear" alone.
      antialias: the kernel widens when shrinking (Pillow, torchvision); TF's default does not.
      rounding: "truncate" to uint8 after the resize, as vit_jax's cast does, or "round".  With antialias it is "round",
        for that is what Pillow does.
      value_range: what 0 and 255 become.
      jpeg: "tf" decodes as `tf.io.decode_jpeg` does by default (fast DCT, fancy upsampling), "accurate" as Pillow and
        TF's INTEGER_ACCURATE.
      exif: apply the EXIF orientation of files.
    """

    image_size: int = 224
    resize: Literal["stretch", "crop"] = "stretch"
    kernel: Literal["bilinear", "bicubic"] = "bilinear"
    antialias: bool = False
    rounding: Literal["truncate", "round"] = "truncate"
    value_range: tuple[float, float] = (-1.0, 1.0)
    jpeg: Literal["tf", "accurate"] = "tf"
    exif: bool = True

    def __post_init__(self) -> None:
        checks.choices(self)
        checks.positive(self, "image_size")
        low, high = self.value_range
        if not low < high:
            raise ConfigError(f"PreprocessConfig.value_range is {self.value_range}; the first must be the smaller.")
        if self.kernel == "bicubic" and not self.antialias:
            raise ConfigError(
                "PreprocessConfig.kernel is 'bicubic' without antialias, which no supported family was trained with; "
                "set antialias=True (Pillow, torchvision), or kernel='bilinear'."
            )
        if self.antialias and self.rounding != "round":
            raise ConfigError(
                f"PreprocessConfig.rounding is {self.rounding!r} with antialias, and Pillow, which does that resize, "
                "rounds; set rounding='round'."
            )
