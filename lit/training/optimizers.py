"""Optimizers: from gradients to updates, with clipping, the schedule, and a weight decay that spares what it should."""

from collections.abc import Collection, Mapping
from typing import Any

import jax
import optax

from lit.checkpoints import flatten, unflatten
from lit.training.recipe import TrainConfig

#: The last names of parameters that decay: those of matrices and tables; not biases, norms, positions, t and b.
DECAYED = ("kernel", "embedding")


def optimizer(
    config: TrainConfig,
    schedule: optax.Schedule,
    params: Mapping[str, Any],
    *,
    pretrained: Collection[str] = (),
) -> optax.GradientTransformation:
    """The transformation of gradients into updates (`optax.apply_updates` adds them).

    Args:
      config: the recipe.
      schedule: step -> learning rate.
      params: nested parameters that learn (their values are not looked at).
      pretrained: '/'-joined names of those that came from a checkpoint (`Start.pretrained`).
    """
    raise NotImplementedError


def decay_mask(params: Mapping[str, Any]) -> dict[str, Any]:
    """Nested like the parameters: True where weight decay applies."""
    return unflatten({name: name.split("/")[-1] in DECAYED for name in flatten(params)})


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
    raise NotImplementedError
