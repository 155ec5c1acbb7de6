"""Against the same mathematics in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lit.errors import ConfigError
from lit.nn.attention import attend
from lit.nn.layers import LayerNorm, product
from lit.nn.vit import PatchEmbedding, sincos2d


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_bfloat16_product_accumulates_in_float32():
    """1,000 times 1/256 to 256: a bfloat16 sum would stay at 256, since its neighbours are 2 apart."""
    x = np.full((1, 1001), 1 / 256, np.float32)
    x[0, 0] = 256
    y = product(jnp.asarray(x), jnp.ones((1001, 1)), contract=(1, 0), dtype=jnp.bfloat16)
    assert y.dtype == jnp.float32
    np.testing.assert_allclose(y, [[256 + 1000 / 256]], rtol=1e-6)


def test_layer_norm():
    """Values near 100 with a spread of 1: the naive mean of squares would lose four digits; 1e-4 absolute."""
    x = normal(4, 7, 64) + 100
    params = {"scale": normal(64, seed=1), "bias": normal(64, seed=2)}
    have = jax.jit(LayerNorm(1e-6).apply)({"params": params}, x)
    x = x.astype(np.float64)
    spread = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-6)
    want = (x - x.mean(axis=-1, keepdims=True)) / spread * params["scale"] + params["bias"]
    np.testing.assert_allclose(have, want, atol=1e-4)


def test_attention():
    q, k, v = (normal(2, n, 3, 8, seed=n) for n in (4, 5, 5))
    mask = np.random.default_rng(1).random((2, 4, 5)) < 0.6
    mask[0, 0] = False
    have = attend(*map(jnp.asarray, (q, k, v)), mask=jnp.asarray(mask))
    logits = np.einsum("bqhd,bkhd->bhqk", q.astype(np.float64), k) / np.sqrt(8)
    logits = np.where(mask[:, None], logits, -1e10)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(have, np.einsum("bhqk,bkhd->bqhd", weights, v), atol=2e-6)
    # A query with nothing to attend to attends to everything alike.
    np.testing.assert_allclose(have[0, 0], v[0].mean(axis=0), atol=2e-6)


def test_patch_embedding_is_a_convolution():
    x, kernel, bias = normal(2, 12, 12, 3), normal(4, 4, 3, 16, seed=1), normal(16, seed=2)
    have = jax.jit(PatchEmbedding(16, 4).apply)({"params": {"kernel": kernel, "bias": bias}}, x)
    dimensions = ("NHWC", "HWIO", "NHWC")
    want = (
        jax.lax.conv_general_dilated(x, kernel, (4, 4), "VALID", dimension_numbers=dimensions) + bias[None, None, None]
    )
    np.testing.assert_allclose(have, want.reshape(2, 9, 16), atol=1e-5)


def test_sincos2d():
    pe = sincos2d(3, 8)
    assert (pe.shape, pe.dtype) == ((1, 9, 8), np.float32)
    # Row 1, column 2: sine and cosine of the column at wavelengths 1 and 1/10,000, then of the row.
    want = [np.sin(2), np.sin(2e-4), np.cos(2), np.cos(2e-4), np.sin(1), np.sin(1e-4), np.cos(1), np.cos(1e-4)]
    np.testing.assert_allclose(pe[0, 5], want, atol=1e-7)


@pytest.mark.parametrize("width", [4, 10])
def test_sincos2d_needs_a_fitting_width(width):
    with pytest.raises(ConfigError, match=f"multiple of 4, at least 8; it is {width}"):
        sincos2d(3, width)
