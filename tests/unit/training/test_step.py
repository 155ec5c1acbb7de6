"""One step: it learns, it compiles once, what is locked stays, and no way of computing it moves its result."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import training_toy as toy

from lit.checkpoints import flatten
from lit.config import ProjectionHeadConfig, ViTConfig
from lit.engine import feature_function, tower_functions
from lit.errors import ConfigError
from lit.training.mesh import make_mesh, put_batch


def close(a, b, tolerance=2e-5):
    """All figures of all steps."""
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=tolerance, atol=tolerance)


@pytest.fixture(scope="module")
def plain():
    """Three steps of the recipe as it is."""
    return toy.Run(toy.recipe()).do(3)


@pytest.mark.parametrize("loss", ["softmax", pytest.param("sigmoid", marks=pytest.mark.slow)])
def test_it_learns_and_compiles_once(loss):
    run = toy.Run(toy.recipe(objective={"loss": loss}, schedule={"steps": 120}))
    figures = run.do(120)
    begin, end = figures[:5], figures[-5:]
    assert np.mean([f.loss for f in end]) < 0.6 * np.mean([f.loss for f in begin])
    assert np.mean([f.image_to_text for f in begin]) < 0.3
    assert np.mean([f.image_to_text for f in end]) > 0.8
    assert np.mean([f.text_to_image for f in end]) > 0.8
    assert run.state.step.item() == 120
    assert run.step._cache_size() == 1


def test_the_first_figures_are_those_of_the_parameters_that_were_given(plain):
    assert plain[0].logit_scale == pytest.approx(20, rel=1e-6)  # what toy.random sets
    assert plain[0].logit_bias == 0
    assert plain[1].logit_scale != plain[0].logit_scale
    assert plain[0].gradient_norm > 0


def test_the_callers_parameters_are_left_alone():
    params = toy.random(toy.model_config())
    before = jax.tree.map(np.copy, params)
    run = toy.Run(toy.recipe(), params)
    run.do(2)
    jax.tree.map(np.testing.assert_array_equal, params, before)


def test_the_state_is_donated():
    run = toy.Run(toy.recipe())
    before = run.state
    run.do(1)
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(before))


@pytest.mark.slow
@pytest.mark.parametrize(
    "sections",
    [
        {"objective": {"micro_batch": 4}},
        {"objective": {"chunk": 4}},
    ],
    ids=str,
)
def test_micro_batches_and_chunks_do_not_move_the_run(plain, sections):
    close(toy.Run(toy.recipe(**sections)).do(3), plain)


@pytest.mark.slow
@pytest.mark.parametrize("sections", [{"objective": {"chunk": 4}}, {"objective": {"micro_batch": 8}}], ids=str)
def test_nor_the_sigmoid_run(sections):
    base = {"loss": "sigmoid"}
    objective = {**base, **sections["objective"]}
    close(toy.Run(toy.recipe(objective=objective)).do(2), toy.Run(toy.recipe(objective=base)).do(2))


@pytest.mark.slow
def test_1_2_and_8_devices_give_the_same_run():
    """With parameters copied and sharded, micro-batches, chunks, a gather and a ring."""
    env = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    script = Path(__file__).with_name("on_devices.py")
    run = subprocess.run([sys.executable, script], env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    for loss, runs in found["figures"].items():
        assert len(runs) == 6
        for how, figures in runs.items():
            np.testing.assert_allclose(figures, runs["{}"], rtol=2e-5, atol=2e-5, err_msg=f"{loss} {how}")
    assert found["shards"] == {"embedding": [[50, 32]], "moment": [[50, 32]], "average": [[50, 32]], "t": [[1]]}
    assert found["compiled"] == 1


@pytest.mark.parametrize(
    ("lock", "pixels"),
    [
        ("Lu", False),
        *(pytest.param(lock, True, marks=pytest.mark.slow) for lock in ("Lu", "UU", "UL")),
    ],
)
def test_what_is_locked_does_not_change_by_a_bit_and_has_no_optimizer_state(lock, pixels):
    params = toy.random(toy.model_config())
    tower = {"text_tower": None, "text": "embedded"} if lock[1] != "u" else {}
    optimizer, data = {"weight_decay": 0.1, "ema": 0.9}, {"cache": not pixels}
    run = toy.Run(toy.recipe(model={"lock": lock, **tower}, optimizer=optimizer, data=data))
    run.do(2, pixels=pixels)
    sides = {"img": lock[0] == "L", "txt": lock[1] == "L"}
    for side, is_locked in sides.items():
        assert (side in run.state.trained) != is_locked
        assert (side in run.locked) == is_locked
        now = run.locked if is_locked else run.state.trained
        same = jax.tree.map(lambda a, b: np.array_equal(a, b), now[side], params[side])
        assert all(jax.tree.leaves(same)) == is_locked
    learnt = len(jax.tree.leaves(run.state.trained))
    moments = [leaf for leaf in jax.tree.leaves(run.state.optimizer) if leaf.ndim]
    assert len(moments) == 2 * learnt  # Adam's two, for what learns and for nothing else


@pytest.mark.slow
def test_a_locked_tower_keeps_no_activations():
    """The memory of a step grows with what learns, not with the locked tower's depth."""

    def temporary(lock):
        text = {"text_tower": None, "text": "embedded"}
        config = toy.recipe(model={"lock": lock, **text}, batch={"size": 64}, data={"cache": False})
        run = toy.Run(config)
        batch = put_batch(run.learning.mesh, toy.batch_of(0, 64, pixels=True))
        return run.step.lower(run.state, run.locked, batch).compile().memory_analysis().temp_size_in_bytes

    assert temporary("LU") < temporary("UU")


@pytest.mark.slow
def test_bfloat16_keeps_float32_masters_and_comes_close(plain):
    run = toy.Run(toy.recipe(batch={"precision": "bfloat16"}))
    figures = run.do(3)
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(run.state.trained))
    assert figures != plain
    close([f.loss for f in figures], [f.loss for f in plain], 0.05)


def test_the_moving_average_follows_the_parameters():
    run = toy.Run(toy.recipe(optimizer={"weight_decay": 0.1, "ema": 0.9}, data={"cache": True}))
    begin = jax.tree.map(np.asarray, run.trained)
    run.do(2)
    apart = optax.tree.norm(jax.tree.map(lambda a, b: a - b, run.state.ema, run.state.trained))
    moved = optax.tree.norm(jax.tree.map(lambda a, b: a - b, run.state.ema, begin))
    assert apart.item() > 0
    assert moved.item() > 0


def _with_head(kind: str):
    """The toy with a head on its image tower: none, one Dense layer of the tower's own, or two beside it."""
    out_dim = toy.DIM if kind == "linear" else None
    head = ProjectionHeadConfig(dim=toy.DIM, hidden=64) if kind == "mlp" else None
    return toy.model_config(image=ViTConfig.of_size("mu/16", image_size=32, out_dim=out_dim), image_head=head)


@pytest.mark.slow
@pytest.mark.parametrize("image_head", ["none", "linear", "mlp"])
@pytest.mark.parametrize("micro_batch", [0, 4])
def test_pixels_and_what_is_cached_of_them_give_the_same_run(image_head, micro_batch):
    """With and without the cache, three steps; features are below a head that learns."""
    model, size = _with_head(image_head), 8
    params = toy.random(model)
    objective = {"micro_batch": micro_batch}
    config = toy.recipe(batch={"size": size}, model={"image_head": image_head}, objective=objective)
    kind = config.image_rows
    assert kind == ("zimg" if image_head == "none" else "features")
    tower = {"zimg": tower_functions(model, "float32")[0], "features": feature_function(model, "float32")}[kind]
    seen = []
    for cached in (True, False):
        run = toy.Run(config, params, model)
        for n in range(3):
            rows = toy.batch_of(n, size, pixels=True)
            if cached:
                rows = {"tokens": rows["tokens"], kind: np.asarray(jax.jit(tower)(params, rows["pixels"]))}
            run.state, figures = run.step(run.state, run.locked, put_batch(run.learning.mesh, rows))
            seen.append([x.item() for x in figures])
        learns = {name.split("/")[0] + "/" + name.split("/")[1] for name in flatten(run.trained) if "img" in name}
        layers = {"img_head/LayerNorm_0", "img_head/Dense_0", "img_head/Dense_1"}
        assert learns == {"none": set(), "linear": {"img/head"}, "mlp": layers}[image_head]  # nothing of the tower
    close(seen[:3], seen[3:])


@pytest.mark.parametrize(
    ("sections", "devices", "said"),
    [
        ({"batch": {"size": 12, "data": 8}}, 8, "batch.size is 12 and 8 devices share it; take a multiple of 8"),
        ({"batch": {"data": 4, "fsdp": 4}}, 8, "ask for 16 devices and there are 8"),
        ({"batch": {"data": -1, "fsdp": 16}}, 8, "ask for 16 devices and there are 8"),
        ({"batch": {"data": 8}, "objective": {"micro_batch": 4}}, 8, "objective.micro_batch is 4 and 8 devices"),
        ({"batch": {"data": 2}}, 1, "ask for 2 devices and there are 1"),
    ],
)
def test_a_batch_that_does_not_divide_and_devices_that_are_not_there(monkeypatch, sections, devices, said):
    monkeypatch.setattr(jax, "devices", lambda: [object()] * devices)
    with pytest.raises(ConfigError, match=said):
        make_mesh(toy.recipe(**sections))
