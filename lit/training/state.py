"""What changes while a model is trained, and its fingerprints."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int32, UInt32

_WORDS = {1: jnp.uint8, 2: jnp.uint16, 4: jnp.uint32}


class TrainState(NamedTuple):
    """Everything that a step replaces; the locked parameters are no part of it.

    Attributes:
      step: how many steps are done.
      trained: nested parameters, float32.
      optimizer: what optax keeps for them.
      ema: their moving average, or None.
    """

    step: Int32[Array, ""]
    trained: Any
    optimizer: Any
    ema: Any


def named_leaves(tree: Any) -> dict[str, Any]:
    """'/'-joined path -> leaf, in the order of `jax.tree.leaves`."""
    return {"/".join(_name(key) for key in path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def _name(key: Any) -> str:
    return jax.tree_util.keystr((key,), simple=True)


def architecture(tree: Any) -> dict[str, str]:
    """Name of each leaf -> its type and shape, such as "float32[32,64]"."""
    return {name: f"{leaf.dtype}{list(leaf.shape)}".replace(" ", "") for name, leaf in named_leaves(tree).items()}


def sums(tree: Any) -> dict[str, int]:
    """A checksum of every leaf that any single changed word changes; the same however the leaf is sharded.

    It is computed where the arrays are, so that a large state need not come to the host.
    """
    return {name: int(value) for name, value in zip(named_leaves(tree), jax.device_get(_sums(tree)), strict=True)}


@jax.jit
def _sums(tree: Any) -> list[UInt32[Array, ""]]:
    return [_sum(leaf) for leaf in jax.tree.leaves(tree)]


def _sum(leaf: Array) -> UInt32[Array, ""]:
    """Each word times an odd number that its place determines, modulo 2**32: neither the order nor a split matters."""
    words = jax.lax.bitcast_convert_type(leaf, _WORDS[leaf.dtype.itemsize]).astype(jnp.uint32)
    place, stride = jnp.zeros(leaf.shape, jnp.uint32), 1
    for axis in reversed(range(leaf.ndim)):
        place = place + jax.lax.broadcasted_iota(jnp.uint32, leaf.shape, axis) * jnp.uint32(stride % 2**32)
        stride *= leaf.shape[axis]
    return jnp.sum(words * (place * jnp.uint32(2) + jnp.uint32(1)), dtype=jnp.uint32)


def is_finite(tree: Any) -> bool:
    """Whether no number in it is NaN or infinite; computed where the arrays are."""
    return bool(_is_finite(tree))


@jax.jit
def _is_finite(tree: Any) -> Bool[Array, ""]:
    numbers = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return jnp.all(jnp.asarray([jnp.all(jnp.isfinite(leaf)) for leaf in numbers]))


def num_params(tree: Any) -> int:
    """How many numbers its leaves hold."""
    return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(tree))


def num_bytes(tree: Any) -> int:
    """How much memory its leaves take."""
    return sum(int(np.prod(leaf.shape)) * np.dtype(leaf.dtype).itemsize for leaf in jax.tree.leaves(tree))


def differences(had: Mapping[str, Any], wants: Mapping[str, Any]) -> list[str]:
    """What differs between two mappings, as "name: was X, is Y", in the order of names."""
    nothing = "absent"
    return [
        f"{name}: was {had.get(name, nothing)}, is {wants.get(name, nothing)}"
        for name in sorted({*had, *wants})
        if had.get(name, nothing) != wants.get(name, nothing)
    ]
