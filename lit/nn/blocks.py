"""What the pre-LN transformers are made of: block, encoder, pooling by attention."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32

from lit.nn.attention import MultiHeadDotProductAttention
from lit.nn.layers import Dense, LayerNorm, Tokens, kernel_init


class MlpBlock(nn.Module):
    """Dense, tanh-approximate gelu, Dense."""

    mlp_dim: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Tokens) -> Tokens:
        """Each token by itself."""
        y = jax.nn.gelu(Dense(self.mlp_dim, self.dtype, name="Dense_0")(x), approximate=True)
        return Dense(x.shape[-1], self.dtype, name="Dense_1")(y)


class EncoderBlock(nn.Module):
    """Pre-LN: `x + attention(LN(x))`, then `x + mlp(LN(x))`."""

    num_heads: int
    mlp_dim: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Tokens) -> Tokens:
        """The residual stream after this block."""
        y = LayerNorm(name="LayerNorm_0")(x)
        x = x + MultiHeadDotProductAttention(self.num_heads, self.dtype, name="MultiHeadDotProductAttention_0")(y, y)
        y = LayerNorm(name="LayerNorm_1")(x)
        return x + MlpBlock(self.mlp_dim, self.dtype, name="MlpBlock_0")(y)


class AddPositionEmbs(nn.Module):
    """Adds one learned vector to each token."""

    @nn.compact
    def __call__(self, x: Tokens) -> Tokens:
        """Tokens that know their place."""
        return x + self.param("pos_embedding", nn.initializers.normal(0.02), (1, *x.shape[1:]), jnp.float32)


class Encoder(nn.Module):
    """A stack of blocks and a final layer norm; unrolled, because a loop ran at 0.75 of its speed on a CPU.

    Attributes:
      posembed: add a learned position embedding first, as vit_jax's image tower does inside its encoder.
    """

    depth: int
    num_heads: int
    mlp_dim: int
    posembed: bool = False
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Tokens) -> tuple[Tokens, dict[str, Array]]:
        """The normalised tokens, and each submodule's output under its name."""
        out = {}
        if self.posembed:
            x = out["posembed_input"] = AddPositionEmbs(name="posembed_input")(x)
        for i in range(self.depth):
            name = f"encoderblock_{i}"
            x = out[name] = EncoderBlock(self.num_heads, self.mlp_dim, self.dtype, name=name)(x)
        x = out["encoder_norm"] = LayerNorm(name="encoder_norm")(x)
        return x, out


class MAPHead(nn.Module):
    """Multihead attention pooling: a learned probe attends to all tokens.  No layer norm before the attention."""

    num_heads: int
    mlp_dim: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Tokens) -> Float32[Array, "batch features"]:
        """One vector for all tokens."""
        batch, _, width = x.shape
        probe = self.param("probe", kernel_init, (1, 1, width), jnp.float32)
        attention = MultiHeadDotProductAttention(self.num_heads, self.dtype, name="MultiHeadDotProductAttention_0")
        y = attention(jnp.broadcast_to(probe, (batch, 1, width)), x)
        y = y + MlpBlock(self.mlp_dim, self.dtype, name="MlpBlock_0")(LayerNorm(name="LayerNorm_0")(y))
        return y[:, 0]


def prefixed(prefix: str, out: dict[str, Array]) -> dict[str, Array]:
    """The same arrays, their names one level deeper."""
    return {f"{prefix}/{name}": value for name, value in out.items()}
