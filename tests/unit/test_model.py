"""The model: numpy in, numpy out, streams, and bytes that do not depend on the batch."""

import contextlib
import gc
import inspect
import io
import json
import shutil
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from tiny import pictures, save_tiny, tiny_config

import lit
from lit import checkpoints
from lit.config import PrototypeHeadConfig
from lit.engine import batch_size_for
from lit.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    ConfigError,
    ImageError,
    InputError,
    MissingExtraError,
    UnknownNameError,
)
from lit.tokenizers import load_tokenizer


def test_embeddings_are_float32_unit_rows_in_order(tiny_model):
    zimg = tiny_model.embed_images(pictures(5))
    ztxt = tiny_model.embed_texts(["a dog", "a cat", "a red car"])
    assert (zimg.shape, zimg.dtype, ztxt.shape) == ((5, 32), np.float32, (3, 32))
    np.testing.assert_allclose(np.linalg.norm(zimg, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(ztxt, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(tiny_model.embed_images(pictures(5)[::-1]), zimg[::-1])


@pytest.mark.parametrize("batch_size", [None, 1, 3, 16])
def test_an_image_embeds_alike_alone_and_in_any_batch(tiny_model, batch_size):
    images = pictures(11)
    together = tiny_model.embed_images(images, batch_size=batch_size)
    alone = np.concatenate([tiny_model.embed_images([image], batch_size=batch_size) for image in images])
    assert alone.tobytes() == together.tobytes()


def test_a_text_embeds_alike_alone_and_in_any_batch(tiny_model):
    texts = [
        "a dog",
        "",
        "a photo of a red dog and the blue cat in the car " * 2,
        "the boat is green",
        "x" * 90,
    ]
    together = tiny_model.embed_texts(texts * 9)
    alone = np.concatenate([tiny_model.embed_texts([text]) for text in texts])
    assert together.tobytes() == np.tile(alone, (9, 1)).tobytes()


def test_grouping_by_length_agrees_with_the_full_length(tiny_model):
    """Masked padding contributes exactly nothing, so only the order of float32 sums may differ: 1e-6."""
    texts = ["a dog", "a photo of a red dog and the blue cat in the car", "a " * 40]
    _, ztxt, _ = tiny_model.apply(tokens=tiny_model.tokenize(texts))
    np.testing.assert_allclose(tiny_model.embed_texts(texts), ztxt, atol=1e-6)


def test_streams_any_iterable_and_compiles_each_shape_once(tiny_bundle):
    model = lit.load(tiny_bundle)
    zimg = model.embed_images((p for p in pictures(9)), batch_size=4)
    assert zimg.shape == (9, 32)
    model.embed_images(pictures(3), batch_size=4)
    assert model._engine._image._cache_size() == 1


def test_a_stream_is_read_no_further_than_it_must(tiny_model):
    read = []
    stream = (read.append(i) or p for i, p in enumerate(pictures(4) * 100))
    batches = tiny_model.iter_images(stream, batch_size=4)
    index, rows = next(batches)
    batches.close()
    assert index.tolist() == [0, 1, 2, 3]
    assert rows.shape == (4, 32)
    assert len(read) < 100  # of 400: four batches of 4, and what the decoders hold: 4 for each of 16 threads at most


def test_apply_is_the_same_computation(tiny_model):
    images, texts = pictures(3), ["a dog", "the boat"]
    pixels, tokens = tiny_model.preprocess(images), tiny_model.tokenize(texts)
    assert (pixels.shape, pixels.dtype, tokens.shape, tokens.dtype) == (
        (3, 32, 32, 3),
        np.float32,
        (2, 64),
        np.int32,
    )
    zimg, ztxt, out = tiny_model.apply(images=pixels, tokens=tokens)
    np.testing.assert_array_equal(zimg, tiny_model.embed_images(images))
    np.testing.assert_allclose(ztxt, tiny_model.embed_texts(texts), atol=1e-6)
    np.testing.assert_allclose(out["logit_scale"], [20], rtol=1e-6)
    assert "logit_bias" not in out
    assert tiny_model.apply(images=pixels)[1] is None
    with pytest.raises(InputError, match="both are None"):
        tiny_model.apply()
    with pytest.raises(InputError, match=r"images has type .* shape \(0, 32, 32, 3\)"):
        tiny_model.apply(images=pixels[:0])


def test_failures_are_collected_beside_the_good_results(tiny_model, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    images = [*pictures(2), bad, *pictures(3, seed=1), tmp_path / "absent.png"]
    failures: list[ImageError] = []
    zimg = tiny_model.embed_images(images, failures=failures)
    assert [f.index for f in failures] == [2, 6]
    np.testing.assert_array_equal(zimg, tiny_model.embed_images([p for i, p in enumerate(images) if i not in (2, 6)]))
    with pytest.raises(ImageError, match=r"bad\.jpg"):
        tiny_model.embed_images(images)
    assert tiny_model.embed_images([bad], failures=[]).shape == (0, 32)
    with pytest.raises(InputError, match="no images"):
        tiny_model.embed_images([], failures=failures)  # what an earlier call put there says nothing about this one


def test_progress_counts_the_failures_too(tiny_model, tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr("lit.image_embedder.show_progress", lambda *a, **k: contextlib.nullcontext(done.append))
    images = [tmp_path / "absent.png", *pictures(5), tmp_path / "absent.png", *pictures(2)]
    tiny_model.embed_images(images, batch_size=2, failures=[], progress=True)
    assert sum(done) == len(images)


def test_an_error_in_the_middle_or_a_close_ends_the_threads(tiny_model):
    def source():
        yield from pictures(9)
        raise RuntimeError("the disk is gone")

    def threads():
        return [t for t in threading.enumerate() if t.name.startswith("lit-images")]

    with pytest.raises(RuntimeError, match="the disk is gone"):
        tiny_model.embed_images(source(), batch_size=2)
    assert not threads()
    batches = tiny_model.iter_images(pictures(40), batch_size=2)
    next(batches)
    assert threads()
    batches.close()
    assert not threads()


@pytest.mark.parametrize(
    "images",
    [
        "cat.jpg",
        b"...",
        bytearray(b"..."),
        io.BytesIO(b"..."),
        np.zeros((40, 40, 3), np.uint8),
        np.zeros((40, 40), np.float32),
    ],
    ids=lambda images: type(images).__name__,
)
def test_a_lone_image_is_refused_with_the_way_on(tiny_model, images):
    for call in (tiny_model.embed_images, tiny_model.iter_images, tiny_model.preprocess):
        with pytest.raises(InputError, match="single .* wrap it in a list"):
            call(images)


def test_a_stack_of_pictures_is_a_collection(tiny_model):
    stack = np.stack([p[:40, :40] for p in pictures(3)])
    np.testing.assert_array_equal(tiny_model.embed_images(stack), tiny_model.embed_images(list(stack)))
    np.testing.assert_array_equal(tiny_model.embed_images(stack[..., 0]), tiny_model.embed_images(list(stack[..., 0])))


def test_wrong_collections_are_refused(tiny_model):
    with pytest.raises(InputError, match="must be an iterable"):
        inspect.unwrap(type(tiny_model).embed_texts)(tiny_model, 3)  # as a user calls it: the hint is not checked
    with pytest.raises(InputError, match="wrap it in a list"):
        tiny_model.embed_texts("a dog")
    with pytest.raises(InputError, match="no images"):
        tiny_model.embed_images([])
    with pytest.raises(InputError, match="no texts"):
        tiny_model.embed_texts(iter([]))
    with pytest.raises(ConfigError, match="batch_size is 0"):
        tiny_model.embed_images(pictures(1), batch_size=0)


def test_fingerprint_follows_whatever_moves_an_embedding(tiny_bundle, tmp_path):
    model = lit.load(tiny_bundle)
    assert model.fingerprint == lit.load(tiny_bundle).fingerprint
    assert model.fingerprint != lit.load(tiny_bundle, precision="bfloat16").fingerprint
    other = save_tiny(tmp_path / "other", tiny_config(preprocess=lit.PreprocessConfig(image_size=32, jpeg="accurate")))
    assert model.fingerprint != lit.load(other).fingerprint
    heads = [PrototypeHeadConfig(num_prototypes=32, temperature=t) for t in (0.1, 0.2)]
    sharp, soft = (save_tiny(tmp_path / str(h.temperature), tiny_config(text_head=h)) for h in heads)
    assert lit.load(sharp).fingerprint != lit.load(soft).fingerprint


def test_a_model_holds_its_parameters_once(tiny_bundle):
    """numpy's copy is free as soon as the engine has its own."""
    bundle = checkpoints.load_bundle(tiny_bundle)
    tokenizer = load_tokenizer(bundle.config.tokenizer, bundle.vocab)
    held = weakref.ref(bundle.params["img"]["embedding"]["kernel"])
    model = lit.Model(bundle.config, bundle.params, tokenizer)
    del bundle
    gc.collect()
    assert held() is None
    assert model.logit_scale == pytest.approx(20)


def test_a_vocabulary_beyond_the_embeddings_is_refused(tiny_bundle):
    """An id without an embedding would get another one's, silently."""
    bundle = checkpoints.load_bundle(tiny_bundle)
    longer = bundle.vocab.read_bytes() + b"one-more\n"
    tokenizer = load_tokenizer(bundle.config.tokenizer, longer)
    with pytest.raises(CheckpointError, match="the vocabulary has 201 ids and the text tower 200 embeddings"):
        lit.Model(bundle.config, bundle.params, tokenizer)


def test_bfloat16_is_near(tiny_bundle, tiny_model):
    """bfloat16 keeps 8 bits: cosines of unit vectors stay within 1e-3 at this depth."""
    low = lit.load(tiny_bundle, precision="bfloat16")
    cosine = (low.embed_images(pictures(8)) * tiny_model.embed_images(pictures(8))).sum(axis=1)
    assert 0.999 < cosine.min() < 1 - 1e-9


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"name": "LiT-B16B2"}, UnknownNameError, "Did you mean 'LiT-B16B_2'"),
        ({"name": "LiT-B16B_2", "precision": "fp16"}, UnknownNameError, "unknown precision 'fp16'"),
        ({"weights": "x.npz"}, ConfigError, "brings its own weights"),
        (
            {"name": "LiT-B16B_2", "vocab": "/nowhere/vocab.txt"},
            CheckpointError,
            "/nowhere/vocab.txt is not a file",
        ),
        ({"name": "LiT-B16B_2", "offline": True}, CheckpointError, "offline"),
    ],
)
def test_load_refuses(arguments, error, says):
    with pytest.raises(error, match=says):
        inspect.unwrap(lit.load)(**arguments)


def test_engines_are_checked_before_anything_is_fetched(tiny_bundle, monkeypatch):
    for name in (tiny_bundle, "LiT-B16B_2"):
        with pytest.raises(UnknownNameError, match="unknown engine 'tpu'"):
            lit.load(name, engine="tpu", offline=True)
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=r"lit-jax\[openvino\]"):
        lit.load("LiT-B16B_2", engine="openvino", offline=True)


def test_a_released_name_wins_over_a_folder_of_that_name(tiny_bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_bundle, tmp_path / "LiT-L16L")
    with pytest.raises(CheckpointError, match="none of"):
        lit.load("LiT-L16L", offline=True)
    assert lit.load(Path("LiT-L16L")).name == "tiny"
    assert lit.load("./LiT-L16L").name == "tiny"


@pytest.mark.slow
def test_several_devices_give_the_same_embeddings(tiny_bundle):
    """8 forced host devices against 1; a device's share has another shape, so the last bits may differ: 1e-6."""
    code = (
        "import sys, numpy as np, lit; sys.path.insert(0, 'tests'); rng = np.random.default_rng(0)\n"
        f"m = lit.load({str(tiny_bundle)!r}); x = list(rng.integers(0, 256, (11, 40, 40, 3), dtype=np.uint8))\n"
        "z = np.concatenate([m.embed_images(x), m.embed_texts(['a dog', 'a cat', 'a ' * 40])]); print(z.tolist())"
    )
    runs = []
    for n in (1, 8):
        env = {"XLA_FLAGS": f"--xla_force_host_platform_device_count={n}", "JAX_PLATFORMS": "cpu", "PATH": ""}
        out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        runs.append(np.array(json.loads(out.stdout)))
    np.testing.assert_allclose(runs[0], runs[1], atol=1e-6)


@pytest.mark.parametrize("failures", [(), {}, True])
def test_failures_go_into_a_list(tiny_model, failures):
    with pytest.raises(InputError, match="failures is of type .*; hand in a list"):
        inspect.unwrap(type(tiny_model).iter_images)(tiny_model, pictures(1), failures=failures)


@pytest.mark.parametrize("size", [1.5, "4", 0, -1])
def test_batch_sizes_that_cannot_be(tiny_model, size):
    with pytest.raises(ConfigError, match="it must be a whole number, at least 1"):
        inspect.unwrap(batch_size_for)(tiny_model._engine, size, 8)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((32, 32, 3), np.float32),
        np.zeros((0, 32, 32, 3), np.float32),
        np.zeros((1, 31, 32, 3), np.float32),
        np.zeros((1, 32, 32, 3), np.int32),
        ["cat.jpg"],
    ],
)
def test_apply_refuses_what_preprocess_does_not_return(tiny_model, images):
    with pytest.raises(InputError, match=r"images has type .* float32 of shape \(images, 32, 32, 3\)"):
        inspect.unwrap(type(tiny_model).apply)(tiny_model, images=images)


@pytest.mark.parametrize("tokens", [np.zeros(8, np.int32), np.zeros((0, 8), np.int32), np.zeros((1, 8)), ["a cat"]])
def test_apply_refuses_what_tokenize_does_not_return(tiny_model, tokens):
    with pytest.raises(InputError, match=r"tokens has type .* int32 of shape \(texts, context_length\)"):
        inspect.unwrap(type(tiny_model).apply)(tiny_model, tokens=tokens)


@pytest.mark.parametrize("wrong", [-1, 200])
def test_apply_refuses_ids_without_an_embedding(tiny_model, wrong):
    with pytest.raises(InputError, match=rf"run from .*{wrong}.*; this model's run from 0 to 199"):
        tiny_model.apply(tokens=np.array([[2, wrong, 3]], np.int32))


def test_names_that_mean_no_model(tmp_path):
    weights = tmp_path / "B16B_2.npz"
    weights.write_bytes(b"PK")
    with pytest.raises(CheckpointError, match="is a file; a saved model is a folder.*weights="):
        lit.load(str(weights))
    with pytest.raises(CheckpointNotFoundError, match="there is no folder .*absent"):
        lit.load(str(tmp_path / "absent"))
    with pytest.raises(CheckpointNotFoundError, match="there is no folder absent"):
        lit.load("./absent")
    with pytest.raises(UnknownNameError, match="unknown model ''"):
        lit.load("")


def test_a_generator_that_raises_ends_the_threads(tiny_model):
    def images():
        yield from pictures(3)
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        tiny_model.embed_images(images())
    assert not [t for t in threading.enumerate() if t.name.startswith("lit-images")]


def test_the_message_about_a_lone_array_is_one_line(tiny_model):
    with pytest.raises(InputError) as caught:
        tiny_model.embed_images(pictures(1)[0])
    assert str(caught.value) == "images is a single array of shape (40, 40, 3); wrap it in a list: [array]."
    with pytest.raises(InputError, match="must be an iterable of images"):
        inspect.unwrap(type(tiny_model).embed_images)(tiny_model, np.array("cat.jpg"))


def test_a_vocabulary_that_is_not_the_published_one_is_refused(tmp_path):
    from lit.errors import ChecksumError

    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n")
    with pytest.raises(ChecksumError, match="is not the published"):
        lit.load("LiT-B16B_2", vocab=tmp_path / "vocab.txt", weights=tmp_path / "vocab.txt")


def test_with_preprocess_shares_the_towers_and_changes_the_pixels(tiny_model):
    cropped = tiny_model.with_preprocess(resize="crop")
    picture = pictures(1, side=64)[0][:, :40]
    assert cropped.config.preprocess.resize == "crop"
    assert tiny_model.config.preprocess.resize == "stretch"
    assert cropped.fingerprint != tiny_model.fingerprint
    assert cropped.image_fingerprint != tiny_model.image_fingerprint
    assert cropped.weights_digest == tiny_model.weights_digest
    assert np.abs(cropped.embed_images([picture]) - tiny_model.embed_images([picture])).max() > 1e-3
    back = cropped.with_preprocess(resize="stretch")
    assert back.fingerprint == tiny_model.fingerprint


@pytest.mark.parametrize("field", ["image_size", "value_range"])
def test_with_preprocess_leaves_what_the_tower_was_built_for(tiny_model, field):
    with pytest.raises(ConfigError, match=f"with_preprocess cannot change {field}"):
        tiny_model.with_preprocess(**{field: getattr(tiny_model.config.preprocess, field)})
