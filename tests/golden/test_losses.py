"""Objectives equal big_vision's: values to 1e-6, relative where they are above 1, gradients to 1e-5."""

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lit.losses import blocks, sigmoid_loss, softmax, softmax_loss

DATA = dict(np.load(Path(__file__).parent / "data" / "losses.npz"))
PAIR = jnp.asarray(DATA["zimg"]), jnp.asarray(DATA["ztxt"])
MASK = jnp.asarray(DATA["mask"])
SIGMOID = [(10.0, -10.0, "t10_b-10"), (2.5, -3.0, "t2.5_b-3"), (40.0, -15.0, "t40_b-15"), (10.0, 0.0, "t10_b0")]
SOFTMAX = [(1.0, "t1"), (10.0, "t10"), (50.0, "t50")]


def close(found, expected, atol):
    np.testing.assert_allclose(found, expected, rtol=atol, atol=atol)


@partial(jax.jit, static_argnames="chunk")
@partial(jax.value_and_grad, argnums=(0, 1, 2, 3))
def of_sigmoid(zimg, ztxt, t, b, chunk):
    return sigmoid_loss(zimg, ztxt, logit_scale=t, logit_bias=b, chunk=chunk).value


@partial(jax.jit, static_argnames="chunk")
@partial(jax.value_and_grad, argnums=(0, 1, 2), has_aux=True)
def of_softmax(zimg, ztxt, t, mask, chunk):
    loss = softmax_loss(zimg, ztxt, logit_scale=t, mask=mask, chunk=chunk)
    return loss.value, loss


@jax.jit
def of_directions(zimg, ztxt, t):
    images, texts = blocks.sides(zimg, ztxt, jnp.ones(len(zimg), bool), 0)
    return softmax.directions(blocks.How(None, (), "gather", "highest"), images, texts, t)


@pytest.mark.parametrize("chunk", [None, 5])
@pytest.mark.parametrize(("t", "b", "name"), SIGMOID)
def test_sigmoid(t, b, name, chunk):
    found, gradients = of_sigmoid(*PAIR, t, b, chunk=chunk)
    close(found, DATA[f"sigmoid_{name}/value"], 1e-6)
    for of, gradient in zip(("zimg", "ztxt", "t", "b"), gradients, strict=True):
        close(gradient, DATA[f"sigmoid_{name}/d_{of}"], 1e-5)


@pytest.mark.parametrize("chunk", [None, 5])
@pytest.mark.parametrize(("t", "name"), SOFTMAX)
def test_softmax(t, name, chunk):
    (found, loss), gradients = of_softmax(*PAIR, t, jnp.ones(32, bool), chunk=chunk)
    close(found, DATA[f"softmax_{name}/value"], 1e-6)
    assert loss.image_to_text == DATA[f"softmax_{name}/ncorrect"].mean()
    for of, gradient in zip(("zimg", "ztxt", "t"), gradients, strict=True):
        close(gradient, DATA[f"softmax_{name}/d_{of}"], 1e-5)


@pytest.mark.parametrize(("t", "name"), SOFTMAX)
def test_softmax_of_each_pair_and_direction(t, name):
    found = of_directions(*PAIR, t)
    i2t, t2i = found.log_sum_images - found.own, found.log_sum_texts - found.own
    # A logit of 50 has an ulp of 4e-6, and a loss is the difference of two.
    close((i2t + t2i) / 2, DATA[f"softmax_{name}/per_example"], 8e-6)
    close(i2t.mean(), DATA[f"softmax_{name}/i2t_loss"], 1e-6)
    close(t2i.mean(), DATA[f"softmax_{name}/t2i_loss"], 1e-6)
    np.testing.assert_array_equal(found.own > found.rival_text, DATA[f"softmax_{name}/ncorrect"])


@pytest.mark.parametrize("chunk", [None, 5])
@pytest.mark.parametrize(("t", "name"), SOFTMAX)
def test_softmax_masked(t, name, chunk):
    (_, loss), _ = of_softmax(*PAIR, t, MASK, chunk=chunk)
    close(loss.value, DATA[f"softmax_{name}/masked_value"], 1e-6)
    close(loss.image_to_text, DATA[f"softmax_{name}/masked_ncorrect"], 1e-6)
