"""The small text tower: a pre-LN transformer without any mask.

Source: github.com/google-research/big_vision, models/proj/image_text/text_transformer.py.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float32, Int32

from lit.config import TextTransformerConfig
from lit.errors import InputError
from lit.nn.blocks import Encoder, MAPHead, prefixed
from lit.nn.layers import Dense, Tokens


class Embed(nn.Module):
    """A table of vectors; an id beyond the table gives NaN, which no check can miss."""

    rows: int
    width: int

    @nn.compact
    def __call__(self, ids: Int32[Array, "batch tokens"]) -> Tokens:
        """The rows of these ids."""
        init = nn.initializers.normal(0.02)
        return jnp.take(self.param("embedding", init, (self.rows, self.width), jnp.float32), ids, axis=0)


class TextTransformer(nn.Module):
    """Token ids to features.

    Attributes:
      config: size, pool, head.
      dtype: of the operands of every matrix product.
    """

    config: TextTransformerConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, tokens: Int32[Array, "batch tokens"]) -> tuple[Float32[Array, "batch dim"], dict[str, Array]]:
        """Features, and the output of each module by its path.

        Raises:
          InputError: the texts do not have exactly `context_length` tokens.
        """
        c = self.config
        if tokens.shape[1] != c.context_length:
            raise InputError(f"texts have {tokens.shape[1]} tokens; this tower takes exactly {c.context_length}.")
        x = Embed(c.vocab_size, c.width, name="Embed_0")(tokens)
        out = {"Embed_0": x}
        x = x + self.param("pos_embedding", nn.initializers.normal(c.width**-0.5), (1, *x.shape[1:]), jnp.float32)
        x, inner = Encoder(c.depth, c.num_heads, c.mlp_dim, dtype=self.dtype, name="Encoder_0")(x)
        out |= prefixed("Encoder_0", inner)
        x = out["pre_logits"] = self._pool(x)
        if c.out_dim is not None:
            x = out["head"] = Dense(c.out_dim, self.dtype, name="head")(x)
        return x, out

    def _pool(self, x: Tokens) -> Float32[Array, "batch features"]:
        pool = self.config.pool
        if pool == "gap":
            return x.mean(axis=1)
        if pool == "max":
            return x.max(axis=1)
        if pool == "map":
            return MAPHead(self.config.num_heads, self.config.mlp_dim, self.dtype, name="MAPHead_0")(x)
        return x[:, -1] if pool == "last" else x[:, 0]
