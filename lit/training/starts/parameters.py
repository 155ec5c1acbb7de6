"""What a start takes over, and what it draws."""

import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lit import checkpoints
from lit.config import LiTConfig
from lit.nn import two_towers
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
    """Nested parameters: the old ones as they are, the others drawn from the recipe's seed.

    What is drawn for a parameter depends on the seed and its name, and not on what else is drawn.
    """
    fresh = [name for name in two_towers.param_shapes(model) if name not in old]
    drawn = _drawn(model, config.seed, fresh) if fresh else {}
    scale, bias = config.objective.logit_scale, config.objective.logit_bias
    start = {
        "t": math.log(LOGIT_SCALE if scale is None else scale),
        "b": LOGIT_BIAS if bias is None else bias,
    }
    drawn |= {name: np.full(1, start[name], np.float32) for name in ("t", "b") if name in drawn}
    flat = {name: old[name] if name in old else drawn[name] for name in two_towers.param_shapes(model)}
    return checkpoints.unflatten(flat)


def _drawn(model: LiTConfig, seed: int, names: list[str]) -> dict[str, np.ndarray]:
    module = two_towers.build(model)
    size = model.image.image_size

    # Under `jit`, what is not returned is not computed, the towers' passes included.
    @jax.jit
    def draw(key: jax.Array) -> dict[str, jax.Array]:
        images = jnp.zeros((1, size, size, 3), jnp.float32)
        tokens = jnp.zeros((1, model.tokenizer.context_length), jnp.int32)
        flat = checkpoints.flatten(module.init(key, images, tokens)["params"])
        return {name: flat[name] for name in names}

    return {name: np.asarray(array) for name, array in draw(jax.random.key(seed)).items()}
