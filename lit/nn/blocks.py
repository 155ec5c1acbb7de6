"""What the transformers are made of, in two precisions.

Every matrix product goes through `product`, which is where precision lives:

- float32: operands in float32 and the highest precision that the device has (a GPU or TPU would otherwise round them).
- bfloat16: operands in bfloat16, accumulation and result in float32.  On a CPU with matrix units this is four times
  as fast as a product whose result is bfloat16, too, and it is more exact.

Residuals, layer norms, softmax and gelu are float32 in both.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float32

Tokens = Float32[Array, "batch tokens features"]

_kernel_init = nn.initializers.xavier_uniform()


def product(x: Array, y: Array, *, contract: tuple[int, int], batch: Any = ((), ()), dtype: Any) -> Array:
    """`lax.dot_general` over one axis of each operand: operands in `dtype`, the sum in float32."""
    return lax.dot_general(
        x.astype(dtype),
        y.astype(dtype),
        (((contract[0],), (contract[1],)), batch),
        precision=lax.Precision.HIGHEST if dtype == jnp.float32 else None,
        preferred_element_type=jnp.float32,
    )


def lift(vector: Array, like: Array) -> Array:
    """Leading axes of length 1, so that a vector can be added to an array of higher rank."""
    return vector.reshape((1,) * (like.ndim - vector.ndim) + vector.shape)


class Dense(nn.Module):
    """`x @ kernel + bias` over the last axis."""

    features: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float32[Array, "*axes features"]) -> Float32[Array, "*axes features2"]:
        """Projected, `features` wide."""
        kernel = self.param("kernel", _kernel_init, (x.shape[-1], self.features), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)
        y = product(x, kernel, contract=(x.ndim - 1, 0), dtype=self.dtype)
        return y + lift(bias, y)


class LayerNorm(nn.Module):
    """Mean 0 and variance 1 over the last axis, then scale and bias."""

    epsilon: float = 1e-6

    @nn.compact
    def __call__(self, x: Float32[Array, "*axes features"]) -> Float32[Array, "*axes features"]:
        """Normalised; the variance is that of the centred values, which loses nothing to cancellation."""
        scale = self.param("scale", nn.initializers.ones, (x.shape[-1],), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (x.shape[-1],), jnp.float32)
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = jnp.square(centred).mean(axis=-1, keepdims=True)
        return centred * (lax.rsqrt(variance + self.epsilon) * lift(scale, x)) + lift(bias, x)


def attend(
    q: Float32[Array, "batch queries heads head_dim"],
    k: Float32[Array, "batch tokens heads head_dim"],
    v: Float32[Array, "batch tokens heads head_dim"],
    *,
    mask: Bool[Array, "batch queries tokens"] | None = None,
    dtype: Any = jnp.float32,
) -> Float32[Array, "batch queries heads head_dim"]:
    """Attention as two batched products; where `mask` is False, -1e10 is added to the logit.

    A query with nothing to attend to therefore attends to everything alike, as in flaxformer.
    """
    heads = ((0, 2), (0, 2))
    logits = product(q * (q.shape[-1] ** -0.5), k, contract=(3, 3), batch=heads, dtype=dtype)
    if mask is not None:
        logits = logits + jnp.where(mask, jnp.float32(0), jnp.float32(-1e10))[:, None]
    weights = jax.nn.softmax(logits, axis=-1)
    mixed = product(weights, v, contract=(3, 1), batch=((0, 1), (0, 2)), dtype=dtype)
    return mixed.transpose(0, 2, 1, 3)


class _Heads(nn.Module):
    """A projection onto (heads, head_dim); its kernel is stored with three axes."""

    num_heads: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Tokens) -> Float32[Array, "batch tokens heads head_dim"]:
        width = x.shape[-1]
        shape = (self.num_heads, width // self.num_heads)
        kernel = self.param("kernel", _kernel_init, (width, *shape), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, shape, jnp.float32)
        # Two axes for the product: three would be laid out anew first.
        y = product(x, kernel.reshape(width, width), contract=(2, 0), dtype=self.dtype)
        return (y + lift(bias.reshape(width), y)).reshape(*x.shape[:2], *shape)


class _Unheads(nn.Module):
    """The projection back from (heads, head_dim)."""

    dtype: Any

    @nn.compact
    def __call__(self, x: Float32[Array, "batch tokens heads head_dim"]) -> Tokens:
        width = x.shape[2] * x.shape[3]
        kernel = self.param("kernel", _kernel_init, (*x.shape[2:], width), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (width,), jnp.float32)
        y = x.reshape(*x.shape[:2], width)
        y = product(y, kernel.reshape(width, width), contract=(2, 0), dtype=self.dtype)
        return y + lift(bias, y)


class MultiHeadDotProductAttention(nn.Module):
    """Attention from `queries` to `x`, without a mask."""

    num_heads: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, queries: Tokens, x: Float32[Array, "batch tokens2 features"]) -> Tokens:
        """One mixture of `x` for each query."""
        q = _Heads(self.num_heads, self.dtype, name="query")(queries)
        k = _Heads(self.num_heads, self.dtype, name="key")(x)
        v = _Heads(self.num_heads, self.dtype, name="value")(x)
        return _Unheads(self.dtype, name="out")(attend(q, k, v, dtype=self.dtype))


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
        probe = self.param("probe", _kernel_init, (1, 1, width), jnp.float32)
        attention = MultiHeadDotProductAttention(self.num_heads, self.dtype, name="MultiHeadDotProductAttention_0")
        y = attention(jnp.broadcast_to(probe, (batch, 1, width)), x)
        y = y + MlpBlock(self.mlp_dim, self.dtype, name="MlpBlock_0")(LayerNorm(name="LayerNorm_0")(y))
        return y[:, 0]


def prefixed(prefix: str, out: dict[str, Array]) -> dict[str, Array]:
    """The same arrays, their names one level deeper."""
    return {f"{prefix}/{name}": value for name, value in out.items()}
