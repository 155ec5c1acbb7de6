"""Optimizers: against steps computed by hand in numpy; what decays, by the names of real towers; the average."""

import math

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import optax
import pytest
from recipes import recipe
from tiny import tiny_config

from lit.checkpoints import flatten, unflatten
from lit.config import TextTransformerConfig, TokenizerConfig, ViTConfig
from lit.nn.two_towers import param_shapes
from lit.training.optimizers import averaged, decay_mask, optimizer
from lit.training.schedules import schedule

#: One matrix that Adafactor factors, one that it does not, a table, a norm, a bias, the scale.
SHAPES = {
    "txt/a/kernel": (32, 40),
    "txt/b/kernel": (32, 8),
    "txt/Embed_0/embedding": (6, 4),
    "txt/norm/scale": (5,),
    "txt/a/bias": (3,),
    "t": (1,),
}
RATE = 0.01


def arrays(seed, size=1.0):
    rng = np.random.default_rng(seed)
    return {name: (size * rng.normal(size=shape)).astype(np.float32) for name, shape in SHAPES.items()}


def run(steps=3, *, gradients=lambda i: arrays(i + 1), pretrained=(), **section):
    """The flat parameters after each step at a constant learning rate, and the last state."""
    settings = {"learning_rate": RATE, "clip_norm": 0.0, **section}
    params = unflatten(arrays(0))
    transform = optimizer(recipe(optimizer=settings), lambda step: RATE, params, pretrained=pretrained)
    state = jax.jit(transform.init)(params)

    @jax.jit
    def step(params, state, gradient):
        updates, state = transform.update(gradient, state, params)
        return optax.apply_updates(params, updates), state

    history = []
    for i in range(steps):
        params, state = step(params, state, unflatten(gradients(i)))
        history.append({k: np.asarray(v) for k, v in flatten(params).items()})
    return history, state


def close(got, want, **tolerance):
    for name in SHAPES:
        np.testing.assert_allclose(got[name], want[name], err_msg=name, **({"rtol": 2e-5, "atol": 2e-6} | tolerance))


def by_hand(direction, *, decay=0.0, steps=3):
    """theta -= rate * (direction(gradient, memory, step) + decay * theta), in float64."""
    params = {k: v.astype(np.float64) for k, v in arrays(0).items()}
    memory = {name: {} for name in SHAPES}
    for i in range(steps):
        for name, g in arrays(i + 1).items():
            decayed = decay if name.endswith("kernel") else 0.0
            move = direction(g.astype(np.float64), memory[name], i + 1)
            params[name] = params[name] - RATE * (move + decayed * params[name])
    return params


def adam(g, memory, step, b1=0.9, b2=0.95):
    memory["m"] = b1 * memory.get("m", 0) + (1 - b1) * g
    memory["v"] = b2 * memory.get("v", 0) + (1 - b2) * g**2
    return memory["m"] / (1 - b1**step) / (np.sqrt(memory["v"] / (1 - b2**step)) + 1e-8)


def lion(g, memory, step, b1=0.9, b2=0.95):
    m = memory.get("m", 0)
    memory["m"] = b2 * m + (1 - b2) * g
    return np.sign(b1 * m + (1 - b1) * g)


def adafactor(g, memory, step, b1=0.9, cap=0.95):
    b2 = min(cap, 1 - step**-0.8)
    square = g**2 + 1e-30
    if g.ndim == 2 and min(g.shape) >= 32:
        rows = memory["r"] = b2 * memory.get("r", 0) + (1 - b2) * square.mean(1)
        columns = memory["c"] = b2 * memory.get("c", 0) + (1 - b2) * square.mean(0)
        second = np.outer(rows, columns) / rows.mean()
    else:
        second = memory["v"] = b2 * memory.get("v", 0) + (1 - b2) * square
    move = b1 * memory.get("m", 0) + (1 - b1) * g / np.sqrt(second)
    memory["m"] = move.astype(ml_dtypes.bfloat16).astype(np.float64)
    return move


def test_adamw():
    close(run(kind="adamw", weight_decay=0.1)[0][-1], by_hand(adam, decay=0.1))


def test_lion():
    close(run(kind="lion", weight_decay=0.1)[0][-1], by_hand(lion, decay=0.1))


@pytest.fixture(scope="module")
def long_run():
    """The steps of Adafactor, and what it keeps."""
    return run(200, kind="adafactor", weight_decay=0.1)


@pytest.mark.parametrize("steps", [1, 3, 42, 200])
def test_adafactor_in_the_variant_of_big_vision(long_run, steps):
    got = long_run[0][steps - 1]
    # Where float32 and float64 fall to either side of a bfloat16, momenta (below 2) differ by 2**-8, and the sum of
    # what this moves, as it fades by 0.9 a step, is nine times that.
    within = RATE * 9 * 2**-8
    close(got, by_hand(adafactor, decay=0.1, steps=steps), rtol=1e-4, atol=within)
    free = by_hand(lambda g, m, s: adafactor(g, m, s, cap=0.999), decay=0.1, steps=steps)
    # 1 - 43 ** -0.8 is the first above 0.95; before it the cap does nothing.
    assert any(np.abs(got[n] - free[n]).max() > 3 * within for n in SHAPES) == (steps == 200)


def test_adafactor_keeps_two_vectors_for_a_matrix_and_half_a_copy_as_momentum(long_run):
    leaves = jax.tree.leaves(long_run[1])
    numbers = sum(math.prod(shape) for shape in SHAPES.values())
    momentum = [leaf for leaf in leaves if leaf.dtype == jnp.bfloat16]
    assert sum(leaf.size for leaf in momentum) == numbers
    second = sum(leaf.size for leaf in leaves if leaf.dtype == jnp.float32 and leaf.size > 1)
    assert second == numbers - 32 * 40 + 32 + 40 - 1  # t is of size 1


def test_adafactor_without_momentum():
    got = run(1, kind="adafactor", beta1=0.0)[0][-1]
    close(got, by_hand(lambda g, m, s: adafactor(g, m, s, b1=0.0), steps=1))


@pytest.mark.parametrize("limit", [0.5, 0.0])
def test_a_gradient_is_clipped_by_its_global_norm(limit):
    large = {name: np.full(shape, 100, np.float32) for name, shape in SHAPES.items()}
    norm = 100 * math.sqrt(sum(math.prod(shape) for shape in SHAPES.values()))
    # Adam's step does not depend on the size of a gradient, but its memory does; 0 is no limit.
    _, state = run(1, kind="adamw", clip_norm=limit, gradients=lambda i: large)
    first_moment = next(leaf for leaf in jax.tree.leaves(state) if leaf.shape == SHAPES["txt/a/kernel"])
    assert float(first_moment[0, 0]) == pytest.approx(0.1 * 100 * (limit / norm if limit else 1), rel=1e-5)


def test_what_came_from_a_checkpoint_learns_and_decays_by_its_own_factors():
    got, _ = run(1, kind="lion", weight_decay=0.5, pretrained=("txt/a/kernel",),
                 pretrained_learning_rate_factor=0.25, pretrained_weight_decay_factor=0.0)  # fmt: skip
    first, sign = arrays(0), {k: np.sign(g) for k, g in arrays(1).items()}
    want = {k: first[k] - RATE * sign[k] for k in first}
    want["txt/b/kernel"] -= RATE * 0.5 * first["txt/b/kernel"]
    want["txt/a/kernel"] = first["txt/a/kernel"] - 0.25 * RATE * sign["txt/a/kernel"]
    close(got[-1], want, rtol=1e-6, atol=1e-7)


def test_the_schedule_sets_each_step():
    params = {"t": jnp.ones(1)}
    config = recipe(optimizer={"kind": "lion", "learning_rate": 1.0}, schedule={"warmup_steps": 4})
    transform = optimizer(config, schedule(config), params)
    state, step = transform.init(params), jax.jit(transform.update)
    for rate in (0.0, 0.25, 0.5):
        updates, state = step({"t": jnp.full(1, 3.0)}, state, params)
        assert float(updates["t"][0]) == -rate


TEXT = TextTransformerConfig.of_size("mu", vocab_size=200, out_dim=32, pool="map")
TOKENIZER = TokenizerConfig(kind="wordpiece", context_length=16)
TOWERS = {
    "bert": tiny_config(bias=True),
    "text": tiny_config(image=ViTConfig.of_size("mu/16", image_size=32, pool="map", layout="big_vision"),
                        text=TEXT, tokenizer=TOKENIZER),
}  # fmt: skip


@pytest.mark.parametrize("config", TOWERS.values(), ids=TOWERS)
def test_what_decays_by_the_names_of_real_towers(config):
    shapes = param_shapes(config)
    mask = flatten(decay_mask(unflatten(shapes)))
    assert mask.keys() == shapes.keys()
    spared = {name.split("/")[-1] for name, decays in mask.items() if not decays}
    assert spared <= {"embedding", "bias", "scale", "cls", "pos_embedding", "probe", "t", "b"}
    assert {name.split("/")[-1] for name, decays in mask.items() if decays} == {"kernel"}
    assert not mask["t"]
    assert all(len(shapes[name]) >= 2 for name, decays in mask.items() if decays)


def test_the_average_of_parameters():
    parameters = [{"a": jnp.asarray([float(i)])} for i in range(40)]
    average, want = parameters[0], 0.0
    for i, params in enumerate(parameters):
        average = averaged(average, params, decay=0.7, step=jnp.int32(i))
        d = min(0.7, (1 + i) / (10 + i))
        want = d * want + (1 - d) * i
    assert float(average["a"][0]) == pytest.approx(want, rel=1e-6)
    np.testing.assert_array_equal(averaged(average, parameters[3], decay=0.0, step=5)["a"], parameters[3]["a"])
