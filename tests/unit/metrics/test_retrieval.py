"""Recall both ways, from similarities and from embeddings."""

import importlib
import inspect
import tracemalloc

import numpy as np
import pytest

from lit.errors import InputError
from lit.metrics import retrieval, retrieval_of
from lit.metrics.intervals import wilson


def by_sorting(similarity, text_image, k):
    """Both recalls by definition; of equals the first."""
    texts = np.argsort(-similarity, axis=1, kind="stable")[:, :k]
    images = np.argsort(-similarity, axis=0, kind="stable")[:k]
    to_text = (text_image[texts] == np.arange(len(similarity))[:, None]).any(axis=1).mean()
    return to_text, (images == text_image).any(axis=0).mean()


@pytest.mark.parametrize("levels", [4, 10**9])
def test_by_definition_with_and_without_ties(levels):
    rng = np.random.default_rng(0)
    text_image = np.concatenate([np.arange(40), rng.integers(0, 40, 90)])
    similarity = rng.integers(0, levels, (40, 130)) / levels
    found = retrieval_of(similarity, text_image, ks=(1, 2, 7))
    for k in (1, 2, 7):
        expected = by_sorting(similarity, text_image, k)
        assert (found[f"image_to_text_r{k}"].value, found[f"text_to_image_r{k}"].value) == expected


def test_equals_fall_to_the_first():
    found = retrieval_of(np.zeros((3, 3)), np.arange(3), ks=(1, 2))
    assert found["image_to_text_r1"].value == found["text_to_image_r1"].value == 1 / 3
    assert found["text_to_image_r2"].value == 2 / 3


def embeddings(images, per_image, dim, seed=0):
    rng = np.random.default_rng(seed)
    zimg = rng.standard_normal((images, dim)).astype(np.float32)
    text_image = rng.permutation(np.repeat(np.arange(images), per_image))
    ztxt = (zimg[text_image] + 2 * rng.standard_normal((len(text_image), dim))).astype(np.float32)
    ztxt[5::7] = ztxt[:1]  # the same words for several images
    return zimg, ztxt, text_image


@pytest.mark.parametrize("block", [1, 60 * 7, 2**22])
def test_blocks_give_what_the_whole_matrix_gives(block, monkeypatch):
    zimg, ztxt, text_image = embeddings(60, 5, 16)
    similarity = (zimg.astype(np.float64) @ ztxt.astype(np.float64).T).astype(np.float32)
    # By import: `lit.metrics.retrieval` is the function.
    monkeypatch.setattr(importlib.import_module("lit.metrics.retrieval"), "_BLOCK", block)
    assert retrieval(zimg, ztxt, text_image) == retrieval_of(similarity, text_image)


def test_memory_stays_small():
    """1,000 x 25,000 similarities would be 200 MB in float64; a block and what is made of it is a fraction."""
    zimg, ztxt, text_image = embeddings(1000, 25, 8)
    tracemalloc.start()
    try:
        retrieval(zimg, ztxt, text_image, ks=(1,))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * 2**20


def test_ranks_beyond_what_there_is():
    found = retrieval_of(np.array([[0.0, 1.0], [1.0, 0.0]]), np.arange(2), ks=(1, 5))
    assert found["image_to_text_r1"].value == 0
    assert found["image_to_text_r5"].value == found["text_to_image_r5"].value == 1


def test_captions_of_an_image_are_not_independent():
    """With five captions of one fate each, the interval is that of the images, more than twice as wide."""
    rng = np.random.default_rng(0)
    found = rng.random(200) < 0.5
    similarity = np.where(found, 1.0, -1.0)[:, None] * np.eye(200)
    figure = retrieval_of(np.repeat(similarity, 5, axis=1), np.repeat(np.arange(200), 5), ks=(1,))["text_to_image_r1"]
    # An image with -1 on its own captions comes last among those with 0.
    assert (figure.value, figure.n) == (found.mean(), 1000)
    assert figure.method == "bootstrap over images with their captions, 1000 draws, seed 0"
    low, high = wilson(int(found.sum()), 200)
    assert (figure.low, figure.high) == pytest.approx((low, high), abs=0.02)


def test_intervals_where_all_are_found():
    alone = retrieval_of(np.eye(20), np.arange(20), ks=(1,))["text_to_image_r1"]
    assert (alone.method, alone.n, alone.low) == ("Wilson", 20, wilson(20, 20)[0])
    five = retrieval_of(np.repeat(np.eye(20), 5, axis=1), np.repeat(np.arange(20), 5), ks=(1,))["text_to_image_r1"]
    assert (five.method, five.n, five.low) == ("Wilson over images", 100, wilson(20, 20)[0])


@pytest.mark.parametrize(
    ("similarity", "text_image", "ks", "says"),
    [
        (np.zeros((0, 3)), [0, 0, 0], (1,), "0 images and 3 texts"),
        (np.zeros((2, 3)), [0, 1], (1,), "text_image has 2 entries for 3 texts"),
        (np.zeros((2, 3)), [0, 1, 2], (1,), "reaches from 0 to 2; with 2 images"),
        (np.zeros((2, 3)), [0, 1, -1], (1,), "reaches from -1 to 1"),
        (np.zeros((2, 3)), [1, 1, 1], (1,), "1 of 2 images have no text, the first at 0"),
        (np.zeros((2, 3)), [0, 1, 1], (), "ks is empty"),
        (np.zeros((2, 3)), [0, 1, 1], (0,), "k is 0"),
        (np.full((2, 3), np.nan), [0, 1, 1], (1,), "6 of 6 similarities are NaN"),
    ],
)
def test_nothing_to_retrieve(similarity, text_image, ks, says):
    with pytest.raises(InputError, match=says):
        inspect.unwrap(retrieval_of)(similarity, np.array(text_image), ks=ks)


def test_embeddings_of_two_models():
    one, other = np.ones((2, 8), np.float32), np.ones((2, 9), np.float32)
    with pytest.raises(InputError, match="image embeddings have 8 numbers and text embeddings 9"):
        inspect.unwrap(retrieval)(one, other, np.arange(2))
    with pytest.raises(InputError, match="16 of 16 text embeddings are NaN"):
        retrieval(one, one * np.float32(np.nan), np.arange(2))
    with pytest.raises(InputError, match="0 images and 2 texts"):
        retrieval(one[:0], one, np.arange(2))
