"""The resamplers against plain spellings of the same arithmetic."""

import numpy as np
import pytest
from PIL import Image

from lit.config import PreprocessConfig
from lit.images import decode, resize
from lit.images.orientation import upright

RNG = np.random.default_rng(0)


def picture(h, w):
    return RNG.integers(0, 256, (h, w, 3), dtype=np.uint8)


def plain_bilinear(image, rows, cols):
    """tf.image.resize as its documentation describes it, every step in float32."""

    def taps(n_in, n_out):
        x = (np.arange(n_out, dtype=np.float32) + np.float32(0.5)) * (np.float32(n_in) / np.float32(n_out))
        x -= np.float32(0.5)
        low, high = np.maximum(np.floor(x), 0).astype(int), np.minimum(np.ceil(x), n_in - 1).astype(int)
        return low, high, x - np.floor(x)

    (top, bottom, fy), (left, right, fx) = taps(image.shape[0], rows), taps(image.shape[1], cols)
    image, fx, fy = image.astype(np.float32), fx[None, :, None], fy[:, None, None]

    def line(y):
        return image[y][:, left] + (image[y][:, right] - image[y][:, left]) * fx

    return line(top) + (line(bottom) - line(top)) * fy


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 40), (33, 1), (32, 32), (31, 33), (200, 300), (500, 64), (65, 64), (97, 900)]
)
@pytest.mark.parametrize("rounding", ["truncate", "round"])
def test_stretch(shape, rounding):
    image, config = picture(*shape), PreprocessConfig(image_size=32, rounding=rounding)
    want = plain_bilinear(image, 32, 32)
    want = (np.rint(want) if rounding == "round" else want).astype(np.uint8)
    np.testing.assert_array_equal(resize(image, config), want)


@pytest.mark.parametrize("shape", [(1, 1), (40, 50), (50, 40), (300, 200), (33, 32), (192, 195), (21, 640)])
def test_crop_is_the_middle_of_the_whole(shape):
    image, size = picture(*shape), 32
    ratio = np.float32(size) / np.float32(min(shape))
    rows, cols = (int(np.rint(np.float32(n) * ratio)) for n in shape)
    top, left = (rows - size) // 2, (cols - size) // 2
    want = plain_bilinear(image, rows, cols)[top : top + size, left : left + size].astype(np.uint8)
    np.testing.assert_array_equal(resize(image, PreprocessConfig(image_size=size, resize="crop")), want)


def test_a_panorama_is_cropped_without_resizing_all_of_it():
    image = np.broadcast_to(np.uint8(7), (1, 2_000_000, 3))
    for options in ({}, {"kernel": "bicubic", "antialias": True, "rounding": "round"}):
        small = resize(image, PreprocessConfig(image_size=64, resize="crop", **options))
        np.testing.assert_array_equal(small, np.full((64, 64, 3), 7))


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
@pytest.mark.parametrize("shape", [(200, 300), (20, 31), (32, 32)])
def test_antialias_is_pillow(kernel, shape):
    image, filters = picture(*shape), {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}
    config = PreprocessConfig(image_size=32, kernel=kernel, antialias=True, rounding="round")
    want = np.asarray(Image.fromarray(image).resize((32, 32), filters[kernel]))
    np.testing.assert_array_equal(resize(image, config), want)


def test_antialias_crop_is_that_of_torchvision():
    image = picture(300, 203)  # 224 / 203 * 300 = 331.03: the longer side is truncated to 331
    config = PreprocessConfig(image_size=224, resize="crop", kernel="bicubic", antialias=True, rounding="round")
    whole = np.asarray(Image.fromarray(image).resize((224, 331), Image.BICUBIC))
    np.testing.assert_array_equal(resize(image, config), whole[54:278])  # round(53.5) is 54, half to even


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("shape", [(40, 60), (700, 500)])
def test_turned_pictures_resize_like_their_copies(orientation, shape):
    turned, config = upright(picture(*shape), orientation), PreprocessConfig(image_size=32)
    np.testing.assert_array_equal(resize(turned, config), resize(np.ascontiguousarray(turned), config))


def test_result_is_never_the_input():
    image, config = picture(32, 32), PreprocessConfig(image_size=32)
    small = resize(decode(image, config), config)
    np.testing.assert_array_equal(small, image)
    assert not np.shares_memory(small, image)
