"""The embedded model against independent implementations of its towers, stage by stage, on the shipped weights.

The golden file holds float64 results of the PyTorch modules that the weights were made for (eval/embedded/oracle.py).
"""

from pathlib import Path

import jax
import numpy as np
import pytest

from lit import checkpoints, resources, tokenizers
from lit.nn import two_towers

GOLDEN = np.load(Path(__file__).parent / "data" / "embedded_towers.npz")
IMAGE_STAGES = ["stem", *(f"block{i:02d}" for i in range(16)), "top"]


@pytest.fixture(scope="module")
def bundle():
    return checkpoints.load_bundle(resources.directory("embedded"))


@pytest.fixture(scope="module")
def outputs(bundle):
    """zimg, ztxt and every intermediate, as numpy."""
    module = two_towers.build(bundle.config)
    pixels = (GOLDEN["pixels"].astype(np.float32) - np.float32(127)) / np.float32(128)
    run = jax.jit(lambda params, images, tokens: module.apply({"params": params}, images, tokens))
    zimg, ztxt, out = run(bundle.params, pixels, GOLDEN["ids"])
    return {name: np.asarray(value) for name, value in out.items()} | {"zimg": zimg, "ztxt": ztxt}


@pytest.mark.parametrize("stage", IMAGE_STAGES)
def test_stages_of_the_image_tower(outputs, stage):
    # float32 rounding reaches 4e-6 of a stage's largest value, in PyTorch's own float32 run, too.
    want = GOLDEN[stage]
    np.testing.assert_allclose(outputs[f"img/{stage}"].ravel()[::131], want, rtol=0, atol=1e-5 * np.abs(want).max())


def test_features_of_both_towers(outputs):
    np.testing.assert_allclose(outputs["img/pre_logits"], GOLDEN["pre_logits"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(outputs["txt/pre_logits"], GOLDEN["text"], rtol=0, atol=2e-6)


def test_embeddings(outputs):
    # A posterior's root: a logit's rounding of 1e-5 moves it by half of that, times the root itself (at most 1).
    np.testing.assert_allclose(outputs["zimg"], GOLDEN["zimg"], rtol=0, atol=2e-6)
    np.testing.assert_allclose(outputs["ztxt"], GOLDEN["ztxt"], rtol=0, atol=5e-7)


def test_the_tokenizer_gives_the_ids_of_the_original_one(bundle):
    ids = tokenizers.load_tokenizer(bundle.config.tokenizer, bundle.vocab)([str(t) for t in GOLDEN["texts"]])
    width = GOLDEN["ids"].shape[1]
    np.testing.assert_array_equal(ids[:, :width], GOLDEN["ids"])
    assert not ids[:, width:].any()
