"""Parameters into a model: everything fits, or one error says everything that does not."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from lit.checkpoints.names import unflatten
from lit.checkpoints.resample import can_resample, resample
from lit.config import ImageTowerConfig, LiTConfig, TextTowerConfig, ViTConfig
from lit.errors import CheckpointError, ParamsMismatchError
from lit.nn.two_towers import param_shapes

_SCANNED = re.compile(r"(.*?)(Transformer|Encoder_\d+)/encoderblock/(.+)")
_MOST_NAMED = 20


def fit(
    flat: Mapping[str, np.ndarray],
    config: LiTConfig | ImageTowerConfig | TextTowerConfig,
    *,
    source: str,
    resize: bool = False,
) -> dict[str, Any]:
    """Compares parameters with what a model needs, and nests them.

    Blocks that were stored as one stack (big_vision's `scan`) are taken apart.  A bare vit_jax image tower without a
    representation layer or without a head drops the checkpoint's `pre_logits` or `head`, as vit_jax's `load_pretrained`
    does; in a whole model nothing is dropped.

    Args:
      flat: '/'-joined name -> array of floating-point numbers, in any precision.
      config: a whole model, or one tower.
      source: where the parameters are from, for messages.
      resize: a ViT's learned position embedding of another image size is resampled to `config`'s; without this it is
        of the wrong shape.

    Returns:
      Nested float32 parameters; arrays that are float32 already are not copied.

    Raises:
      ParamsMismatchError: parameters are missing, unexpected, or of the wrong shape: all of them at once.
      CheckpointError: parameters are not floating-point, or hold NaN or infinity; it names them.
    """
    want = param_shapes(config)
    have = _unstacked(flat)
    if isinstance(config, ViTConfig) and config.layout == "vit_jax":
        have = _without_classifier(have, config)
    if resize:
        have = {name: _resized(name, array, want) for name, array in have.items()}
    shapes = {name: tuple(array.shape) for name, array in have.items()}
    missing = [n for n in want if n not in shapes]
    unexpected = [n for n in shapes if n not in want]
    wrong = {n: (shapes[n], want[n]) for n in want if n in shapes and shapes[n] != want[n]}
    if missing or unexpected or wrong:
        raise ParamsMismatchError(source, missing=missing, unexpected=unexpected, wrong_shape=wrong)
    return unflatten(_finite({name: have[name] for name in want}, source))


def _unstacked(flat: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    apart = {}
    for name, array in flat.items():
        match = _SCANNED.fullmatch(name)
        if match and array.ndim:
            outer, stack, inner = match.groups()
            apart |= {f"{outer}{stack}/encoderblock_{i}/{inner}": layer for i, layer in enumerate(array)}
        else:
            apart[name] = array
    return apart


def _without_classifier(have: dict[str, np.ndarray], config: ViTConfig) -> dict[str, np.ndarray]:
    unwanted = {"pre_logits": config.representation_size is None, "head": config.out_dim is None}
    return {name: array for name, array in have.items() if not unwanted.get(name.split("/")[0], False)}


def _resized(name: str, array: np.ndarray, want: Mapping[str, tuple[int, ...]]) -> np.ndarray:
    shape = want.get(name)
    # A text's position embedding has the same name in big_vision, but no grid behind it.
    if shape is None or name.startswith("txt/") or not name.endswith("pos_embedding") or array.ndim != 3:
        return array
    alike = array.shape[0] == shape[0] == 1 and array.shape[2] == shape[2]
    if not alike or array.shape == shape or not can_resample(array.shape[1], shape[1]):
        return array
    return resample(array.astype(np.float32), shape[1])


def _finite(flat: Mapping[str, np.ndarray], source: str) -> dict[str, np.ndarray]:
    """float32 throughout, and finite."""
    integers = [f"{n} ({a.dtype})" for n, a in flat.items() if not _is_floating(a)]
    if integers:
        raise CheckpointError(f"{source}: not floating-point: {_named(integers)}. Parameters must be.")
    flat = {name: array.astype(np.float32, copy=False) for name, array in flat.items()}
    # The extremes carry NaN and infinity on; unlike isfinite they need no memory.
    bad = [n for n, a in flat.items() if a.size and not (np.isfinite(a.min()) and np.isfinite(a.max()))]
    if bad:
        raise CheckpointError(
            f"{source}: {len(bad)} parameters hold NaN or infinity: {_named(bad)}. Nothing was loaded; the checkpoint "
            "is damaged, or its training diverged."
        )
    return flat


def _is_floating(array: np.ndarray) -> bool:
    # ml_dtypes' bfloat16 is of numpy's kind V.
    return array.dtype.kind == "f" or array.dtype.name == "bfloat16"


def _named(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
