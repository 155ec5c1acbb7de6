"""Pixels of TensorFlow and vit_jax, bit for bit: recorded by record_pixels.py; no tolerance anywhere."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lit.config import PreprocessConfig
from lit.images import decode, preprocess, resize, to_range

DATA = Path(__file__).parent / "data" / "pixels"
JPEGS = json.loads((DATA / "expected.json").read_text())["jpegs"]
RESIZED = np.load(DATA / "resize.npz")
RESIZED_224 = json.loads((DATA / "resize_224.json").read_text())
MODES = {"nocrop": "stretch", "crop": "crop"}


def sha256(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def config_of(key):
    _, size, mode = key.split("/")
    return PreprocessConfig(image_size=int(size), resize=MODES[mode])


@pytest.mark.parametrize("key", [k for k in RESIZED.files if not k.startswith("in/")])
def test_resize_equals_vit_jax(key):
    picture = RESIZED[f"in/{key.split('/')[0]}"]
    np.testing.assert_array_equal(resize(picture, config_of(key)), RESIZED[key])


@pytest.mark.parametrize("key", RESIZED_224)
def test_resize_to_224_equals_vit_jax(key):
    assert sha256(resize(RESIZED[f"in/{key.split('/')[0]}"], config_of(key))) == RESIZED_224[key]


@pytest.mark.parametrize("name", JPEGS)
def test_jpeg_equals_tensorflow(name):
    path = DATA / f"{name}.jpg"
    assert sha256(decode(path, PreprocessConfig())) == JPEGS[name]["tf"]
    assert sha256(preprocess(path, PreprocessConfig(image_size=64))) == JPEGS[name]["resized"]


@pytest.mark.parametrize("name", JPEGS)
def test_accurate_jpeg_equals_pillow_and_but_for_cmyk_tensorflow(name):
    pixels = decode(DATA / f"{name}.jpg", PreprocessConfig(jpeg="accurate"))
    np.testing.assert_array_equal(pixels, np.asarray(Image.open(DATA / f"{name}.jpg").convert("RGB")))
    if not name.startswith("cmyk"):  # Pillow and TF convert ink to light differently
        assert sha256(pixels) == JPEGS[name]["accurate"]


def test_value_range_is_that_of_vit_jax():
    u = np.arange(256, dtype=np.uint8)
    want = np.float32(-1) + (u.astype(np.float32) / np.float32(255)) * np.float32(2)
    np.testing.assert_array_equal(to_range(u, PreprocessConfig()), want)
