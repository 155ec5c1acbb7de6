"""The steps of a run, from where it stands to its end, or to the signal that stops it."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from lit.captions import Batch, Batches
from lit.errors import DivergedError
from lit.training.checkpoints import Checkpoints
from lit.training.mesh import put_batch
from lit.training.meter import Meter
from lit.training.prepare import Prepared
from lit.training.schedules import schedule
from lit.training.signals import REQUESTS, Stop
from lit.training.state import TrainState, is_finite
from lit.training.step import Figures

#: Several processes ask each other this often whether one of them was told to stop; one process looks at each step.
_ASK_EVERY = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a loop reports to.

    Attributes:
      checkpoints: where states go.
      report: takes the record of each step.
      evaluate: is called with a state every `evaluate.every` steps.
      stop: whether to end early.
      kept: what a checkpoint holds beside the state and the place in the data.
    """

    checkpoints: Checkpoints
    report: Callable[[Mapping[str, Any]], None]
    evaluate: Callable[[TrainState], None]
    stop: Stop
    kept: Mapping[str, Any]


def run_steps(
    prepared: Prepared, step: Any, state: TrainState, locked: Any, batches: Batches, around: Surroundings
) -> TrainState:
    """Takes the steps that are left, and returns the last state, which is saved.

    The figures of a step are read while the next one computes, so that neither waits for the other.

    Raises:
      DivergedError: the loss, a gradient or a parameter is no number; nothing of it was saved.
      OutputError: a checkpoint could not be written.
    """
    config = prepared.recipe
    done, steps = int(state.step), config.schedule.steps
    scribe = _Scribe(prepared, around)
    while done < steps:
        began = time.perf_counter()
        batch = next(batches)
        waited = time.perf_counter() - began
        state, figures = step(state, locked, put_batch(prepared.learning.mesh, rows_of(batch, config.image_rows)))
        done += 1
        scribe.write()
        scribe.take(done, figures, waited)
        stopping = _agreed(around.stop, done)
        if stopping or done == steps or done % config.checkpoint.every == 0:
            scribe.write()  # what is not finite must not be saved
            scribe.check(state)
            around.checkpoints.save(done, state, {"data": batches.state(), **around.kept})
        if stopping:
            break
        if config.evaluate.every and done % config.evaluate.every == 0 and done < steps:
            scribe.write()
            around.evaluate(state)
            scribe.begin()
    scribe.write()
    around.checkpoints.wait()
    return state


def rows_of(batch: Batch, kind: str) -> dict[str, np.ndarray]:
    """What a step takes of a batch, whose images are of this kind (`TrainConfig.image_rows`)."""
    images = batch.pixels if batch.vectors is None else np.ascontiguousarray(batch.vectors)
    assert images is not None  # a batch has one of the two
    return {"tokens": batch.tokens, kind: images}


class _Scribe:
    """Holds a step's figures until the next one is on its way, then reads, checks and reports them."""

    def __init__(self, prepared: Prepared, around: Surroundings) -> None:
        self._around, self._meter = around, Meter(prepared.recipe.batch.size)
        self._learning_rate, self._peak = schedule(prepared.recipe), prepared.recipe.optimizer.learning_rate
        self._held: tuple[int, Figures] | None = None
        self._finite: Mapping[str, Any] = {}
        self.begin()

    def begin(self) -> None:
        """From now on time is a step's."""
        self._since = time.perf_counter()

    def take(self, step: int, figures: Figures, waited: float) -> None:
        """A step is under way; the one before it was written."""
        self._held = step, figures
        self._meter.add(time.perf_counter() - self._since, waited)
        self.begin()

    def write(self) -> None:
        """Reports what is held, if anything is."""
        if self._held is None:
            return
        (step, figures), self._held = self._held, None
        values = {name: np.asarray(value).item() for name, value in jax.device_get(figures)._asdict().items()}
        rate = np.asarray(self._learning_rate(step - 1)).item()
        record = {"step": step, **values, "learning_rate": rate, **self._meter.figures}
        self._around.report(record)
        if not (math.isfinite(values["loss"]) and math.isfinite(values["gradient_norm"])):
            raise DivergedError(self._advice(record))
        self._finite = record

    def check(self, state: TrainState) -> None:
        """Raises DivergedError where a step with finite figures left a state that is not: its update was too long."""
        if not is_finite(state):
            record = {**self._finite, "step": int(state.step)}
            raise DivergedError(self._advice(record, "but it left parameters that are not finite"))

    def _advice(self, record: Mapping[str, Any], left: str = "") -> str:
        before = "it was so from the first step of this run on: look at the parameters that it started from"
        if self._finite:
            f = self._finite
            before = (
                f"the last finite step was {f['step']:,} (loss {f['loss']:.4g}, gradient norm {f['gradient_norm']:.3g},"
                f" logit scale {f['logit_scale']:.3g})"
            )
        saved = self._around.checkpoints.steps
        kept = f"the checkpoint of step {saved[-1]:,} is from before" if saved else "no checkpoint was written yet"
        return (
            f"step {record['step']:,}: the loss is {record['loss']} and the gradient norm {record['gradient_norm']}; "
            f"{left or before}; the learning rate is {record['learning_rate']:.3g} "
            f"(optimizer.learning_rate = {self._peak:g}). "
            f"Nothing of this step was saved, and {kept}. Try a tenth of the learning rate, a longer "
            "schedule.warmup_steps, or a smaller optimizer.clip_norm."
        )


def _agreed(stop: Stop, step: int) -> bool:
    """Whether to end here; several processes must end at the same step, and all say for which signal."""
    if jax.process_count() == 1:
        return bool(stop.requested)
    if step % _ASK_EVERY:
        return False
    told = REQUESTS[np.max(multihost_utils.process_allgather(np.asarray(REQUESTS.index(stop.requested))))]
    stop.requested = told or stop.requested  # a signal may have come meanwhile
    return bool(told)
