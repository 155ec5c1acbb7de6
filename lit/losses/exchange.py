"""What devices tell each other inside `jax.shard_map`, when each holds its share of the pairs.

With no axis, `()`, every function here does what it does on one device: nothing.
"""

from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32

_T = TypeVar("_T")
Axis = str | tuple[str, ...]


def devices(axis: Axis) -> int:
    """How many share the batch."""
    return jax.lax.axis_size(axis) if axis else 1


def first_place(axis: Axis, pairs: int) -> Array:
    """Position in the whole batch of this device's first pair; each device holds `pairs` of them, in order."""
    return jax.lax.axis_index(axis) * pairs if axis else jnp.int32(0)


def varying(x: Array, axis: Axis) -> Array:
    """The same, as each device's own: its gradient is then the device's part, and JAX adds the parts up.

    Without `check_vma` JAX adds nothing up, and the caller does.
    """
    # A product, since `pcast` refuses what varies already.
    return x * jax.lax.pcast(jnp.ones((), x.dtype), axis, to="varying") if axis else x


def gather(x: _T, axis: Axis) -> _T:
    """Everyone's rows, in order."""
    return jax.tree.map(lambda a: jax.lax.all_gather(a, axis, tiled=True), x) if axis else x


def scatter_sum(x: Float32[Array, "rows ..."], axis: Axis) -> Float32[Array, "own ..."]:
    """The sum over devices, of which each takes the rows that `gather` took from it."""
    return jax.lax.psum_scatter(x, axis, tiled=True) if axis else x


def own_rows(x: Float32[Array, "rows"], axis: Axis) -> Float32[Array, "own"]:
    """This device's part of an array that has a row for each pair of the whole batch."""
    n = len(x) // devices(axis)
    return jax.lax.dynamic_slice_in_dim(x, first_place(axis, n), n) if axis else x


def hand_on(x: _T, axis: Axis) -> _T:
    """Each device's arrays go to the next device, the last one's to the first; after a round they are back."""
    n = devices(axis)
    return jax.tree.map(lambda a: jax.lax.ppermute(a, axis, [(i, (i + 1) % n) for i in range(n)]), x) if axis else x
