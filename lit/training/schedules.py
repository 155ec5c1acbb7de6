"""The learning rate over the steps of a run.

Source: github.com/google-research/big_vision, utils.py, create_learning_rate_schedule (decay_type cosine, rsqrt).
"""

import jax.numpy as jnp
import optax
from jax.typing import ArrayLike
from jaxtyping import Array, Float32

from lit.training.recipe import TrainConfig

#: Steps after which the inverse square root has fallen to 1 / sqrt(2): big_vision's default.
RSQRT_TIMESCALE = 10_000


def schedule(config: TrainConfig) -> optax.Schedule:
    """Step (0 is the first) -> learning rate, float32; also under `jax.jit`.

    With `p = (step - warmup) / (steps - warmup)`, clipped to [0, 1], the peak is multiplied by

    - cosine: `(1 + cos(pi p)) / 2`;
    - rsqrt: `1 / sqrt(1 + (step - warmup) / 10,000)` after the warm-up, and linearly down to 0 in the cool-down;
    - both: `step / warmup` before its end.  The first step of a run with a warm-up has a learning rate of 0.
    """
    c, peak = config.schedule, config.optimizer.learning_rate

    def learning_rate(step: ArrayLike) -> Float32[Array, ""]:
        at = jnp.asarray(step, jnp.float32)
        after = jnp.maximum(at - c.warmup_steps, 0)
        if c.kind == "cosine":
            progress = jnp.clip(after / max(c.steps - c.warmup_steps, 1), 0, 1)
            rate = peak * 0.5 * (1 + jnp.cos(jnp.pi * progress))
        else:
            rate = peak / jnp.sqrt(1 + after / RSQRT_TIMESCALE)
        if c.warmup_steps:
            rate = rate * jnp.minimum(1, at / c.warmup_steps)
        if c.cooldown_steps:
            rate = rate * jnp.clip((c.steps - at) / c.cooldown_steps, 0, 1)
        return rate

    return learning_rate
