"""What a start takes over, and what it draws."""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lit import checkpoints
from lit.config import BertConfig, HeadConfig, ImageTowerConfig, LiTConfig, TextTowerConfig
from lit.nn import two_towers
from lit.nn.heads import build_head
from lit.training.recipe import TrainConfig
from lit.training.starts.side import Side

#: Where scale and bias begin.  Source: arXiv 2303.15343 (SigLIP), section 3.2; big_vision, `temperature_init=10.0`.
LOGIT_SCALE, LOGIT_BIAS = 10.0, -10.0


def kept_scale(config: TrainConfig, model: LiTConfig, text: Side) -> dict[str, np.ndarray]:
    """`t` and `b` of the model that both towers come from, where the recipe does not set them anew."""
    if text.whole is None or config.model.image != config.model.text:
        return {}
    asked = {"t": config.objective.logit_scale, "b": config.objective.logit_bias}
    wanted = ("t", "b") if model.bias else ("t",)
    have = text.whole.params
    return {name: have[name] for name in wanted if name in have and asked[name] is None}


def completed(config: TrainConfig, model: LiTConfig, old: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Nested parameters: the old ones as they are, the others drawn.

    What is drawn for a parameter depends on the recipe's seed and on its name, and not on what else is drawn.
    """
    names = two_towers.param_shapes(model)
    scale, bias = config.objective.logit_scale, config.objective.logit_bias
    flat = {
        "t": np.full(1, math.log(LOGIT_SCALE if scale is None else scale), np.float32),
        "b": np.full(1, LOGIT_BIAS if bias is None else bias, np.float32),
        **old,
    }
    key = jax.random.key(config.seed)
    parts = (("img", model.image), ("txt", model.text), ("img_head", model.image_head), ("txt_head", model.text_head))
    for number, (place, part) in enumerate(parts):
        prefix = f"{place}/"
        fresh = tuple(n.removeprefix(prefix) for n in names if n.startswith(prefix) and n not in old)
        if fresh:
            assert part is not None  # it has parameters
            width = (model.text if place == "txt_head" else model.image).features
            drawn = _drawer(part, width, fresh)(jax.random.fold_in(key, number))
            flat |= {prefix + name: np.asarray(array) for name, array in drawn.items()}
    return checkpoints.unflatten({name: flat[name] for name in names})


# Compiling takes seconds, and several starts may draw the same tower.
@functools.lru_cache(maxsize=32)
def _drawer(
    part: ImageTowerConfig | TextTowerConfig | HeadConfig, width: int, names: tuple[str, ...]
) -> Callable[[Any], dict[str, jax.Array]]:
    """Key -> these parameters of a tower, or of a head on features so wide.

    Under `jit` what is not returned is not computed, the pass included.
    """
    module = build_head(part) if isinstance(part, HeadConfig) else two_towers.build_tower(part)
    inputs = jnp.zeros((1, width)) if isinstance(part, HeadConfig) else _input(part)

    @jax.jit
    def draw(key: Any) -> dict[str, jax.Array]:
        flat = checkpoints.flatten(module.init(key, inputs)["params"])
        return {name: flat[name] for name in names}

    return draw


def _input(tower: ImageTowerConfig | TextTowerConfig) -> jax.Array:
    if isinstance(tower, ImageTowerConfig):
        return jnp.zeros((1, tower.image_size, tower.image_size, 3), jnp.float32)
    return jnp.zeros((1, 1 if isinstance(tower, BertConfig) else tower.context_length), jnp.int32)
