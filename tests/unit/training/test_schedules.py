"""Learning rates at the points that matter, against closed formulas."""

import math

import jax
import pytest
from recipes import recipe

from lit.training.schedules import schedule


def rates(at, peak=0.5, **section):
    section = {"steps": 100, **section}
    rate = jax.jit(schedule(recipe(schedule=section, optimizer={"learning_rate": peak})))
    return [float(rate(step)) for step in at]


def test_cosine_rises_linearly_and_falls_to_nothing():
    got = rates([0, 5, 10, 55, 100, 101, 1000], warmup_steps=10)
    quarter = 0.5 * (1 + math.cos(math.pi * 22.5 / 90)) / 2
    assert got == pytest.approx([0, 0.25, 0.5, 0.25, 0, 0, 0], abs=1e-7)
    assert rates([32.5], warmup_steps=10) == pytest.approx([quarter], rel=1e-6)


def test_without_a_warm_up_the_first_step_is_the_peak():
    assert rates([0, 50, 100]) == pytest.approx([0.5, 0.25, 0], abs=1e-7)
    assert rates([0], kind="rsqrt") == [0.5]


def test_rsqrt_falls_as_the_root_and_cools_down_to_nothing():
    got = rates([0, 5_000, 10_000, 20_000, 40_000, 45_000, 50_000, 60_000], kind="rsqrt", steps=50_000,
                warmup_steps=10_000, cooldown_steps=10_000)  # fmt: skip
    root = [0.5 / math.sqrt(1 + n) for n in (0, 0, 0, 1, 3, 3.5, 4, 5)]
    want = [r * f for r, f in zip(root, [0, 0.5, 1, 1, 1, 0.5, 0, 0], strict=True)]
    assert got == pytest.approx(want, rel=1e-6, abs=1e-9)


def test_a_run_that_is_all_warm_up():
    assert rates([0, 50, 99], warmup_steps=100) == pytest.approx([0, 0.25, 0.495], rel=1e-6)
    assert rates([50, 75], kind="rsqrt", warmup_steps=50, cooldown_steps=50) == pytest.approx([0.5, 0.25], rel=2e-3)
