"""Heads that put a tower's features into the shared space."""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32

from lit.config import HeadConfig, JointHeadConfig, ProjectionHeadConfig, PrototypeHeadConfig
from lit.nn.layers import Dense, LayerNorm, lift, product


def unit(x: Float32[Array, "batch features"]) -> Float32[Array, "batch features"]:
    """Rows divided by their L2 norm; a zero row stays zero."""
    return x * jax.lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis=-1, keepdims=True), 1e-24))


class PrototypeHead(nn.Module):
    """The square root of a posterior over class prototypes: `sqrt(softmax(x @ kernel / temperature + bias))`.

    The output has unit L2 norm by construction.  With one such head on either side, the inner product of the two
    outputs is the Bhattacharyya coefficient of the two posteriors: 1 where image and text put the same weight on the
    same prototypes, 0 where they share none.

    With `config.centre`, `x` is first made a unit vector, the parameter `mean` is subtracted, and the difference is
    made a unit vector again: directions that all texts have in common say nothing about a class.
    """

    config: PrototypeHeadConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float32[Array, "batch features"]) -> Float32[Array, "batch dim"]:
        """Rows of unit L2 norm, no entry negative."""
        features, prototypes = x.shape[-1], self.config.num_prototypes
        if self.config.centre:
            mean = self.param("mean", nn.initializers.zeros, (features,), jnp.float32)
            x = unit(unit(x) - lift(mean, x))
        kernel = self.param("kernel", nn.initializers.lecun_normal(), (features, prototypes), jnp.float32)
        logits = product(x, kernel, contract=(1, 0), dtype=self.dtype) / self.config.temperature
        if self.config.bias:
            bias = self.param("bias", nn.initializers.zeros, (prototypes,), jnp.float32)
            logits = logits + lift(bias, logits)
        # Half of log softmax, not the root of softmax: a tiny probability keeps its precision.
        return jnp.exp(0.5 * jax.nn.log_softmax(logits, axis=-1))


class ProjectionHead(nn.Module):
    """One Dense layer, or layer norm, Dense, gelu, Dense; the result is normalised by whoever compares it."""

    config: ProjectionHeadConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float32[Array, "batch features"]) -> Float32[Array, "batch dim"]:
        """Projected."""
        if self.config.hidden is None:
            return Dense(self.config.dim, self.dtype, name="Dense_0")(x)
        x = Dense(self.config.hidden, self.dtype, name="Dense_0")(LayerNorm(name="LayerNorm_0")(x))
        return Dense(self.config.dim, self.dtype, name="Dense_1")(jax.nn.gelu(x, approximate=True))


class JointHead(nn.Module):
    """Two heads' unit vectors side by side, weighted so that the inner product is the weighted mean of the cosines."""

    config: JointHeadConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float32[Array, "batch features"]) -> Float32[Array, "batch dim"]:
        """Rows of unit norm."""
        share = self.config.share
        first = PrototypeHead(self.config.first, self.dtype, name="first")(x)
        second = unit(ProjectionHead(self.config.second, self.dtype, name="second")(x))
        return jnp.concatenate([math.sqrt(1 - share) * first, math.sqrt(share) * second], axis=-1)


_HEADS = {PrototypeHeadConfig: PrototypeHead, ProjectionHeadConfig: ProjectionHead, JointHeadConfig: JointHead}


def build_head(config: HeadConfig, dtype: Any = jnp.float32, name: str | None = None) -> nn.Module:
    """The module of a head: features to a vector of `config.width`."""
    return _HEADS[type(config)](config, dtype, name=name)
