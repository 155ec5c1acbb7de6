"""Two passes give the plain step's loss and gradients, whatever the parts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lit.errors import ConfigError
from lit.losses import gradients_in_two_passes, sigmoid_loss

ROWS = 12


def embed(params, inputs):
    def unit(x):
        return x / jnp.linalg.norm(x, axis=1, keepdims=True)

    return unit(inputs["pixels"]), unit(jnp.tanh(inputs["tokens"].astype(jnp.float32) @ params["w"]) @ params["v"])


def objective(params, z):
    zimg, ztxt = z
    return sigmoid_loss(zimg, ztxt, logit_scale=jnp.exp(params["t"]), logit_bias=params["b"], chunk=5)


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(0)
    params = {"w": rng.normal(size=(6, 16)), "v": rng.normal(size=(16, 8)), "t": np.ones(1), "b": np.full(1, -2.0)}
    params = {name: jnp.asarray(x, jnp.float32) for name, x in params.items()}
    inputs = {
        "pixels": jnp.asarray(rng.normal(size=(ROWS, 8)), jnp.float32),
        "tokens": jnp.asarray(rng.integers(0, 3, (ROWS, 6)), jnp.int32),
    }
    plain = jax.jit(
        jax.value_and_grad(lambda p: (lambda loss: (loss.value, loss))(objective(p, embed(p, inputs))), has_aux=True)
    )
    (_, loss), gradients = plain(params)
    return params, inputs, loss, gradients


@pytest.mark.parametrize("micro_batch", [4, 5, 50])
def test_equal_to_the_plain_step(case, micro_batch):
    params, inputs, loss, gradients = case
    step = jax.jit(lambda p, x: gradients_in_two_passes(embed, p, x, objective, micro_batch=micro_batch))
    found, by_params = step(params, inputs)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7), found, loss)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), by_params, gradients)
    assert float(jnp.abs(by_params["t"]).sum()) > 0


def test_memory_is_that_of_a_part():
    """A tower of wide layers over 512 rows: two passes of 32 need a fraction of what all rows at once need."""

    def deep(w, x):
        for _ in range(4):
            x = jnp.tanh(x @ w)
        return x / jnp.linalg.norm(x, axis=1, keepdims=True)

    def loss(w, z):
        return sigmoid_loss(z, z, logit_scale=10.0, logit_bias=-10.0, chunk=32)

    shapes = jax.ShapeDtypeStruct((64, 64), jnp.float32), jax.ShapeDtypeStruct((512, 64), jnp.float32)
    plain = jax.grad(lambda w, x: loss(w, deep(w, x)).value)
    cached = lambda w, x: gradients_in_two_passes(deep, w, x, loss, micro_batch=32)  # noqa: E731
    memory = [jax.jit(f).lower(*shapes).compile().memory_analysis().temp_size_in_bytes for f in (plain, cached)]
    assert memory[1] < memory[0] * 0.8


@pytest.mark.parametrize(
    ("rows", "micro_batch", "says"),
    [
        ((4, 4), 0, "micro_batch is 0"),
        ((4, 5), 2, r"inputs have shapes \[\(4, 2\), \(5, 2\)\]; all must have the same number of rows"),
        ((0, 0), 2, "at least 1"),
    ],
)
def test_refused(rows, micro_batch, says):
    inputs = [jnp.ones((n, 2)) for n in rows]
    with pytest.raises(ConfigError, match=says):
        gradients_in_two_passes(embed, {}, inputs, objective, micro_batch=micro_batch)
