"""The contact sheet, measured on its pixels."""

import numpy as np
import pytest
from PIL import Image

from lit.sheet import MOST, Tile, contact_sheet

BEST, OTHER, TRACK = (47, 111, 222), (169, 195, 239), (230, 233, 238)


def tile(size=(64, 48), labels=(("cat", 0.75), ("dog", 0.25)), caption="a.jpg", colour="#800000"):
    return Tile(Image.new("RGB", size, colour), caption, labels)


def count(page, colour):
    return int((np.asarray(page) == np.array(colour)).all(-1).sum())


def test_bars_are_as_long_as_probabilities():
    page = contact_sheet([tile()])
    best, other, track = count(page, BEST), count(page, OTHER), count(page, TRACK)
    assert best / (best + other + track) == pytest.approx(0.75 / 2, abs=0.02)
    assert other / best == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.parametrize(("probability", "seen"), [(0.0, False), (1.0, True)])
def test_nothing_and_everything(probability, seen):
    page = contact_sheet([tile(labels=(("cat", probability),))])
    assert (count(page, BEST) > 0) is seen
    assert (count(page, TRACK) > 0) is not seen


@pytest.mark.parametrize("size", [(1, 1), (4000, 10), (10, 4000), (640, 480)])
def test_a_picture_keeps_its_shape(size):
    page = np.asarray(contact_sheet([tile(size, colour="#00ff00")]))
    ys, xs = np.nonzero((page == (0, 255, 0)).all(-1))
    width, height = np.ptp(xs) + 1, np.ptp(ys) + 1
    scale = min(440 / size[0], 330 / size[1])
    assert width == pytest.approx(max(1, size[0] * scale), abs=1)
    assert height == pytest.approx(max(1, size[1] * scale), abs=1)


def test_the_page_grows_with_its_tiles_and_stays_wider_than_high():
    sizes = [contact_sheet([tile()] * n).size for n in (1, 4, 9, 25)]
    assert [w * h for w, h in sizes] == sorted(w * h for w, h in sizes)
    assert all(0.6 < w / h < 2.6 for w, h in sizes)
    assert contact_sheet([tile()] * 3, columns=1).width == sizes[0][0]


def test_a_page_has_an_end():
    assert contact_sheet([tile()] * (MOST + 50)).size == contact_sheet([tile()] * MOST).size


def test_long_and_foreign_names_stay_inside_the_card():
    long = tile(caption="x" * 5000 + ".jpg", labels=(("very long name " * 400, 0.5),))
    odd = tile(caption="猫 größe\n\t.jpg", labels=(("кошка", 0.5),))
    page = np.asarray(contact_sheet([long, odd], footer="y" * 3000, columns=2))
    margin = page[:, :26]
    assert (margin == np.array([236, 238, 241])).all()
    assert (page[:, -26:] == np.array([236, 238, 241])).all()
