"""The text tower BERT, with the parameter names of flaxformer, in which LiT's towers were published.

Source: arXiv 1810.04805 (BERT); github.com/google/flaxformer, architectures/bert.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32, Int32

from lit.config import BertConfig
from lit.errors import InputError
from lit.nn.attention import attend
from lit.nn.blocks import prefixed
from lit.nn.layers import Dense, LayerNorm, Tokens
from lit.nn.text import Embed

Mask = Bool[Array, "batch tokens tokens"]


class _SelfAttention(nn.Module):
    config: BertConfig
    dtype: Any

    @nn.compact
    def __call__(self, x: Tokens, mask: Mask) -> Tokens:
        heads = (*x.shape[:2], self.config.num_heads, self.config.width // self.config.num_heads)
        q, k, v = (Dense(x.shape[-1], self.dtype, name=n)(x).reshape(heads) for n in ("query", "key", "value"))
        return attend(q, k, v, mask=mask, dtype=self.dtype).reshape(x.shape)


class _AttentionBlock(nn.Module):
    config: BertConfig
    dtype: Any

    @nn.compact
    def __call__(self, x: Tokens, mask: Mask) -> Tokens:
        y = _SelfAttention(self.config, self.dtype, name="attention_layer")(x, mask)
        y = Dense(x.shape[-1], self.dtype, name="dense_layer")(y)
        return LayerNorm(self.config.layer_norm_eps, name="layer_norm")(x + y)


class _Mlp(nn.Module):
    config: BertConfig
    dtype: Any

    @nn.compact
    def __call__(self, x: Tokens) -> Float32[Array, "batch tokens mlp_dim"]:
        y = Dense(self.config.mlp_dim, self.dtype, name="dense_layer")(x)
        return jax.nn.gelu(y, approximate=self.config.gelu == "tanh")


class _MlpBlock(nn.Module):
    config: BertConfig
    dtype: Any

    @nn.compact
    def __call__(self, x: Tokens) -> Tokens:
        y = _Mlp(self.config, self.dtype, name="mlp")(x)
        y = Dense(x.shape[-1], self.dtype, name="dense_layer")(y)
        return LayerNorm(self.config.layer_norm_eps, name="layer_norm")(x + y)


class _Layer(nn.Module):
    """Post-LN: `LN(x + attention(x))`, then `LN(x + mlp(x))`."""

    config: BertConfig
    dtype: Any

    @nn.compact
    def __call__(self, x: Tokens, mask: Mask) -> Tokens:
        x = _AttentionBlock(self.config, self.dtype, name="attention_block")(x, mask)
        return _MlpBlock(self.config, self.dtype, name="mlp_block")(x)


class _LayerSequence(nn.Module):
    config: BertConfig
    dtype: Any

    @nn.compact
    def __call__(self, x: Tokens, mask: Mask) -> tuple[Tokens, dict[str, Array]]:
        out = {}
        for i in range(self.config.depth):
            x = out[f"layers_{i}"] = _Layer(self.config, self.dtype, name=f"layers_{i}")(x, mask)
        return x, out


class _EncoderBlock(nn.Module):
    """Only a name on the path to the layers."""

    config: BertConfig
    dtype: Any

    @nn.compact
    def __call__(self, x: Tokens, mask: Mask) -> tuple[Tokens, dict[str, Array]]:
        x, out = _LayerSequence(self.config, self.dtype, name="layer_sequence")(x, mask)
        return x, prefixed("layer_sequence", out)


class _Embedder(nn.Module):
    """Token + position + segment; a text is all segment 0."""

    config: BertConfig

    @nn.compact
    def __call__(self, tokens: Int32[Array, "batch tokens"]) -> Tokens:
        c = self.config
        positions = jnp.arange(tokens.shape[1], dtype=jnp.int32)[None]
        x = Embed(c.vocab_size, c.width, name="embedders_token_ids")(tokens)
        x = x + Embed(c.max_positions, c.width, name="embedders_position_ids")(positions)
        return x + Embed(c.num_segments, c.width, name="embedders_segment_ids")(jnp.zeros_like(positions))


class BertEncoder(nn.Module):
    """Embeddings, layer norm, layers."""

    config: BertConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, tokens: Int32[Array, "batch tokens"]) -> tuple[Tokens, dict[str, Array]]:
        """The last layer's tokens, and the output of each module by its path."""
        x = _Embedder(self.config, name="embedder")(tokens)
        out = {"embedder": x}
        x = out["layer_norm"] = LayerNorm(self.config.layer_norm_eps, name="layer_norm")(x)
        real = tokens != 0
        mask = real[:, :, None] & real[:, None, :]
        x, inner = _EncoderBlock(self.config, self.dtype, name="encoder_block")(x, mask)
        return x, out | prefixed("encoder_block", inner)


class Bert(nn.Module):
    """Token ids to features; id 0 is padding.

    Attributes:
      config: size, pool, head.
      dtype: of the operands of every matrix product.
    """

    config: BertConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, tokens: Int32[Array, "batch tokens"]) -> tuple[Float32[Array, "batch dim"], dict[str, Array]]:
        """Features, and the output of each module by its path.

        Raises:
          InputError: the texts have more tokens than there are positions.
        """
        c = self.config
        if tokens.shape[1] > c.max_positions:
            raise InputError(f"texts have {tokens.shape[1]} tokens; this tower takes at most {c.max_positions}.")
        x, inner = BertEncoder(c, self.dtype, name="BertEncoder_0")(tokens)
        out = prefixed("BertEncoder_0", inner)
        x = out["pre_logits"] = _pool(x, tokens != 0, c.pool)
        if c.out_dim is not None:
            x = out["head"] = Dense(c.out_dim, self.dtype, name="head")(x)
        return x, out


def _pool(x: Tokens, real: Bool[Array, "batch tokens"], pool: str) -> Float32[Array, "batch features"]:
    if pool == "cls":
        return x[:, 0]
    weights = real.astype(jnp.float32)
    total = (x * weights[:, :, None]).sum(axis=1)
    # A text of padding alone has no mean; dividing by 1 gives it zero rather than NaN.
    return total / jnp.maximum(weights.sum(axis=1, keepdims=True), 1)
