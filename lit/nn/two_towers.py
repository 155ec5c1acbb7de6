"""Two towers into one space: any image tower beside any text tower, by configuration."""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.traverse_util import flatten_dict
from jaxtyping import Array, Float32, Int32

from lit.config import (
    BertConfig,
    EfficientNetLiteConfig,
    HeadConfig,
    ImageTowerConfig,
    LiTConfig,
    TextTowerConfig,
    TextTransformerConfig,
    ViTConfig,
)
from lit.errors import UnknownNameError
from lit.nn.bert import Bert
from lit.nn.blocks import prefixed
from lit.nn.efficientnet import EfficientNetLite
from lit.nn.heads import build_head
from lit.nn.layers import Dense
from lit.nn.text import TextTransformer
from lit.nn.vit import ViT

_DTYPES = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}
_TOWERS = {
    ViTConfig: ViT,
    EfficientNetLiteConfig: EfficientNetLite,
    BertConfig: Bert,
    TextTransformerConfig: TextTransformer,
}


class TwoTowers(nn.Module):
    """Images and texts to vectors of unit norm in one space.

    Attributes:
      config: the towers, and the heads on top of them.
      dtype: of the operands of every matrix product.
    """

    config: LiTConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, images: Float32[Array, "images h w 3"] | None, tokens: Int32[Array, "texts tokens"] | None
    ) -> tuple[Float32[Array, "images dim"] | None, Float32[Array, "texts dim"] | None, dict[str, Array]]:
        """Embeds images, texts, or both.

        Args:
          images: in the value range of the model's `PreprocessConfig`, or None.
          tokens: from the model's tokenizer, or None.

        Returns:
          zimg and ztxt, each None where its input was; and `out`: `logit_scale` (1,), which multiplies
          `zimg @ ztxt.T`; `logit_bias` (1,) where the model has one; and every intermediate by its module's path,
          such as `img/Transformer/encoderblock_0`, with `img/norm` and `txt/norm` before normalisation.
        """
        c = self.config
        out = {"logit_scale": jnp.exp(self.param("t", nn.initializers.constant(math.log(10)), (1,), jnp.float32))}
        if c.bias:
            out["logit_bias"] = self.param("b", nn.initializers.constant(-10), (1,), jnp.float32)
        zimg = None if images is None else self._side("img", c.image, c.image_head, images, out)
        ztxt = None if tokens is None else self._side("txt", c.text, c.text_head, tokens, out)
        return zimg, ztxt, out

    def _side(
        self,
        side: str,
        tower: ImageTowerConfig | TextTowerConfig,
        head: HeadConfig | None,
        x: Array,
        out: dict[str, Array],
    ) -> Float32[Array, "batch dim"]:
        z, inner = _TOWERS[type(tower)](tower, self.dtype, name=side)(x)
        out |= prefixed(side, inner)
        if head is not None:
            z = build_head(head, self.dtype, f"{side}_head")(z)
        z, out[f"{side}/norm"] = _normalised(z)
        return z


def _normalised(z: Float32[Array, "batch dim"]) -> tuple[Float32[Array, "batch dim"], Float32[Array, "batch 1"]]:
    """Rows of unit norm, and their norms before."""
    norm = jnp.linalg.norm(z, axis=1, keepdims=True)
    return z / (norm + 1e-8), norm


def build(config: LiTConfig, *, dtype: str = "float32") -> TwoTowers:
    """The module of a configuration; it holds no parameters.

    `module.apply({"params": params}, images, tokens)` returns what `TwoTowers.__call__` says.

    Raises:
      UnknownNameError: the dtype is neither "float32" nor "bfloat16".
    """
    return TwoTowers(config, _dtype(dtype))


def image_head(config: LiTConfig, *, dtype: str = "float32") -> Callable[[Any, Array], Array]:
    """What stands on the image tower: `(params, features) -> zimg`, equal to `TwoTowers` on the image.

    `features` is what the tower gives without its own Dense head: `build_tower(without_head(config.image))`.
    """

    def head(params: Any, features: Float32[Array, "images features"]) -> Float32[Array, "images dim"]:
        z: Any = features
        if config.image.out_dim is not None:
            z = Dense(config.image.out_dim, _dtype(dtype)).apply({"params": params["img"]["head"]}, z)
        if config.image_head is not None:
            z = build_head(config.image_head, _dtype(dtype)).apply({"params": params["img_head"]}, z)
        return _normalised(z)[0]

    return head


def without_head(config: ImageTowerConfig) -> ImageTowerConfig:
    """The same tower, ending before its Dense head."""
    return dataclasses.replace(config, out_dim=None)


def build_tower(config: ImageTowerConfig | TextTowerConfig, *, dtype: str = "float32") -> nn.Module:
    """One tower by itself: images or tokens to (features, intermediates)."""
    return _TOWERS[type(config)](config, _dtype(dtype))


def _dtype(name: str) -> Any:
    if name not in _DTYPES:
        raise UnknownNameError("precision", name, _DTYPES)
    return _DTYPES[name]


@functools.lru_cache(maxsize=8)
def param_shapes(config: LiTConfig | ImageTowerConfig | TextTowerConfig) -> Mapping[str, tuple[int, ...]]:
    """Name ('/'-joined) -> shape of every parameter, in sorted order; nothing is allocated."""
    if isinstance(config, LiTConfig):
        module, inputs = build(config), (_input(config.image), _input(config.text))
    else:
        module, inputs = build_tower(config), (_input(config),)
    tree = jax.eval_shape(module.init, jax.ShapeDtypeStruct((2,), jnp.uint32), *inputs)["params"]
    return {name: tuple(leaf.shape) for name, leaf in sorted(flatten_dict(tree, sep="/").items())}


def _input(config: ImageTowerConfig | TextTowerConfig) -> jax.ShapeDtypeStruct:
    if isinstance(config, ViTConfig | EfficientNetLiteConfig):
        return jax.ShapeDtypeStruct((1, config.image_size, config.image_size, 3), jnp.float32)
    length = config.context_length if isinstance(config, TextTransformerConfig) else 2
    return jax.ShapeDtypeStruct((1, length), jnp.int32)


def cast_params(params: Mapping[str, Any], dtype: str) -> Any:
    """Parameters as a precision wants them, so that nothing is cast again in every call.

    For "bfloat16" the kernels of matrix products become bfloat16; embeddings, biases, norms and depthwise kernels,
    which are added or multiplied in float32, stay as they are.  For "float32" the parameters are returned untouched.

    Raises:
      UnknownNameError: the dtype is neither "float32" nor "bfloat16".
    """
    if _dtype(dtype) == jnp.float32:
        return params

    def cast(path: Any, leaf: Any) -> Any:
        names = [key.key for key in path]
        low = names[-1] == "kernel" and names[-2] != "depthwise"
        return jnp.asarray(leaf, jnp.bfloat16) if low else leaf

    return jax.tree_util.tree_map_with_path(cast, params)
