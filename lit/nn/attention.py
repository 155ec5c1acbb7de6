"""Multi-head attention as two batched products: `jax.nn.dot_product_attention` ran at 0.8 of their speed on a CPU."""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32

from lit.nn.layers import Tokens, kernel_init, lift, product


# Under `jit` so that another engine can find it in a jaxpr by its name; inside a compiled tower it costs nothing.
@functools.partial(jax.jit, static_argnames="dtype")
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
        kernel = self.param("kernel", kernel_init, (width, *shape), jnp.float32)
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
        kernel = self.param("kernel", kernel_init, (*x.shape[2:], width), jnp.float32)
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
