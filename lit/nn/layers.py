"""Matrix product, dense layer and layer norm, in two precisions.

Every matrix product goes through `product`, which is where precision lives:

- float32: operands in float32 and the highest precision that the device has (a GPU or TPU would otherwise round them).
- bfloat16: operands in bfloat16, accumulation and result in float32.  On a CPU with matrix units this is four times
  as fast as a product whose result is bfloat16, too, and it is more exact.

Residuals, layer norms, softmax and gelu are float32 in both.
"""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float32

#: What flows through a transformer.
Tokens = Float32[Array, "batch tokens features"]

kernel_init = nn.initializers.xavier_uniform()


def product(x: Array, y: Array, *, contract: tuple[int, int], batch: Any = ((), ()), dtype: Any) -> Array:
    """`lax.dot_general` over one axis of each operand: operands in `dtype`, the sum in float32."""
    if x.ndim > 2 and y.ndim == 2 and contract == (x.ndim - 1, 0):
        return _onto(dtype, x, y)
    return _product(x, y, contract, batch, dtype)


def _product(x: Array, y: Array, contract: tuple[int, int], batch: Any, dtype: Any) -> Array:
    return lax.dot_general(
        x.astype(dtype),
        y.astype(dtype),
        (((contract[0],), (contract[1],)), batch),
        precision=lax.Precision.HIGHEST if dtype == jnp.float32 else None,
        preferred_element_type=jnp.float32,
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _onto(dtype: Any, x: Array, y: Array) -> Array:
    """The last axis of `x`, which has three or more, onto a matrix.

    Its gradient takes the leading axes as one.  Left to itself JAX contracts over all of them, which XLA runs more
    slowly on a CPU; and in bfloat16 it takes the gradient's operands in float32, where here they are rounded as the
    others are.
    """
    return _product(x, y, (x.ndim - 1, 0), ((), ()), dtype)


def _onto_forward(dtype: Any, x: Array, y: Array) -> tuple[Array, tuple[Array, Array]]:
    return _onto(dtype, x, y), (x, y)


def _onto_backward(dtype: Any, kept: tuple[Array, Array], gradient: Array) -> tuple[Array, Array]:
    x, y = kept
    flat, of_flat = x.reshape(-1, x.shape[-1]), gradient.reshape(-1, gradient.shape[-1])
    of_x = _product(of_flat, y, (1, 1), ((), ()), dtype).reshape(x.shape)
    return of_x.astype(x.dtype), _product(flat, of_flat, (0, 0), ((), ()), dtype).astype(y.dtype)


_onto.defvjp(_onto_forward, _onto_backward)


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
        kernel = self.param("kernel", kernel_init, (x.shape[-1], self.features), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)
        y = product(x, kernel, contract=(x.ndim - 1, 0), dtype=self.dtype)
        return y + lift(bias, y)


# Under `jit` for its name, as `lit.nn.attention.attend`.
@jax.jit
def layer_norm(
    x: Float32[Array, "*axes features"],
    scale: Float32[Array, "features"],
    bias: Float32[Array, "features"],
    epsilon: Float32[Array, ""],
) -> Float32[Array, "*axes features"]:
    """Mean 0 and variance 1 over the last axis, then scale and bias.

    The variance is that of the centred values, which loses nothing to cancellation.
    """
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = jnp.square(centred).mean(axis=-1, keepdims=True)
    return centred * (lax.rsqrt(variance + epsilon) * lift(scale, x)) + lift(bias, x)


class LayerNorm(nn.Module):
    """Holds the parameters of `layer_norm`."""

    epsilon: float = 1e-6

    @nn.compact
    def __call__(self, x: Float32[Array, "*axes features"]) -> Float32[Array, "*axes features"]:
        """Normalised."""
        scale = self.param("scale", nn.initializers.ones, (x.shape[-1],), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (x.shape[-1],), jnp.float32)
        return layer_norm(x, scale, bias, jnp.float32(self.epsilon))
