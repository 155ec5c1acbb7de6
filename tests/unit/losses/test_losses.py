"""Objectives: chunked as full, masks, ties, numbers at the edge of float32, and what is refused."""

import inspect
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lit.errors import ConfigError
from lit.losses import sigmoid_loss, softmax_loss

N = DIM = 23


def pairs():
    z = np.random.default_rng(0).normal(size=(2, N, DIM)).astype(np.float32)
    z[1] += z[0]
    z /= np.linalg.norm(z, axis=2, keepdims=True)
    return jnp.asarray(z[0]), jnp.asarray(z[1])


def softmax(zimg, ztxt, t, b, **how):
    return softmax_loss(zimg, ztxt, logit_scale=t, **how)


def sigmoid(zimg, ztxt, t, b, **how):
    return sigmoid_loss(zimg, ztxt, logit_scale=t, logit_bias=b, **how)


@partial(jax.jit, static_argnames=("loss", "chunk"))
def evaluate(loss, zimg, ztxt, t, b, mask, chunk=4):
    """The loss and its gradients."""

    def value(*arguments):
        found = loss(*arguments, mask=mask, chunk=chunk)
        return found.value, found

    (_, found), gradients = jax.value_and_grad(value, argnums=(0, 1, 2, 3), has_aux=True)(zimg, ztxt, t, b)
    return found, gradients


def plainly(loss, zimg, ztxt, t, b, keep):
    """The same by the formula, float64, on the pairs that are kept."""
    zimg, ztxt = (np.asarray(z, np.float64)[keep] for z in (zimg, ztxt))
    logits = zimg @ ztxt.T * float(t) + (float(b) if loss is sigmoid else 0)
    if loss is sigmoid:
        return np.logaddexp(0, logits * (1 - 2 * np.eye(len(logits)))).sum(axis=1).mean()
    both = np.logaddexp.reduce(logits, axis=1) + np.logaddexp.reduce(logits, axis=0)
    return (both / 2 - np.diag(logits)).mean()


LOSSES = pytest.mark.parametrize("loss", [softmax, sigmoid])
ALL = jnp.ones(N, bool)
SOME = jnp.asarray(np.arange(N) % 5 != 1)


@LOSSES
@pytest.mark.parametrize("chunk", [4, 100])
def test_chunked_is_full(loss, chunk):
    full, chunked = (evaluate(loss, *pairs(), 20.0, -5.0, SOME, chunk=c) for c in (None, chunk))
    for a, b in zip(jax.tree.leaves(full), jax.tree.leaves(chunked), strict=True):
        np.testing.assert_allclose(a, b, rtol=4e-6, atol=1e-6)  # a logit of 20 has an ulp of 2e-6


@LOSSES
@pytest.mark.parametrize("mask", [ALL, SOME])
@pytest.mark.parametrize(("t", "b"), [(1.0, 0.0), (10.0, -10.0), (100.0, -50.0)])
def test_value_is_the_formula(loss, t, b, mask):
    found, _ = evaluate(loss, *pairs(), t, b, mask, chunk=4)
    # A logit of 100 has an ulp of 8e-6.
    np.testing.assert_allclose(found.value, plainly(loss, *pairs(), t, b, np.asarray(mask)), rtol=1e-6, atol=1e-5)


@LOSSES
def test_gradient_is_the_slope(loss):
    """Along a direction through everything at once, against float64 differences of the formula."""
    zimg, ztxt = pairs()
    rng, step = np.random.default_rng(1), 1e-6
    by = [rng.normal(size=x.shape) for x in (zimg, ztxt, np.zeros(()), np.zeros(()))]
    at = [np.asarray(x, np.float64) for x in (zimg, ztxt, 7.0, -2.0)]
    ends = (plainly(loss, *(x + s * step * d for x, d in zip(at, by, strict=True)), np.asarray(SOME)) for s in (1, -1))
    high, low = ends
    _, gradients = evaluate(loss, zimg, ztxt, 7.0, -2.0, SOME, chunk=4)
    np.testing.assert_allclose(
        sum((np.asarray(g) * d).sum() for g, d in zip(gradients, by, strict=True)), (high - low) / (2 * step), rtol=2e-5
    )


@LOSSES
def test_what_is_masked_does_not_matter_even_as_nan(loss):
    zimg, ztxt = pairs()
    clean, dirty = (
        evaluate(loss, *(jnp.where(SOME[:, None], z, jnp.float32(fill)) for z in (zimg, ztxt)), 20.0, -5.0, SOME)
        for fill in (0.0, np.nan)
    )
    for a, b in zip(jax.tree.leaves(clean), jax.tree.leaves(dirty), strict=True):
        np.testing.assert_array_equal(a, b)
    for gradient in dirty[1][:2]:
        assert not np.asarray(gradient)[~np.asarray(SOME)].any()
    np.testing.assert_allclose(
        dirty[0].value, plainly(loss, zimg, ztxt, 20, -5, np.asarray(SOME)), rtol=1e-6, atol=1e-6
    )


@LOSSES
def test_nothing_to_count_is_zero(loss):
    found, gradients = evaluate(loss, *pairs(), 20.0, -5.0, jnp.zeros(N, bool))
    assert found == (0, 0, 0)
    assert not any(np.asarray(g).any() for g in gradients)


@LOSSES
@pytest.mark.parametrize("sign", [1, -1])
def test_finite_at_the_edges(loss, sign):
    """All right and all wrong at a logit scale of 100: nothing overflows, nothing vanishes to NaN."""
    zimg = jnp.asarray(np.eye(N, dtype=np.float32))
    found, gradients = evaluate(loss, zimg, sign * zimg, 100.0, -10.0, ALL, chunk=4)
    assert all(np.isfinite(x).all() for x in jax.tree.leaves((found, gradients)))
    expected = plainly(loss, zimg, sign * zimg, 100, -10, np.asarray(ALL))
    np.testing.assert_allclose(found.value, expected, rtol=1e-6, atol=1e-30)
    assert (found.image_to_text, found.text_to_image) == ((1.0, 1.0) if sign == 1 else (0.0, 0.0))


@LOSSES
@pytest.mark.parametrize("chunk", [None, 4])
def test_a_tie_is_no_win(loss, chunk):
    zimg, _ = pairs()
    one = jnp.broadcast_to(zimg[:1], zimg.shape)
    found, _ = evaluate(loss, one, one, 20.0, -5.0, ALL, chunk=chunk)
    assert (found.image_to_text, found.text_to_image) == (0, 0)
    eye = jnp.asarray(np.eye(N, dtype=np.float32))
    twice = eye.at[7].set(eye[3])
    found, _ = evaluate(loss, eye, twice, 20.0, -5.0, ALL, chunk=chunk)
    np.testing.assert_allclose(found.image_to_text, (N - 2) / N, rtol=1e-6)  # image 3 has two texts, image 7 none
    np.testing.assert_allclose(found.text_to_image, (N - 1) / N, rtol=1e-6)  # text 7 prefers image 3


@LOSSES
def test_parameters_come_as_the_model_keeps_them(loss):
    found, gradients = evaluate(loss, *pairs(), jnp.full(1, 20.0), jnp.full(1, -5.0), ALL)
    assert gradients[2].shape == gradients[3].shape == (1,)
    np.testing.assert_array_equal(found.value, evaluate(loss, *pairs(), 20.0, -5.0, ALL)[0].value)


@LOSSES
@pytest.mark.parametrize(
    ("zimg", "ztxt", "t", "how", "says"),
    [
        ((4, 8), (5, 8), (), {}, r"zimg has shape \(4, 8\) and ztxt \(5, 8\)"),
        ((4, 8), (4, 9), (), {}, r"both must be \(pairs, dim\)"),
        ((0, 8), (0, 8), (), {}, "not empty"),
        ((4, 8), (4, 8), (2,), {}, r"logit_scale has shape \(2,\); it must be one number"),
        ((4, 8), (4, 8), (), {"chunk": 0}, "chunk is 0; .* at least 1, or None"),
        ((4, 8), (4, 8), (), {"mask": jnp.ones(5, bool)}, r"mask is bool of shape \(5,\); .* bool of shape \(4,\)"),
        ((4, 8), (4, 8), (), {"mask": jnp.ones(4)}, "mask is float32"),
    ],
)
def test_refused(loss, zimg, ztxt, t, how, says):
    # Unwrapped, past the tests' own check of annotations, as a user meets it.
    function = inspect.unwrap({softmax: softmax_loss, sigmoid: sigmoid_loss}[loss])
    more = {"logit_bias": 0.0} if loss is sigmoid else {}
    with pytest.raises(ConfigError, match=says):
        function(jnp.ones(zimg), jnp.ones(ztxt), logit_scale=jnp.ones(t), **more, **how)


def test_an_exchange_that_there_is_not():
    with pytest.raises(ConfigError, match='exchange is \'mail\'; it must be "gather" or "ring"'):
        inspect.unwrap(sigmoid_loss)(*pairs(), logit_scale=1.0, logit_bias=0.0, exchange="mail")


@LOSSES
def test_a_locked_side_costs_nothing(loss):
    """Three products for one gradient, four for both: the logits, the logits again, and one for each side."""

    def products(*argnums):
        value = jax.grad(lambda *z: loss(*z, 20.0, -5.0, chunk=8).value, argnums=argnums)
        return jax.jit(value).lower(*pairs()).compile().as_text().count(" dot(")

    both, text = products(0, 1), products(1)
    assert both - text == 1
