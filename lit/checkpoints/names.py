"""Names of parameters: flat and nested, and what they were called before Flax Linen."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

_NUMBERED = re.compile(r"([A-Z].*)_\d+")
_GROUP_NORM = re.compile(r"(^|/)(gn\d+|gn_root|gn_proj)/(bias|scale)$")


def flatten(nested: Mapping[str, Any]) -> dict[str, Any]:
    """Nested parameters to flat ones, in the order in which they lie.

    >>> flatten({"img": {"cls": 1}, "t": 2})
    {'img/cls': 1, 't': 2}
    """
    flat = {}
    for name, value in nested.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}/{below}": leaf for below, leaf in flatten(value).items()}
        else:
            flat[name] = value
    return flat


def unflatten(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Flat parameters to nested ones.

    >>> unflatten({"img/cls": 1, "t": 2})
    {'img': {'cls': 1}, 't': 2}
    """
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = name.split("/")
        level = nested
        for part in path:
            level = level.setdefault(part, {})
        level[last] = value
    return nested


def modernise(flat: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Names and shapes as they were before Flax Linen, to those of today; a checkpoint of today is not changed.

    Before Linen all submodules of a module were counted together: LayerNorm_0, MultiHeadDotProductAttention_1,
    LayerNorm_2, MlpBlock_3.  Linen counts each class from 0, so siblings are put in natural order (2 before 10) and
    counted anew.  Only names that begin with a capital are class names; `encoderblock_3` was chosen by hand, and a
    checkpoint that lacks a block must not have the others moved up into its place.  The parameters of a group norm
    lose their axes of length 1.

    Source: flax.core, `convert_pre_linen`; vit_jax, checkpoint.py.
    """
    new = {old: _squeezed(old, value) for old, value in flat.items()}
    return flatten(_renumber(unflatten(new)))


def _squeezed(name: str, value: np.ndarray) -> np.ndarray:
    return value.squeeze() if _GROUP_NORM.search(name) else value


def _renumber(level: Mapping[str, Any]) -> dict[str, Any]:
    counts: dict[str, int] = {}
    renumbered = {}
    for name in sorted(level, key=natural):
        new = name
        if match := _NUMBERED.fullmatch(name):
            k = counts.get(match[1], 0)
            counts[match[1]] = k + 1
            new = f"{match[1]}_{k}"
        value = level[name]
        renumbered[new] = _renumber(value) if isinstance(value, Mapping) else value
    return renumbered


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key under which numbers inside names count as numbers."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]
