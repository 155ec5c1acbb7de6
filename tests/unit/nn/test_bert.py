"""Padding, pools, gelu."""

import dataclasses

import jax
import numpy as np
import pytest
from weight_rule import weights

from lit.checkpoints import fit
from lit.config import BertConfig
from lit.nn import two_towers

CONFIG = BertConfig(width=32, depth=2, mlp_dim=64, num_heads=2, vocab_size=100, max_positions=32)
TOKENS = np.array([[5, 9, 2, 0, 0, 0], [7, 3, 3, 8, 1, 4], [6, 0, 0, 0, 0, 0]], np.int32)


def run(config, tokens):
    params = fit(weights(two_towers.param_shapes(config), std=0.2), config, source="rule")
    return jax.jit(two_towers.build_tower(config).apply)({"params": params}, tokens)


@pytest.mark.parametrize("pool", ["cls", "gap"])
def test_padding_does_not_matter(pool):
    """Features reach 3; sums over masked entries add exact zeros, so only their order may differ."""
    config = dataclasses.replace(CONFIG, pool=pool)
    short, _ = run(config, TOKENS[:1, :3])
    long, _ = run(config, np.pad(TOKENS, ((0, 0), (0, 9))))
    np.testing.assert_allclose(short[0], long[0], atol=2e-6)


def test_pools():
    features, out = run(CONFIG, TOKENS)
    last = np.asarray(out["BertEncoder_0/encoder_block/layer_sequence/layers_1"])
    np.testing.assert_array_equal(features, last[:, 0])
    mean, _ = run(dataclasses.replace(CONFIG, pool="gap"), TOKENS)
    want = [last[0, :3].mean(axis=0), last[1].mean(axis=0), last[2, 0]]
    np.testing.assert_allclose(mean, want, atol=1e-6)


def test_a_text_of_padding_alone_is_finite():
    features, _ = run(dataclasses.replace(CONFIG, pool="gap"), np.zeros((1, 6), np.int32))
    np.testing.assert_array_equal(features, np.zeros((1, 32)))


def test_both_gelus():
    """They differ by up to 4.7e-4 at |x| = 2.7, which two blocks carry into the features."""
    tanh, _ = run(CONFIG, TOKENS)
    erf, _ = run(dataclasses.replace(CONFIG, gelu="erf"), TOKENS)
    assert 1e-5 < np.abs(np.asarray(tanh) - erf).max() < 1e-2


def test_an_id_beyond_the_table_cannot_be_missed():
    features, _ = run(CONFIG, np.array([[5, 100]], np.int32))
    assert np.isnan(features).all()
