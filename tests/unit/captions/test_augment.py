"""Crops and flips."""

import numpy as np
import pytest

from lit.captions.augment import LEAST, crop_flip
from lit.config import PreprocessConfig


def ramps(h, w):
    """Red counts columns, green rows: any part of it says where it was cut out."""
    picture = np.zeros((h, w, 3), np.uint8)
    picture[..., 0], picture[..., 1] = np.arange(w), np.arange(h)[:, None]
    return picture


@pytest.mark.parametrize(("h", "w"), [(200, 200), (60, 250), (250, 40)])
def test_parts_are_large_and_half_of_them_mirrored(h, w):
    config = PreprocessConfig(image_size=64)
    shares, mirrored, places = [], 0, set()
    for row in range(200):
        pixels = crop_flip(ramps(h, w), config, seed=0, epoch=row % 3, row=row).astype(float)
        right, down = pixels[0, -1, 0] - pixels[0, 0, 0], pixels[-1, 0, 1] - pixels[0, 0, 1]
        assert down > 0
        mirrored += right < 0
        # 64 outputs lie 1/64 of the side apart, so the outermost span 63/64 of it.
        shares.append(abs(right) * 64 / 63 / w * down * 64 / 63 / h)
        places.add((pixels[0, :, 0].min(), pixels[0, 0, 1]))
    assert min(shares) > LEAST - 0.06  # of whole pixels and of outputs cut to 8 bits
    assert max(shares) < 1.04
    assert max(shares) - min(shares) > 0.05
    assert 70 < mirrored < 130
    assert len(places) > 20


def test_a_function_of_seed_epoch_and_row():
    config, picture = PreprocessConfig(image_size=32), ramps(100, 100)

    def cut(seed, epoch, row):
        return crop_flip(picture, config, seed=seed, epoch=epoch, row=row).tobytes()

    assert cut(1, 2, 3) == cut(1, 2, 3)
    assert len({cut(s, e, r) for s in range(3) for e in range(3) for r in range(3)}) == 27


def test_one_pixel():
    assert crop_flip(ramps(1, 1), PreprocessConfig(image_size=8), seed=0, epoch=0, row=0).shape == (8, 8, 3)
