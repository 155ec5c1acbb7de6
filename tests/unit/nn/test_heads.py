"""The prototype head: the root of a posterior."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lit.config import PrototypeHeadConfig
from lit.nn.heads import PrototypeHead

X = jnp.asarray(np.random.default_rng(0).normal(size=(4, 8)), jnp.float32)


def _params(config):
    rng = np.random.default_rng(1)
    params = {"kernel": rng.normal(size=(8, 5)).astype(np.float32)}
    if config.bias:
        params["bias"] = rng.normal(size=5).astype(np.float32)
    if config.centre:
        params["mean"] = rng.normal(size=8).astype(np.float32) / np.float32(8)
    return jax.tree.map(jnp.asarray, params)


def _expected(config, params, x):
    """The formula of `PrototypeHeadConfig`, in float64."""
    x, params = np.float64(x), jax.tree.map(np.float64, params)
    if config.centre:
        x = x / np.linalg.norm(x, axis=1, keepdims=True) - params["mean"]
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
    e = np.exp(x @ params["kernel"] / config.temperature + params.get("bias", 0))
    return np.sqrt(e / e.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("centre", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_is_the_root_of_the_posterior(centre, bias):
    config = PrototypeHeadConfig(num_prototypes=5, centre=centre, bias=bias, temperature=0.7)
    params = _params(config)
    got = PrototypeHead(config).apply({"params": params}, X)
    np.testing.assert_allclose(got, _expected(config, params, X), rtol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, rtol=1e-6)


def test_has_only_the_parameters_that_its_configuration_names():
    for centre, bias in [(False, False), (True, True)]:
        config = PrototypeHeadConfig(num_prototypes=5, centre=centre, bias=bias)
        params = PrototypeHead(config).init(jax.random.key(0), X)["params"]
        assert set(params) == {"kernel"} | ({"mean"} if centre else set()) | ({"bias"} if bias else set())


def test_extreme_logits_neither_overflow_nor_lose_the_small_ones():
    config = PrototypeHeadConfig(num_prototypes=3, bias=False)
    kernel = jnp.asarray([[500.0, 350.0, -500.0]])
    got = PrototypeHead(config).apply({"params": {"kernel": kernel}}, jnp.ones((1, 1)))
    assert bool(jnp.isfinite(got).all())
    # exp(-150) is below the smallest float32; its root, exp(-75), is not, and must survive.
    np.testing.assert_allclose(got[0, 1], np.exp(-75.0), rtol=1e-4)


def test_centring_ignores_the_length_of_its_input():
    config = PrototypeHeadConfig(num_prototypes=5, centre=True)
    params = {"params": _params(config)}
    short, long = PrototypeHead(config).apply(params, X), PrototypeHead(config).apply(params, 100 * X)
    np.testing.assert_allclose(short, long, rtol=1e-5)


def test_a_zero_vector_gives_finite_numbers():
    config = PrototypeHeadConfig(num_prototypes=5, centre=True)
    got = PrototypeHead(config).apply({"params": _params(config)}, jnp.zeros((1, 8)))
    assert bool(jnp.isfinite(got).all())
