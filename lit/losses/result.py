"""What an objective returns, and what every objective asks of its arguments."""

from typing import NamedTuple

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float32

from lit.errors import ConfigError


class Loss(NamedTuple):
    """The loss of a batch and how well it ranks.

    Attributes:
      value: mean over the pairs of the whole batch that are not masked; 0 if all of them are.
      image_to_text: share of the images whose own text scores higher than every other text of the batch.
      text_to_image: the same of texts.  An equal score is no win: a batch that collapsed to one point scores 0, and
        texts that occur twice in it lose.
    """

    value: Float32[Array, ""]
    image_to_text: Float32[Array, ""]
    text_to_image: Float32[Array, ""]


def scalar(value: ArrayLike, name: str) -> Float32[Array, ""]:
    """A float32 scalar, of a number or of an array of one element such as the parameter `t` (1,).

    Raises:
      ConfigError: it has more elements.
    """
    array = jnp.asarray(value, jnp.float32)
    if array.size != 1:
        raise ConfigError(f"{name} has shape {array.shape}; it must be one number, shape () or (1,).")
    return array.reshape(())


def mask_of(pairs: int, mask: Array | None) -> Bool[Array, "pairs"]:
    """The mask, or one that keeps every pair.

    Raises:
      ConfigError: it is not boolean, or of another length.
    """
    if mask is None:
        return jnp.ones(pairs, bool)
    if mask.shape != (pairs,) or mask.dtype != jnp.bool_:
        raise ConfigError(f"mask is {mask.dtype} of shape {mask.shape}; it must be bool of shape ({pairs},).")
    return mask


def check_pairs(zimg: Array, ztxt: Array, chunk: int | None) -> None:
    """Raises ConfigError unless there is a text for each image, in one space, and the chunk holds a row."""
    if zimg.ndim != 2 or zimg.shape != ztxt.shape or not zimg.size:
        raise ConfigError(
            f"zimg has shape {zimg.shape} and ztxt {ztxt.shape}; both must be (pairs, dim), row i of one the partner "
            "of row i of the other, and not empty."
        )
    if chunk is not None and chunk < 1:
        raise ConfigError(f"chunk is {chunk}; it is the rows of images taken at a time, at least 1, or None for all.")
