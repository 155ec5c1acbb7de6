"""Bundles: what is written comes back, whole or not at all."""

import json

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from tiny import random_params, tiny_config, write_vocab

from lit.checkpoints import fit, flatten, load_bundle, save_bundle, unflatten
from lit.checkpoints.safetensors import FORMAT, quantise
from lit.errors import CheckpointError, CheckpointNotFoundError, ConfigError, OutputError, ParamsMismatchError

CONFIG = tiny_config()
FILES = {"model.safetensors", "config.json", "vocab.txt", "card.md"}


@pytest.fixture
def vocab(tmp_path):
    write_vocab(tmp_path / "my-vocab.txt")
    return tmp_path / "my-vocab.txt"


@pytest.fixture
def save(tmp_path, vocab):
    def save(name="model", *, params=None, **options):
        params = params or fit(random_params(CONFIG), CONFIG, source="random")
        return save_bundle(tmp_path / name, config=CONFIG, params=params, vocab=vocab, card="# card ä\n", **options)

    return save


def test_comes_back(save, vocab, tmp_path):
    licence = tmp_path / "MiniLM.txt"
    licence.write_text("Apache")
    directory = save(licenses=[licence])
    bundle = load_bundle(directory)
    want, have = random_params(CONFIG), flatten(bundle.params)
    assert have.keys() == want.keys()
    for name in want:
        np.testing.assert_array_equal(have[name], want[name])
    assert (bundle.config, bundle.card) == (CONFIG, "# card ä\n")
    assert bundle.vocab.read_bytes() == vocab.read_bytes()
    assert {p.name for p in directory.iterdir()} == FILES | {"LICENSES"}
    assert (directory / "LICENSES" / "MiniLM.txt").read_text() == "Apache"
    assert bundle.licenses == (directory / "LICENSES" / "MiniLM.txt",)
    assert load_bundle(save("bare")).licenses == ()


def test_licences_under_other_names(save, tmp_path):
    licence = tmp_path / "MiniLM.txt"
    licence.write_text("Apache")
    bundle = load_bundle(save(licenses={"b.txt": licence, "a.txt": licence}))
    assert [path.name for path in bundle.licenses] == ["a.txt", "b.txt"]
    assert {path.read_text() for path in bundle.licenses} == {"Apache"}


def test_the_same_model_is_the_same_bytes(save):
    assert (save("a") / "model.safetensors").read_bytes() == (save("b") / "model.safetensors").read_bytes()


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precisions_are_stored_as_they_are(save, dtype):
    flat = {name: array.astype(dtype) for name, array in random_params(CONFIG).items()}
    directory = save(params=unflatten(flat))
    size = sum(a.nbytes for a in flat.values())
    assert size < (directory / "model.safetensors").stat().st_size < size + 10_000
    for name, array in flatten(load_bundle(directory).params).items():
        np.testing.assert_array_equal(array, flat[name].astype(np.float32))


def test_int8(save):
    """Rounding to 127 steps moves a value by half a step at most: 1/254 of its row's largest."""
    flat = random_params(CONFIG)
    names = [n for n in flat if n.endswith(("kernel", "embedding"))]
    back = flatten(load_bundle(save(int8=names)).params)
    for name, array in flat.items():
        if name not in names:
            np.testing.assert_array_equal(back[name], array)
            continue
        axis = 0 if name.endswith("embedding") else array.ndim - 1
        rows = tuple(i for i in range(array.ndim) if i != axis)
        bound = np.abs(array).max(axis=rows, keepdims=True) / 254 * 1.001
        assert (np.abs(back[name] - array) <= bound).all()
        assert (back[name] != array).any()


def test_a_row_of_zeros_has_a_scale():
    stored = quantise("x/embedding", np.zeros((3, 4), np.float32))
    assert stored["x/embedding:scale"].shape == (3, 1)
    np.testing.assert_array_equal(stored["x/embedding:scale"], 1)


def test_refuses_to_write(save, tmp_path, vocab):
    save("there")
    with pytest.raises(OutputError, match="is there already; choose another directory, or pass overwrite=True"):
        save("there")
    with pytest.raises(OutputError, match="is a file"):
        save("my-vocab.txt")
    with pytest.raises(ConfigError, match="does not have: img/no"):
        save("new", int8=["img/no"])
    with pytest.raises(CheckpointNotFoundError, match=r"absent\.txt, which belongs into the bundle"):
        save("new", licenses=[tmp_path / "absent.txt"])
    with pytest.raises(OutputError, match="cannot be written"):
        save("my-vocab.txt/below")
    assert {p.name for p in tmp_path.iterdir()} == {"there", "my-vocab.txt"}


def test_a_failure_leaves_nothing_behind(save, tmp_path, monkeypatch):
    old = save("there")
    before = (old / "model.safetensors").read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(OutputError, match="No space left on device"):
        save("there", overwrite=True)
    with pytest.raises(OutputError, match="No space left on device"):
        save("new")
    assert {p.name for p in tmp_path.iterdir()} == {"there", "my-vocab.txt"}
    assert (old / "model.safetensors").read_bytes() == before
    load_bundle(old)


def test_overwrites_when_asked(save):
    directory = save()
    (directory / "stale.txt").write_text("old")
    save(overwrite=True)
    assert {p.name for p in directory.iterdir()} == FILES


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "vocab.txt"])
def test_a_missing_file_is_named(save, name):
    directory = save()
    (directory / name).unlink()
    with pytest.raises(CheckpointNotFoundError, match=f"is not a complete bundle: {name} is missing"):
        load_bundle(directory)


def test_a_missing_directory(tmp_path):
    with pytest.raises(CheckpointNotFoundError, match=r"nowhere is not a complete bundle: config\.json is missing"):
        load_bundle(tmp_path / "nowhere")


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_truncated(save, keep):
    path = save() / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"model\.safetensors is truncated or corrupt"):
        load_bundle(path.parent)


def test_another_format(save):
    path = save() / "model.safetensors"
    safetensors.numpy.save_file(random_params(CONFIG), path)
    with pytest.raises(CheckpointError, match="is of format None; a bundle's is 'lit-bundle-1'"):
        load_bundle(path.parent)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c | {"dimension": 3}, "no field 'dimension'"),
        (lambda c: {k: v for k, v in c.items() if k != "text"}, "lacks text"),
        (lambda c: c | {"tokenizer": c["tokenizer"] | {"vocab": "../vocab.txt"}}, "must be a plain file name"),
        (lambda c: c | {"tokenizer": c["tokenizer"] | {"vocab": "card.md"}}, "must be a plain file name of its own"),
    ],
)
def test_a_wrong_configuration(save, change, says):
    path = save() / "config.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(CheckpointError, match=says):
        load_bundle(path.parent)


def test_a_configuration_that_is_no_json(save):
    path = save() / "config.json"
    path.write_text("{")
    with pytest.raises(CheckpointError, match=r"config\.json is not the configuration of a model"):
        load_bundle(path.parent)


def test_parameters_of_another_model(save):
    params = fit(random_params(CONFIG), CONFIG, source="random")
    del params["t"]
    with pytest.raises(ParamsMismatchError, match=r"model\.safetensors does not fit the model.*1 missing: t"):
        load_bundle(save(params=params))


@pytest.mark.parametrize("scale", [np.ones((3, 1), np.float32), np.ones(200, np.float32), np.ones((1, 32), np.float64)])
def test_a_scale_that_does_not_fit(save, scale):
    name = "txt/BertEncoder_0/embedder/embedders_token_ids/embedding"
    path = save(int8=[name]) / "model.safetensors"
    tensors = safetensors.numpy.load_file(path)
    safetensors.numpy.save_file(tensors | {f"{name}:scale": scale}, path, metadata={"format": FORMAT})
    with pytest.raises(CheckpointError, match=r"its scale is float\d\d \(.*; expected float32"):
        load_bundle(path.parent)


def test_a_scale_of_what_has_none_is_unexpected(save):
    path = save() / "model.safetensors"
    tensors = safetensors.numpy.load_file(path) | {"t:scale": np.ones(1, np.float32)}
    safetensors.numpy.save_file(tensors, path, metadata={"format": FORMAT})
    with pytest.raises(ParamsMismatchError, match="1 unexpected: t:scale"):
        load_bundle(path.parent)


def test_weights_are_as_readable_as_the_files_beside_them(tiny_bundle):
    assert (tiny_bundle / "model.safetensors").stat().st_mode == (tiny_bundle / "config.json").stat().st_mode
