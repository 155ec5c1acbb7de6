"""A toy to learn: pictures of a few kinds, embedded, and captions that name the kind."""

import functools
from typing import Any

import jax
import numpy as np
from tiny import random_params

from lit import checkpoints
from lit.config import LiTConfig, PreprocessConfig, TextTransformerConfig, TokenizerConfig, ViTConfig, from_dict
from lit.nn.two_towers import param_shapes
from lit.training.locking import Lock, split, trained_names
from lit.training.mesh import everywhere, make_mesh, put_batch
from lit.training.optimizers import optimizer
from lit.training.recipe import TrainConfig
from lit.training.schedules import schedule
from lit.training.state import TrainState
from lit.training.step import Figures, Learning

DIM, CONTEXT, VOCAB = 32, 8, 200


def recipe(**sections) -> TrainConfig:
    """A recipe with small numbers; `sections` are tables that change it."""
    values = {
        "name": "toy",
        "output": "unused",
        "model": {"text_tower": text_tower_table(), "image": "embedded"},
        "data": {"source": "unused"},
        "schedule": {"steps": 20},
        "batch": {"size": 16, "data": 1},
        "optimizer": {"learning_rate": 0.01},
    }
    for name, table in sections.items():
        values[name] = {**values.get(name, {}), **table} if isinstance(table, dict) else table
    return from_dict(TrainConfig, values)


def text_tower_table() -> dict:
    return {
        "kind": "text-transformer", "width": 32, "depth": 1, "mlp_dim": 64, "num_heads": 2, "vocab_size": VOCAB,
        "context_length": CONTEXT,
    }  # fmt: skip


def model_config(**changes) -> LiTConfig:
    fields = {
        "name": "toy",
        "image": ViTConfig.of_size("mu/16", image_size=32),
        "text": from_dict(TextTransformerConfig, {**text_tower_table(), "out_dim": DIM}),
        "dim": DIM,
        "tokenizer": TokenizerConfig(kind="wordpiece", context_length=CONTEXT),
        "preprocess": PreprocessConfig(image_size=32),
    }
    return LiTConfig(**{**fields, **changes})


def random(config: LiTConfig) -> dict:
    """Nested random parameters."""
    flat = random_params(config)
    if config.bias:
        flat["b"] = np.full(1, -10, np.float32)
    return checkpoints.fit(flat, config, source="random")


def batch_of(step: int, size: int = 16, *, pixels: bool = False) -> dict[str, np.ndarray]:
    """Pairs of one step: each of a kind of its own, with a caption that says which."""
    rng = np.random.default_rng(step)
    kinds = rng.permutation(64)[:size]
    centres = np.random.default_rng(99).normal(size=(64, DIM))
    zimg = centres[kinds] + 0.1 * rng.normal(size=(size, DIM))
    zimg /= np.linalg.norm(zimg, axis=1, keepdims=True)
    tokens = np.zeros((size, CONTEXT), np.int32)
    tokens[:, 0], tokens[:, 1], tokens[:, 2] = 2, 10 + kinds, rng.integers(100, 120, size)
    if pixels:
        return {"tokens": tokens, "pixels": rng.integers(0, 256, (size, 32, 32, 3), dtype=np.uint8)}
    return {"tokens": tokens, "zimg": zimg.astype(np.float32)}


@functools.lru_cache
def _compiled(config: TrainConfig, model: LiTConfig) -> tuple[Learning, TrainState, Any]:
    """Once for each recipe: the step of the toy compiles for seconds."""
    names = trained_names(param_shapes(model), Lock(config.model.lock), heads=_heads(config))
    trained, _ = split(random(model), names)
    how = optimizer(config, schedule(config), trained)
    learning = Learning(recipe=config, model=model, optimizer=how, mesh=make_mesh(config))
    like = learning.abstract_state(trained)
    return learning, like, learning.make_step(like)


def _heads(config: TrainConfig) -> list[str]:
    return ["img/head", "img_head"] if config.model.image_learns else []


class Run:
    """A training without files."""

    def __init__(self, config: TrainConfig, params: dict | None = None, model: LiTConfig | None = None) -> None:
        self.model = model or model_config(bias=config.objective.loss == "sigmoid")
        params = params or random(self.model)
        names = trained_names(checkpoints.flatten(params), Lock(config.model.lock), heads=_heads(config))
        self.trained, locked = split(params, names)
        self.learning, self.like, self.step = _compiled(config, self.model)
        self.state = self.learning.initial_state(self.trained)
        self.locked = jax.device_put(locked, everywhere(self.learning.mesh))

    def do(self, steps: int, first: int = 0, **how) -> list[Figures]:
        """Figures of each step."""
        figures = []
        for n in range(first, first + steps):
            batch = put_batch(self.learning.mesh, batch_of(n, self.learning.recipe.batch.size, **how))
            self.state, measured = self.step(self.state, self.locked, batch)
            figures.append(measured)
        return [Figures(*(x.item() for x in f)) for f in jax.device_get(figures)]
