"""Optimizers: from gradients to updates, with clipping, the schedule, and a weight decay that spares what it should."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from lit.checkpoints import flatten, unflatten
from lit.training.recipe import OptimizerConfig, TrainConfig

#: The last name of parameters that decay: not biases, norms, positions, t, b, nor the table of words, of which a small
#: corpus lacks most: they would only decay.  Source: big_vision, configs: `wd_mults = [('.*/kernel$', 1.0)]`.
DECAYED = "kernel"

#: The second moment of a matrix is factored where both sides are at least this long, and its decay rate is
#: `1 - step ** -0.8`, up to `beta2`.  Source: big_vision, optax.py, scale_by_adafactor; arXiv 2106.04560, section 3.4.
ADAFACTOR_MIN_SIDE = 32
ADAFACTOR_EXPONENT = 0.8


def optimizer(
    config: TrainConfig,
    schedule: optax.Schedule,
    params: Mapping[str, Any],
    *,
    pretrained: Collection[str] = (),
) -> optax.GradientTransformation:
    """The transformation of gradients into updates; `optax.apply_updates` adds them.

    In order: clip by the global norm; the optimizer's direction; weight decay; the learning rate, negated.

    Args:
      config: the recipe.
      schedule: step -> learning rate (`lit.training.schedules.schedule`).
      params: nested parameters that learn; their names alone are looked at.
      pretrained: '/'-joined names of those that came from a checkpoint (`Start.pretrained`).
    """
    c = config.optimizer
    old = unflatten({name: name in pretrained for name in flatten(params)})
    new = jax.tree.map(lambda o: not o, old)
    decays = decay_mask(params)
    steps = [optax.clip_by_global_norm(c.clip_norm)] if c.clip_norm else []
    steps.append(_direction(c))
    for those, factor in ((new, 1.0), (old, c.pretrained_weight_decay_factor)):
        if c.weight_decay * factor:
            mask = jax.tree.map(lambda a, b: a and b, those, decays)
            steps.append(optax.add_decayed_weights(c.weight_decay * factor, mask))
    if c.pretrained_learning_rate_factor != 1:
        steps.append(optax.masked(optax.scale(c.pretrained_learning_rate_factor), old))
    return _promoting(optax.chain(*steps, optax.scale_by_learning_rate(schedule)))


def _promoting(inner: optax.GradientTransformation) -> optax.GradientTransformation:
    """The same where JAX is set to refuse mixed types: optax raises floats to the power of a whole number."""

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        with jax.numpy_dtype_promotion("standard"):
            return inner.update(updates, state, params)

    return optax.GradientTransformation(inner.init, update)


def decay_mask(params: Mapping[str, Any]) -> dict[str, Any]:
    """Nested like the parameters: True where weight decay applies."""
    return unflatten({name: name.split("/")[-1] == DECAYED for name in flatten(params)})


def _direction(config: OptimizerConfig) -> optax.GradientTransformation:
    if config.kind == "adamw":
        return optax.scale_by_adam(config.beta1, config.beta2)
    if config.kind == "lion":
        return optax.scale_by_lion(config.beta1, config.beta2)
    return scale_by_adafactor(config.beta1, config.beta2)


def scale_by_adafactor(momentum: float, beta2_cap: float) -> optax.GradientTransformation:
    """big_vision's Adafactor: no scaling by the size of parameters, no clipping of updates, momentum in bfloat16.

    Source: github.com/google-research/big_vision, optax.py, scale_by_adafactor; arXiv 2106.04560, section 3.4.
    """

    def decay_rate(step: Any, exponent: Any) -> jax.Array:
        return jnp.minimum(beta2_cap, 1 - jnp.asarray(step + 1, jnp.float32) ** -exponent)

    second_moment = optax.scale_by_factored_rms(
        decay_rate=ADAFACTOR_EXPONENT, min_dim_size_to_factor=ADAFACTOR_MIN_SIDE, decay_rate_fn=decay_rate
    )
    return optax.chain(second_moment, scale_by_momentum(momentum)) if momentum else second_moment


class MomentumState(NamedTuple):
    """Averages of past updates, in bfloat16."""

    average: Any


def scale_by_momentum(decay: float) -> optax.GradientTransformation:
    """`decay * average + (1 - decay) * update`, kept in bfloat16, computed and handed on in float32.

    `optax.ema` multiplies before it widens, by a decay that bfloat16 has rounded (0.9 becomes 0.8984).
    """

    def init(params: Any) -> MomentumState:
        return MomentumState(jax.tree.map(lambda p: jnp.zeros_like(p, jnp.bfloat16), params))

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, MomentumState]:
        del params
        new = jax.tree.map(lambda u, m: decay * m.astype(u.dtype) + (1 - decay) * u, updates, state.average)
        return new, MomentumState(jax.tree.map(lambda m: m.astype(jnp.bfloat16), new))

    return optax.GradientTransformation(init, update)


def averaged(average: Any, params: Any, *, decay: float, step: int | jax.Array) -> Any:
    """The exponential moving average of parameters after one more step.

    `average` begins as a copy of the parameters.  The decay grows with the steps, `min(decay, (1 + step) / (10 +
    step))`, so that the first parameters are soon forgotten.

    Args:
      average: nested float32, like `params`.
      params: after the step.
      decay: in [0, 1).
      step: 0 for the first.

    Source: TensorFlow, tf.train.ExponentialMovingAverage, `num_updates`.
    """
    at = jnp.asarray(step, jnp.float32)
    d = jnp.minimum(decay, (1 + at) / (10 + at))
    return jax.tree.map(lambda a, p: d * a + (1 - d) * p, average, params)
