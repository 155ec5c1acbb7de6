"""What learns and what is locked: two trees that are kept apart.

A locked parameter never enters `jax.grad`, nor the state of an optimizer: the function that is differentiated takes
the trained tree and merges the locked one into it.
"""

import enum
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

from lit.checkpoints import flatten, unflatten
from lit.errors import ConfigError

Side = Literal["image", "text"]
#: Each side, and the name of its tower among the parameters.
_SIDES: dict[Side, str] = {"image": "img", "text": "txt"}


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
    def locked(self) -> tuple[Side, ...]:
        """The sides that are locked: "image", "text"."""
        return tuple(side for side, letter in zip(_SIDES, self.value, strict=True) if letter == "L")


def trained_names(names: Iterable[str], lock: Lock, *, heads: Collection[str] = ()) -> frozenset[str]:
    """Which parameters learn: `t`, `b`, all of an unlocked side, and the heads that learn on a locked one.

    Args:
      names: '/'-joined names of all parameters.
      lock: of the towers; a side's own head (`img_head`) goes with its tower.
      heads: paths of the heads that learn whatever the lock ("img/head").
    """
    locked = {_SIDES[side] for side in lock.locked}
    fixed = {name for side in locked for name in (side, f"{side}_head")}

    def learns(name: str) -> bool:
        return name.split("/")[0] not in fixed or any(name.startswith(f"{head}/") for head in heads)

    return frozenset(filter(learns, names))


def split(params: Mapping[str, Any], trained: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Nested parameters in two: those that learn, and those that are locked.  Either part may be empty.

    Args:
      params: nested; leaves are not copied.
      trained: '/'-joined names of those that learn.

    Raises:
      ConfigError: `trained` names parameters that there are not.
    """
    flat, trained = flatten(params), set(trained)
    unknown = sorted(trained - set(flat))
    if unknown:
        raise ConfigError(f"these parameters are to learn and are not in the model: {', '.join(unknown)}.")
    learn = {name: leaf for name, leaf in flat.items() if name in trained}
    return unflatten(learn), unflatten({name: leaf for name, leaf in flat.items() if name not in trained})


def merge(trained: Mapping[str, Any], locked: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `split`: one nested tree, ready for `module.apply`; the leaves are the same objects.

    Raises:
      ConfigError: a parameter is in both parts.
    """
    learn, fixed = flatten(trained), flatten(locked)
    both = sorted(set(learn) & set(fixed))
    if both:
        raise ConfigError(f"these parameters are trained and locked at once: {', '.join(both)}.")
    return unflatten(learn | fixed)
