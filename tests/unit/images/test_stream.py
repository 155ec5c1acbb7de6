"""Many pictures: order, failures, bounded reading ahead, and threads that go away."""

import io
import threading
import time

import numpy as np
import pytest
from PIL import Image

from lit.config import PreprocessConfig
from lit.errors import ImageError, InputError
from lit.images import iter_preprocessed, preprocess, preprocess_batch, to_range

CONFIG = PreprocessConfig(image_size=16)
RNG = np.random.default_rng(0)


def jpeg(h, w):
    buffer = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (h, w, 3), dtype=np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def threads():
    return [t for t in threading.enumerate() if t.name.startswith("lit-images")]


@pytest.mark.parametrize("workers", [None, 1, 3])
def test_order_and_values(workers):
    images = [jpeg(*RNG.integers(5, 200, 2)) for _ in range(40)]
    got = list(iter_preprocessed(images, CONFIG, workers=workers))
    assert [index for index, _ in got] == list(range(40))
    for (_, picture), image in zip(got, images, strict=True):
        np.testing.assert_array_equal(picture, preprocess(image, CONFIG))
    assert not threads()


def test_pictures_of_one_thread_do_not_share_memory():
    first, second = (picture for _, picture in iter_preprocessed([jpeg(30, 40), jpeg(50, 60)], CONFIG, workers=1))
    assert not np.shares_memory(first, second)
    again = preprocess(jpeg(16, 16), CONFIG)
    kept = again.copy()
    preprocess(jpeg(16, 16), CONFIG)
    np.testing.assert_array_equal(again, kept)


def test_first_bad_picture_raises_with_its_index():
    with pytest.raises(ImageError, match=r"missing\.jpg \(item 2\): there is no such file") as caught:
        list(iter_preprocessed([jpeg(9, 9), jpeg(9, 9), "missing.jpg", "other.jpg"], CONFIG))
    assert (caught.value.index, caught.value.item) == (2, "missing.jpg")
    assert not threads()


def test_failures_are_collected_beside_the_good_results():
    failures = []
    images = [b"", jpeg(9, 9), np.full((4, 4), np.nan), jpeg(9, 9), "missing.jpg"]
    index, pixels = preprocess_batch(images, CONFIG, failures=failures)
    assert index.tolist() == [1, 3]
    assert pixels.shape == (2, 16, 16, 3)
    assert [error.index for error in failures] == [0, 2, 4]
    assert "empty" in failures[0].reason
    assert "NaN" in failures[1].reason


def test_all_bad_is_an_empty_result():
    failures = []
    index, pixels = preprocess_batch([b"", b"x"], CONFIG, failures=failures)
    assert index.shape == (0,)
    assert pixels.shape == (0, 16, 16, 3)
    assert len(failures) == 2


def test_no_pictures():
    with pytest.raises(InputError, match="no images to preprocess; give at least one"):
        preprocess_batch([], CONFIG)
    with pytest.raises(InputError, match="no images"):
        preprocess_batch(iter(()), CONFIG, failures=[ImageError("old", item="x")])
    with pytest.raises(InputError, match="wrap it in a list"):
        preprocess_batch("cat.jpg", CONFIG)
    assert list(iter_preprocessed([], CONFIG)) == []


def test_a_stream_is_read_only_as_far_as_it_must_be():
    taken = []

    def endless():
        for i in range(10**9):
            taken.append(i)
            yield np.zeros((4, 4, 3), np.uint8)

    stream = iter_preprocessed(endless(), CONFIG, workers=2, prefetch=5)
    for _ in range(7):
        next(stream)
    assert len(taken) == 7 + 4
    stream.close()
    assert not threads()


def test_an_error_of_the_source_passes_through():
    def source():
        yield jpeg(9, 9)
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        list(iter_preprocessed(source(), CONFIG))
    assert not threads()


def test_interrupt_drops_what_was_not_begun():
    begun = []

    class Slow(io.BytesIO):
        def read(self, *args):
            begun.append(1)
            time.sleep(0.05)
            return super().read(*args)

    def source():
        for _ in range(20):
            yield Slow(jpeg(9, 9))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(iter_preprocessed(source(), CONFIG, workers=1, prefetch=100))
    assert len(begun) < 20
    assert not threads()


@pytest.mark.parametrize("value_range", [(-1.0, 1.0), (0.0, 1.0), (-127 / 128, 1.0)])
def test_to_range(value_range):
    config = PreprocessConfig(value_range=value_range)
    pixels = to_range(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, 3), config)
    assert pixels.dtype == np.float32
    assert pixels.shape == (1, 16, 16, 3)
    np.testing.assert_allclose([pixels.min(), pixels.max()], value_range, atol=1e-7)
    exact = value_range[0] + np.arange(256) / 255 * (value_range[1] - value_range[0])
    np.testing.assert_allclose(pixels[0, :, :, 0].ravel(), exact, atol=2e-7)  # three roundings of numbers up to 2
