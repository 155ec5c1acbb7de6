"""Frozen descriptions of towers, tokenizers, preprocessing and whole models.  No JAX in here.

A configuration is data: it can be compared, hashed, written as JSON (`to_dict`) and read back (`from_dict`), and it
says everything that the parameters do not.
"""

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from lit.errors import ConfigError, UnknownNameError

_T = TypeVar("_T")


def _positive(config: Any, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        if value is not None and value <= 0:
            raise ConfigError(f"{type(config).__name__}.{name} is {value}; it must be positive.")


def _divides(config: Any, whole: str, part: str) -> None:
    w, p = getattr(config, whole), getattr(config, part)
    if w % p:
        raise ConfigError(f"{type(config).__name__}.{whole} is {w}; it must be a multiple of {part} = {p}.")


#: width, depth, mlp_dim, num_heads.  Source: Ti, S: arXiv 2012.12877 (DeiT), table 1; B, L, H: arXiv 2010.11929 (ViT),
#: table 1; g: arXiv 2106.04560 (Scaling Vision Transformers), table 2.  mu is big_vision's, for tests.
_VIT_SIZES = {
    "mu": (32, 1, 128, 2),
    "Ti": (192, 12, 768, 3),
    "S": (384, 12, 1536, 6),
    "B": (768, 12, 3072, 12),
    "L": (1024, 24, 4096, 16),
    "H": (1280, 32, 5120, 16),
    "g": (1408, 40, 6144, 16),
}


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
        _positive(self, "width", "depth", "mlp_dim", "num_heads", "patch_size", "image_size", "out_dim")
        _divides(self, "width", "num_heads")
        _divides(self, "image_size", "patch_size")

    @classmethod
    def of_size(cls, size: str, **overrides: Any) -> "ViTConfig":
        """`ViTConfig.of_size("B/16", out_dim=768)`: a published size and a patch size.

        Raises:
          UnknownNameError: the size is none of Ti, S, B, L, H, g (and mu, for tests).
          ConfigError: there is no patch size behind a slash.
        """
        name, slash, patch = size.partition("/")
        if name not in _VIT_SIZES:
            raise UnknownNameError("ViT size", name, _VIT_SIZES)
        if not slash or not patch.isdecimal():
            raise ConfigError(f"{size!r} has no patch size; write it as '{name}/16'.")
        width, depth, mlp_dim, num_heads = _VIT_SIZES[name]
        fields = {"width": width, "depth": depth, "mlp_dim": mlp_dim, "num_heads": num_heads}
        return cls(**{**fields, "patch_size": int(patch), **overrides})

    @property
    def grid(self) -> int:
        """Patches along one side."""
        return self.image_size // self.patch_size


@dataclasses.dataclass(frozen=True, kw_only=True)
class EfficientNetLiteConfig:
    """An image tower: EfficientNet-Lite, a convolutional network with ReLU6 and without squeeze-and-excitation.

    Attributes:
      width_coefficient, depth_coefficient: multiply the channels and the repeats of the base network.
      image_size: pixels.
      output: "features" gives the pooled features, 1280 wide.

    Source: github.com/tensorflow/tpu, models/official/efficientnet/lite (Lite0: 1.0, 1.0, 224).
    """

    kind: Literal["efficientnet-lite"] = "efficientnet-lite"
    width_coefficient: float = 1.0
    depth_coefficient: float = 1.0
    image_size: int = 224

    def __post_init__(self) -> None:
        _positive(self, "width_coefficient", "depth_coefficient", "image_size")


#: width, depth, mlp_dim, num_heads.  Source: base, large: arXiv 1810.04805 (BERT), section 3; MiniLM 6 x 384: arXiv
#: 2002.10957, and config.json of all-MiniLM-L6-v2.
_BERT_SIZES = {
    "base": (768, 12, 3072, 12),
    "large": (1024, 24, 4096, 16),
    "minilm-6x384": (384, 6, 1536, 12),
}


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
        _positive(self, "width", "depth", "mlp_dim", "num_heads", "vocab_size", "max_positions", "out_dim")
        _divides(self, "width", "num_heads")

    @classmethod
    def of_size(cls, size: str, **overrides: Any) -> "BertConfig":
        """`BertConfig.of_size("base", out_dim=768)`.

        Raises:
          UnknownNameError: the size is none of base, large, minilm-6x384.
        """
        if size not in _BERT_SIZES:
            raise UnknownNameError("BERT size", size, _BERT_SIZES)
        width, depth, mlp_dim, num_heads = _BERT_SIZES[size]
        return cls(**{"width": width, "depth": depth, "mlp_dim": mlp_dim, "num_heads": num_heads, **overrides})


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
        _positive(self, "width", "depth", "mlp_dim", "num_heads", "vocab_size", "context_length", "out_dim")
        _divides(self, "width", "num_heads")

    @classmethod
    def of_size(cls, size: str, **overrides: Any) -> "TextTransformerConfig":
        """`TextTransformerConfig.of_size("S", vocab_size=16_000, out_dim=1024)`; the sizes are ViT's.

        Raises:
          UnknownNameError: the size is none of Ti, S, B, L, H, g (and mu, for tests).
        """
        if size not in _VIT_SIZES:
            raise UnknownNameError("text transformer size", size, _VIT_SIZES)
        width, depth, mlp_dim, num_heads = _VIT_SIZES[size]
        return cls(**{"width": width, "depth": depth, "mlp_dim": mlp_dim, "num_heads": num_heads, **overrides})


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrototypeHeadConfig:
    """A head onto the square root of a posterior over class prototypes: unit norm by construction.

    `sqrt(softmax(x @ kernel / temperature + bias))`.  With one on either side, the inner product of the two outputs is
    the Bhattacharyya coefficient of the two posteriors: how far image and text agree about the prototypes.

    Attributes:
      num_prototypes: width of the output.
      centre: subtract a learned mean from the unit vector `x` and normalise it again before the kernel (text side).
      bias: add a bias to the logits (image side: the classifier's own).
      temperature: divides the product; lower is sharper.
    """

    num_prototypes: int
    centre: bool = False
    bias: bool = True
    temperature: float = 1.0

    def __post_init__(self) -> None:
        _positive(self, "num_prototypes", "temperature")


ImageTowerConfig = ViTConfig | EfficientNetLiteConfig
TextTowerConfig = BertConfig | TextTransformerConfig


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
        _positive(self, "context_length")


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
        _positive(self, "image_size")
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
    image_head: PrototypeHeadConfig | None = None
    text_head: PrototypeHeadConfig | None = None
    bias: bool = False
    locked: tuple[Literal["image", "text"], ...] = ("image",)

    def __post_init__(self) -> None:
        _positive(self, "dim")
        for side, tower, head in (
            ("image", self.image, self.image_head),
            ("text", self.text, self.text_head),
        ):
            got = head.num_prototypes if head else getattr(tower, "out_dim", None) or getattr(tower, "width", 1280)
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


def to_dict(config: Any) -> dict[str, Any]:
    """A configuration as plain values, ready for JSON; tuples become lists."""
    return {f.name: _plain(getattr(config, f.name)) for f in dataclasses.fields(config)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_dict(value)
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def from_dict(cls: type[_T], values: Mapping[str, Any]) -> _T:
    """The inverse of `to_dict`; strict.

    Raises:
      ConfigError: a key is unknown or missing, or a value is of the wrong type; the message names it.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{cls.__name__} needs a table of fields and got {values!r}.")
    fields = {f.name: f for f in dataclasses.fields(cls)}  # pyright: ignore[reportArgumentType]
    for key in values:
        if key not in fields:
            close = difflib.get_close_matches(key, fields, n=1)
            meant = f" Did you mean {close[0]!r}?" if close else ""
            raise ConfigError(f"{cls.__name__} has no field {key!r}.{meant} It has: {', '.join(fields)}.")
    required = [n for n, f in fields.items() if f.default is dataclasses.MISSING and n not in values]
    if required:
        raise ConfigError(f"{cls.__name__} lacks {', '.join(required)}.")
    hints = typing.get_type_hints(cls)
    return cls(**{k: _typed(hints[k], v, f"{cls.__name__}.{k}") for k, v in values.items()})


def _typed(hint: Any, value: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if value not in args:
            raise ConfigError(f"{where} is {value!r}; it must be one of {', '.join(map(repr, args))}.")
        return value
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in args:
            return None
        choices = [a for a in args if a is not type(None)]
        if len(choices) == 1:
            return _typed(choices[0], value, where)
        return _variant(choices, value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where} is {value!r}; it must be a list.")
        hints = [args[0]] * len(value) if args[-1] is Ellipsis else list(args)
        if len(hints) != len(value):
            raise ConfigError(f"{where} has {len(value)} entries; it needs {len(hints)}.")
        return tuple(_typed(h, v, where) for h, v in zip(hints, value, strict=True))
    if dataclasses.is_dataclass(hint):
        return from_dict(hint, value)  # pyright: ignore[reportArgumentType]
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint or (hint is float and not math.isfinite(value)):
        raise ConfigError(f"{where} is {value!r}; it must be {hint.__name__}.")
    return value


def _variant(choices: list[Any], value: Any, where: str) -> Any:
    """Which of several dataclasses a table is: its field `kind` says so."""
    kinds = {typing.get_args(typing.get_type_hints(c)["kind"])[0]: c for c in choices}
    if not isinstance(value, Mapping) or value.get("kind") not in kinds:
        got = value.get("kind") if isinstance(value, Mapping) else value
        raise ConfigError(f"{where}.kind is {got!r}; it must be one of {', '.join(map(repr, kinds))}.")
    return from_dict(kinds[value["kind"]], value)
