"""Heads: the root of a posterior, a learned projection, and the two side by side."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lit.config import JointHeadConfig, ProjectionHeadConfig, PrototypeHeadConfig
from lit.errors import ConfigError
from lit.nn.heads import PrototypeHead, build_head

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


def _random(config, seed):
    params = build_head(config).init(jax.random.key(seed), X)["params"]
    leaves, tree = jax.tree.flatten(params)
    rng = np.random.default_rng(seed)
    return tree.unflatten([jnp.asarray(rng.normal(size=leaf.shape), jnp.float32) for leaf in leaves])


def test_a_projection_is_one_dense_layer_or_two_with_a_norm_before():
    one, two = ProjectionHeadConfig(dim=3), ProjectionHeadConfig(dim=3, hidden=6)
    p = _random(one, 0)
    got = build_head(one).apply({"params": p}, X)
    np.testing.assert_allclose(got, X @ p["Dense_0"]["kernel"] + p["Dense_0"]["bias"][None], rtol=1e-5, atol=1e-5)
    p = jax.tree.map(np.float64, _random(two, 1))
    x = np.float64(X)
    x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-6)
    x = (x * p["LayerNorm_0"]["scale"] + p["LayerNorm_0"]["bias"]) @ p["Dense_0"]["kernel"] + p["Dense_0"]["bias"]
    x = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    expected = x @ p["Dense_1"]["kernel"] + p["Dense_1"]["bias"]
    got = build_head(two).apply({"params": _random(two, 1)}, X)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_a_joint_head_weighs_the_cosines_of_its_parts():
    first, second = PrototypeHeadConfig(num_prototypes=5), ProjectionHeadConfig(dim=3)
    config = JointHeadConfig(first=first, second=second, share=0.2)
    params = _random(config, 2)
    assert set(params) == {"first", "second"}
    z = build_head(config).apply({"params": params}, X)
    assert z.shape == (4, config.width) == (4, 8)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, atol=1e-6)
    parts = [build_head(c).apply({"params": params[n]}, X) for n, c in (("first", first), ("second", second))]
    parts = [p / np.linalg.norm(p, axis=1, keepdims=True) for p in parts]
    np.testing.assert_allclose(z @ z.T, 0.8 * parts[0] @ parts[0].T + 0.2 * parts[1] @ parts[1].T, atol=1e-6)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 2.0])
def test_a_share_leaves_room_for_both(share):
    with pytest.raises(ConfigError, match="share"):
        JointHeadConfig(first=PrototypeHeadConfig(num_prototypes=5), second=ProjectionHeadConfig(dim=3), share=share)
