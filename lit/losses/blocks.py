"""The matrix of logits, a block of rows at a time: what both objectives are made of.

An objective never holds more than `chunk` rows of it, forward or backward: the gradient is written out by hand
(`jax.custom_vjp`) and computes each block again instead of keeping it.  Automatic differentiation of a scan would keep
what it carries from block to block, which is quadratic again.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float32, Int32

#: Below every logit, and finite: differences of it are never NaN.
LOWEST = -1e30


class How(NamedTuple):
    """How an objective is computed; no choice changes its value by more than float32 rounding.

    Attributes:
      chunk: rows of images taken at a time; None for all.
      axis: name or names of the mesh axes over which the pairs are shared out; () for none.
      exchange: "gather" or "ring".
      precision: of the matrix products, as `jax.lax.Precision`.
    """

    chunk: int | None
    axis: str | tuple[str, ...]
    exchange: str
    precision: str | None


class Side(NamedTuple):
    """The images, or the texts, of some pairs.

    Attributes:
      z: embeddings; rows that are not kept are zero, whatever the caller's padding held.
      keep: whether the pair counts.
      place: position of the pair in the whole batch, -1 for padding.
    """

    z: Float32[Array, "pairs dim"]
    keep: Bool[Array, "pairs"]
    place: Int32[Array, "pairs"]


class Tile(NamedTuple):
    """A block of the matrix: some images against some texts.

    Attributes:
      cosines: `zimg @ ztxt.T`.
      logits: `scale * cosines + bias`.
      keep: whether both belong to pairs that count.
      own: whether they belong to the same pair.
    """

    cosines: Float32[Array, "images texts"]
    logits: Float32[Array, "images texts"]
    keep: Bool[Array, "images texts"]
    own: Bool[Array, "images texts"]

    def own_and_rivals(self) -> tuple[Float32[Array, "images"], Float32[Array, "images"], Float32[Array, "texts"]]:
        """Of each image the logit of its own text and of the best other one; of each text that of the best other image.

        `LOWEST` where this block has none.
        """
        own = jnp.where(self.keep & self.own, self.logits, LOWEST)
        other = jnp.where(self.keep & ~self.own, self.logits, LOWEST)
        return own.max(axis=1), other.max(axis=1), other.max(axis=0)


def sides(
    zimg: Float32[Array, "pairs dim"], ztxt: Float32[Array, "pairs dim"], keep: Bool[Array, "pairs"], first: ArrayLike
) -> tuple[Side, Side]:
    """The images and the texts of a device's pairs, of which the first has position `first` in the whole batch."""
    place = jnp.asarray(first, jnp.int32) + jnp.arange(len(zimg), dtype=jnp.int32)

    def side(z):
        return Side(jnp.where(keep[:, None], z, jnp.float32(0)), keep, place)

    return side(zimg), side(ztxt)


def tile(images: Side, texts: Side, scale: Float32[Array, ""], bias: Float32[Array, ""], precision: str | None) -> Tile:
    """The logits of some images against some texts.

    Precision matters on accelerators: their default for float32 products (TF32, or one bfloat16 pass) is off by 1e-3 of
    a cosine, which a logit scale of 100 makes 0.1 of a logit.
    """
    cosines = jnp.matmul(images.z, texts.z.T, precision=precision)
    keep = images.keep[:, None] & texts.keep[None, :]
    return Tile(cosines, scale * cosines + bias, keep, images.place[:, None] == texts.place[None, :])


def in_blocks(rows, chunk: int | None):
    """Arrays of one length cut into blocks of `chunk` rows: (blocks, chunk, ...); the last is filled up.

    Places are filled with -1, everything else with zeros, so that `keep` is False there.
    """
    n = len(jax.tree.leaves(rows)[0])
    chunk = min(chunk or n, n)

    def cut(x):
        fill = ((0, -n % chunk),) + ((0, 0),) * (x.ndim - 1)
        return jnp.pad(x, fill, constant_values=-1 if x.dtype == jnp.int32 else 0).reshape(-1, chunk, *x.shape[1:])

    return jax.tree.map(cut, rows)


def from_blocks(blocks, n: int):
    """The first `n` rows of what `in_blocks` cut."""
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[:n], blocks)


def share_won(own: Array, rival: Array, keep: Array, axis: str | tuple[str, ...]) -> Float32[Array, ""]:
    """The share of the pairs that count whose own logit is above every other's; of all devices."""
    won = jax.lax.psum(((own > rival) & keep).sum(dtype=jnp.int32), axis)
    return won.astype(jnp.float32) / count(keep, axis)


def count(keep: Bool[Array, "pairs"], axis: str | tuple[str, ...]) -> Float32[Array, ""]:
    """How many pairs count, on all devices together; at least 1, to divide by."""
    return jnp.maximum(jax.lax.psum(keep.sum(dtype=jnp.int32), axis), 1).astype(jnp.float32)
