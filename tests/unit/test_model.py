"""The model: numpy in, numpy out, streams, and bytes that do not depend on the batch."""

import inspect
import subprocess
import sys

import numpy as np
import pytest
from tiny import pictures, save_tiny, tiny_config

import lit
from lit.errors import CheckpointError, ConfigError, ImageError, InputError, UnknownNameError


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
    assert len(read) < 60  # of 400: a few batches under way, and what the decoders hold


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


@pytest.mark.parametrize("images", ["cat.jpg", b"..."])
def test_a_lone_image_is_refused_with_the_way_on(tiny_model, images):
    with pytest.raises(InputError, match="wrap it in a list"):
        tiny_model.embed_images(images)


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


def test_unknown_engine(tiny_bundle):
    with pytest.raises(UnknownNameError, match="unknown engine 'tpu'"):
        lit.load(tiny_bundle, engine="tpu")


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
        runs.append(np.array(eval(out.stdout)))
    np.testing.assert_allclose(runs[0], runs[1], atol=1e-6)
