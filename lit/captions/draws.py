"""Random numbers that are a function of what they are drawn for, whoever draws them and in whatever order.

A generator has a state, which threads, workers and a restart would have to agree on; a hash has none.  And no version
of a library changes it: a training that goes on in a year sees the batches that it would have seen.
"""

from typing import Literal

import numpy as np
from jaxtyping import Float64, Int64, UInt64

Purpose = Literal["order", "caption", "crop", "replacement"]
_PURPOSES: tuple[Purpose, ...] = ("order", "caption", "crop", "replacement")
_GAMMA = 0x9E3779B97F4A7C15


def draws(seed: int, purpose: Purpose, epoch: int, items: Int64[np.ndarray, "n"]) -> UInt64[np.ndarray, "n"]:
    """One 64-bit number for each item.

    Args:
      seed: any integer.
      purpose: numbers for different ones have nothing to do with each other.
      epoch: likewise.
      items: not negative.

    Source: Steele, Lea, Flood 2014, Fast splittable pseudorandom number generators (SplitMix64), its finalizer nested.
    """
    state = _mixed(np.array([seed % 2**64], np.uint64))
    for word in (_PURPOSES.index(purpose), epoch):
        state = _mixed(state ^ _mixed(np.array([word], np.uint64)))
    return _mixed(state ^ _mixed(items.astype(np.uint64)))


def uniform(numbers: UInt64[np.ndarray, "n"]) -> Float64[np.ndarray, "n"]:
    """The same as fractions, in [0, 1)."""
    return (numbers >> np.uint64(11)) * 2.0**-53


def _mixed(x: UInt64[np.ndarray, "n"]) -> UInt64[np.ndarray, "n"]:
    x = x + np.uint64(_GAMMA)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
