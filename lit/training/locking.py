"""What learns and what is locked: two trees that are kept apart.

A locked parameter never enters `jax.grad`, nor the state of an optimizer: the function that is differentiated takes
the trained tree and merges the locked one into it.
"""

import enum
from collections.abc import Collection, Iterable, Mapping
from typing import Any


class Lock(enum.Enum):
    """Both towers, image first.  L: locked; U: unlocked, from a checkpoint; u: unlocked, from scratch.

    Source: arXiv 2111.07991 (LiT), figure 2.
    """

    LL = "LL"
    LU = "LU"
    Lu = "Lu"
    UL = "UL"
    UU = "UU"
    Uu = "Uu"
    uL = "uL"
    uU = "uU"
    uu = "uu"

    @property
    def locked(self) -> tuple[str, ...]:
        """The sides that are locked: "image", "text"."""
        return tuple(side for side, letter in zip(("image", "text"), self.value, strict=True) if letter == "L")


def trained_names(names: Iterable[str], lock: Lock, *, heads: Collection[str] = ()) -> frozenset[str]:
    """Which parameters learn: `t`, `b`, all of an unlocked side, and the heads that learn on a locked one.

    Args:
      names: '/'-joined names of all parameters.
      lock: of the towers; a side's own head (`img_head`) goes with its tower.
      heads: prefixes of the heads that learn whatever the lock ("img/head").
    """
    raise NotImplementedError


def split(params: Mapping[str, Any], trained: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Nested parameters in two: those that learn, and those that are locked.

    Raises:
      ConfigError: nothing would learn, or `trained` names parameters that there are not.
    """
    raise NotImplementedError


def merge(trained: Mapping[str, Any], locked: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `split`: one nested tree, ready for `module.apply`; the leaves are the same objects."""
    raise NotImplementedError
