"""The fast ranking is the exact one: same classes, same order, the first of equals first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit import ZeroShotClassifier
from lit.errors import InputError
from lit.evaluation import scoring
from lit.evaluation.scoring import scores_top_k
from lit.zeroshot import softmax


def unit(rng, n, dim):
    z = rng.normal(size=(n, dim)).astype(np.float32)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def reference(zimg, classes, k):
    """As `ZeroShotClassifier.similarity_of` and `ranked` define it."""
    similarity = (zimg.astype(np.float64) @ classes.astype(np.float64).T).astype(np.float32)
    return np.argsort(-similarity, axis=1, kind="stable")[:, :k], similarity


@pytest.mark.parametrize(
    ("images", "classes", "dim", "k"), [(1500, 1000, 64, 5), (40, 3, 8, 3), (7, 1, 5, 1), (0, 4, 5, 2)]
)
def test_ranks_and_confidence(images, classes, dim, k):
    rng = np.random.default_rng(0)
    zimg, c = unit(rng, images, dim), unit(rng, classes, dim)
    top, confidence = scores_top_k(zimg, c, k, logit_scale=60.0)
    best, similarity = reference(zimg, c, k)
    np.testing.assert_array_equal(top, best)
    # 60 times the rounding of a product, 1e-7 or so
    np.testing.assert_allclose(confidence, softmax(60.0 * similarity.astype(np.float64)).max(axis=1), rtol=2e-5)
    assert (top.dtype, confidence.dtype) == (np.int64, np.float32)


def test_of_equal_classes_the_first_wins_always():
    """In float32 the columns of a product differ in their last bit, though the classes are the same."""
    rng = np.random.default_rng(1)
    c = unit(rng, 300, 96)
    c[[7, 133, 299]] = c[2]
    zimg = unit(rng, 4000, 96) + 2 * c[2]
    top, _ = scores_top_k(zimg, c, 5, logit_scale=100.0)
    assert top[:, :4].tolist() == [[2, 7, 133, 299]] * 4000
    np.testing.assert_array_equal(top, reference(zimg, c, 5)[0])


def test_nearly_equal_classes_are_told_apart_in_float64():
    rng = np.random.default_rng(2)
    base = unit(rng, 1, 128)
    c = (base + rng.normal(size=(200, 128)) * 3e-7).astype(np.float32)
    zimg = unit(rng, 3000, 128) + base
    top, _ = scores_top_k(zimg, c, 5, logit_scale=100.0)
    np.testing.assert_array_equal(top, reference(zimg, c, 5)[0])
    wrong = np.argsort(-(zimg @ c.T), axis=1, kind="stable")[:, :5]
    assert (wrong != top).any()  # float32 alone would not do


@settings(deadline=None, max_examples=60)
@given(data=st.data(), images=st.integers(1, 30), classes=st.integers(1, 12), dim=st.integers(1, 9))
def test_coarse_values_with_many_ties(data, images, classes, dim):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    scale = np.float32(data.draw(st.sampled_from([1e-6, 1, 100])))
    zimg = rng.integers(-2, 3, (images, dim)).astype(np.float32) * scale
    c = rng.integers(-1, 2, (classes, dim)).astype(np.float32)
    k = data.draw(st.integers(1, classes))
    np.testing.assert_array_equal(scores_top_k(zimg, c, k, logit_scale=1.0)[0], reference(zimg, c, k)[0])


def test_parts_do_not_change_the_answer(monkeypatch):
    rng = np.random.default_rng(3)
    zimg, c = unit(rng, 257, 32), unit(rng, 50, 32)
    whole = scores_top_k(zimg, c, 5, logit_scale=30.0)
    monkeypatch.setattr(scoring, "_SCORES", 50 * 100)
    monkeypatch.setattr(scoring, "_RANKED", 50 * 7)
    parts = scores_top_k(zimg, c, 5, logit_scale=30.0)
    np.testing.assert_array_equal(parts[0], whole[0])
    np.testing.assert_allclose(parts[1], whole[1], rtol=1e-5)


def test_it_agrees_with_the_classifier(tiny_model):
    classifier = ZeroShotClassifier(tiny_model, ["dog", "cat", "car", "boat", "a dog", "red car"], cache=False)
    zimg = unit(np.random.default_rng(4), 400, tiny_model.dim)
    best, probability, _ = classifier.ranked(zimg, 5)
    top, confidence = scores_top_k(zimg, classifier.class_embeddings, 5, logit_scale=tiny_model.logit_scale)
    np.testing.assert_array_equal(top, best)
    np.testing.assert_allclose(confidence, probability[:, 0], rtol=1e-5)


@pytest.mark.parametrize("k", [0, 4])
def test_impossible_ranks(k):
    z = np.eye(3, dtype=np.float32)
    with pytest.raises(InputError, match=f"k is {k}; with 3 classes it must be between 1 and 3"):
        scores_top_k(z, z, k, logit_scale=1.0)
