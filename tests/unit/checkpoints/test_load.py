"""All or nothing."""

import dataclasses

import ml_dtypes
import numpy as np
import pytest
from tiny import random_params, tiny_config

from lit.checkpoints import fit, flatten
from lit.checkpoints.resample import can_resample, resample
from lit.config import ViTConfig
from lit.errors import CheckpointError, ParamsMismatchError
from lit.nn import two_towers

CONFIG = tiny_config()
POSEMB = "img/Transformer/posembed_input/pos_embedding"


def test_what_fits_is_nested_and_not_copied():
    flat = random_params(CONFIG)
    fitted = flatten(fit(flat, CONFIG, source="x"))
    assert fitted.keys() == flat.keys()
    assert all(fitted[name] is flat[name] for name in flat)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float64])
def test_every_precision_becomes_float32(dtype):
    flat = {name: array.astype(dtype) for name, array in random_params(CONFIG).items()}
    fitted = flatten(fit(flat, CONFIG, source="x"))
    assert {str(a.dtype) for a in fitted.values()} == {"float32"}
    np.testing.assert_array_equal(fitted[POSEMB], flat[POSEMB].astype(np.float32))


def test_all_differences_come_in_one_error():
    flat = random_params(CONFIG)
    del flat["t"], flat["img/cls"]
    flat["img/extra/kernel"] = flat["b"] = np.zeros(3, np.float32)
    flat["txt/head/bias"] = np.zeros(31, np.float32)
    flat[POSEMB] = np.zeros((1, 10, 32), np.float32)
    with pytest.raises(ParamsMismatchError, match=r"my\.npz does not fit the model; nothing was loaded") as caught:
        fit(flat, CONFIG, source="my.npz")
    error = caught.value
    assert error.missing == ("img/cls", "t")
    assert set(error.unexpected) == {"img/extra/kernel", "b"}
    assert error.wrong_shape == {"txt/head/bias": ((31,), (32,)), POSEMB: ((1, 10, 32), (1, 5, 32))}
    for said in ("2 missing: img/cls, t", "img/extra/kernel", "txt/head/bias is (31,), needs (32,)"):
        assert said in str(error)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_parameter_that_is_not_finite_is_named(value):
    flat = random_params(CONFIG)
    flat["txt/head/kernel"] = flat["txt/head/kernel"].copy()
    flat["txt/head/kernel"][3, 4] = value
    with pytest.raises(CheckpointError, match=r"my\.npz: 1 parameters hold NaN or infinity: txt/head/kernel\. Nothing"):
        fit(flat, CONFIG, source="my.npz")


def test_integers_are_no_parameters():
    flat = random_params(CONFIG)
    flat["t"] = np.ones(1, np.int32)
    with pytest.raises(CheckpointError, match=r"not floating-point: t \(int32\)"):
        fit(flat, CONFIG, source="x")


def test_another_image_size_is_resampled_when_asked():
    image = dataclasses.replace(CONFIG.image, image_size=64)
    preprocess = dataclasses.replace(CONFIG.preprocess, image_size=64)
    larger = dataclasses.replace(CONFIG, image=image, preprocess=preprocess)
    flat = random_params(CONFIG)
    with pytest.raises(ParamsMismatchError) as caught:
        fit(flat, larger, source="x")
    assert caught.value.wrong_shape == {POSEMB: ((1, 5, 32), (1, 17, 32))}
    new = flatten(fit(flat, larger, source="x", resize=True))[POSEMB]
    np.testing.assert_array_equal(new, resample(flat[POSEMB], 17))
    np.testing.assert_array_equal(new[:, [0, 1, 4, 13, 16]], flat[POSEMB])  # the class token, and the corners
    flat[POSEMB] = flat[POSEMB][:, :4]
    with pytest.raises(ParamsMismatchError):
        fit(flat, larger, source="x", resize=True)


def test_a_text_position_embedding_is_never_resampled():
    config = two_towers_with_text(16)
    flat = random_params(two_towers_with_text(9))
    with pytest.raises(ParamsMismatchError) as caught:
        fit(flat, config, source="x", resize=True)
    assert caught.value.wrong_shape == {"txt/pos_embedding": ((1, 9, 32), (1, 16, 32))}


def two_towers_with_text(length):
    from lit.config import TextTransformerConfig, TokenizerConfig

    text = TextTransformerConfig.of_size("mu", vocab_size=20, context_length=length, out_dim=32)
    return tiny_config(text=text, tokenizer=TokenizerConfig(kind="sentencepiece", context_length=length))


def test_a_bare_vit_drops_the_classifier_that_it_does_not_have():
    fields = {"image_size": 32}
    classifier = ViTConfig.of_size("mu/16", representation_size=8, out_dim=10, **fields)
    flat = {n: np.zeros(s, np.float32) for n, s in two_towers.param_shapes(classifier).items()}
    tower = ViTConfig.of_size("mu/16", **fields)
    assert flatten(fit(flat, tower, source="x")).keys() == two_towers.param_shapes(tower).keys()
    whole = random_params(CONFIG) | {"img/pre_logits/bias": np.zeros(8, np.float32)}
    with pytest.raises(ParamsMismatchError, match="1 unexpected: img/pre_logits/bias"):
        fit(whole, CONFIG, source="x")


def test_what_can_be_resampled():
    assert can_resample(49, 144)
    assert can_resample(50, 145)
    assert not can_resample(49, 145)
    assert not can_resample(0, 4)
    with pytest.raises(ValueError, match="49 and 145 positions are not two square grids"):
        resample(np.zeros((1, 49, 3), np.float32), 145)
    one = resample(np.ones((1, 9, 3), np.float32), 1)
    assert one.shape == (1, 1, 3)
