"""What a run would be: `lit train --dry-run`.  Nothing is written."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from lit.nn.two_towers import without_head
from lit.progress import duration
from lit.training.mesh import everywhere, put_batch
from lit.training.prepare import Prepared
from lit.training.state import num_bytes, num_params
from lit.training.workplace import saved_step

#: Steps that are timed, after one that compiles.
_TIMED = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainPlan:
    """A run before it begins.

    Attributes:
      corpus: its name.
      images, captions: that it has.
      trained, locked: parameters.
      state_bytes: of trained parameters, the optimizer's state and the average, over all devices.
      step_bytes: what one device holds at the peak of a step, as compiled; None where the backend does not say.
      devices: how many, and what they are.
      steps, first_step: of the run, and where it would go on.
      pairs, epochs: seen in all steps.
      seconds_per_step: measured with made-up pairs; None where it was not.
      problem: why it was not, such as that the memory does not suffice.
      embeds: whether the images are embedded first; how long that takes depends on what is stored.
    """

    corpus: str
    images: int
    captions: int
    trained: int
    locked: int
    state_bytes: int
    step_bytes: int | None
    devices: str
    steps: int
    first_step: int
    pairs: int
    epochs: float
    seconds_per_step: float | None
    problem: str
    embeds: bool

    def __str__(self) -> str:
        memory = "unknown" if self.step_bytes is None else _gigabytes(self.step_bytes)
        left = max(self.steps - self.first_step, 0)
        if self.seconds_per_step is None:
            takes = f"unknown ({self.problem})"
        else:
            takes = f"{duration(self.seconds_per_step * left)} for {left:,} steps of {self.seconds_per_step:.3g} s"
        rows = {
            "corpus": f"{self.corpus}: {self.images:,} images, {self.captions:,} captions",
            "parameters": f"{self.trained:,} trained, {self.locked:,} locked",
            "devices": self.devices,
            "memory": f"{memory} a device at the peak of a step; {_gigabytes(self.state_bytes)} of state over all",
            "steps": f"{self.steps:,}" + (f", going on at {self.first_step:,}" if self.first_step else ""),
            "pairs seen": f"{self.pairs:,} ({self.epochs:.1f} times each image)",
            "time": takes + (", reading not counted" if self.seconds_per_step is not None else ""),
            "before": "each image is embedded once; stored ones are not computed again" if self.embeds else "nothing",
        }
        return "\n".join(f"{name:<11} {value}" for name, value in rows.items())


def plan_of(prepared: Prepared, *, measure: bool = True, fresh: bool = False) -> TrainPlan:
    """Compiles the step and times it on made-up pairs.

    Args:
      prepared: from `prepare`.
      measure: False does not compile: memory and time stay unknown.
      fresh: the run in the folder does not matter, as in `lit.training.train`.
    """
    recipe, corpus, learning = prepared.recipe, prepared.corpus, prepared.learning
    step_bytes, seconds, problem = None, None, "not measured"
    if measure:
        try:
            step_bytes, seconds = _measured(prepared)
            problem = ""
        except jax.errors.JaxRuntimeError as error:
            problem = str(error).splitlines()[0]
    pairs = recipe.batch.size * recipe.schedule.steps
    return TrainPlan(
        corpus=corpus.name,
        images=len(corpus),
        captions=sum(map(len, corpus.texts)),
        trained=num_params(prepared.trained),
        locked=num_params(prepared.locked),
        state_bytes=num_bytes(learning.abstract_state(prepared.trained)),
        step_bytes=step_bytes,
        devices=f"{learning.mesh.size} x {jax.devices()[0].device_kind}, {recipe.batch.precision}",
        steps=recipe.schedule.steps,
        first_step=0 if fresh else saved_step(Path(recipe.output)),
        pairs=pairs,
        epochs=pairs / len(corpus),
        seconds_per_step=seconds,
        problem=problem,
        embeds=recipe.cached,
    )


def _measured(prepared: Prepared) -> tuple[int | None, float]:
    """Bytes on a device at the peak of a step, and seconds of one."""
    learning = prepared.learning
    state = learning.initial_state(prepared.trained)
    locked = jax.device_put(prepared.locked, everywhere(learning.mesh))
    batch = put_batch(learning.mesh, made_up_batch(prepared))
    compiled = learning.make_step(state).lower(state, locked, batch).compile()
    memory: Any = compiled.memory_analysis()
    # Arguments and results share memory where the state is donated.
    needed = ("argument_size_in_bytes", "output_size_in_bytes", "temp_size_in_bytes")
    total = None if memory is None else sum(getattr(memory, n) for n in needed) - memory.alias_size_in_bytes
    state, figures = compiled(state, locked, batch)
    jax.block_until_ready(figures)
    began = time.perf_counter()
    for _ in range(_TIMED):
        state, figures = compiled(state, locked, batch)
    jax.block_until_ready((state, figures))
    return total, (time.perf_counter() - began) / _TIMED


def made_up_batch(prepared: Prepared) -> dict[str, np.ndarray]:
    """This process's rows of a batch of the right shapes, drawn at random."""
    config, recipe = prepared.start.config, prepared.recipe
    rows, rng = recipe.batch.size // jax.process_count(), np.random.default_rng(0)
    ids = min(prepared.start.tokenizer.vocab_size, config.text.vocab_size)
    tokens = rng.integers(1, ids, (rows, prepared.start.tokenizer.context_length), dtype=np.int32)
    if (kind := recipe.image_rows) != "pixels":
        width = config.dim if kind == "zimg" else without_head(config.image).features
        vectors = rng.normal(size=(rows, width)).astype(np.float32)
        return {"tokens": tokens, kind: vectors / np.linalg.norm(vectors, axis=1, keepdims=True)}
    size = config.preprocess.image_size
    return {"tokens": tokens, "pixels": rng.integers(0, 256, (rows, size, size, 3), dtype=np.uint8)}


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"
