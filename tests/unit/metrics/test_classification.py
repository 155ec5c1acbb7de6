"""Ranks, hits and the two accuracies."""

import inspect

import numpy as np
import pytest
from scipy.stats import binomtest

from lit.errors import InputError
from lit.metrics import accuracy, hits, mean_per_class, top_k
from lit.metrics.intervals import wilson


def test_of_equal_scores_the_first_class_wins():
    scores = np.array([[0.5, 1.0, 1.0, 0.5], [2.0, 2.0, 2.0, 2.0]])
    assert top_k(scores, 3).tolist() == [[1, 2, 0], [0, 1, 2]]


@pytest.mark.parametrize("k", [1, 5, 16, 17, 40])
def test_top_k_is_a_stable_sort(k):
    scores = np.random.default_rng(0).integers(0, 12, (300, 40)).astype(np.float32)
    before = scores.copy()
    np.testing.assert_array_equal(top_k(scores, k), np.argsort(-scores, axis=1, kind="stable")[:, :k])
    np.testing.assert_array_equal(scores, before)


def test_blocks_leave_no_seam(monkeypatch):
    scores = np.random.default_rng(0).standard_normal((50, 7))
    whole = top_k(scores, 3)
    monkeypatch.setattr("lit.metrics.classification._BLOCK", 21)
    np.testing.assert_array_equal(top_k(scores, 3), whole)


@pytest.mark.parametrize(
    ("scores", "k", "says"),
    [
        (np.zeros((0, 3)), 1, "scores is empty"),
        (np.zeros((2, 3)), 0, "k is 0; it must be a whole number between 1 and 3"),
        (np.zeros((2, 3)), 4, "k is 4"),
        (np.zeros((2, 3)), 1.0, "k is 1.0"),
        (np.zeros((2, 3)), True, "k is True"),
        (np.array([[0, np.nan], [np.inf, 0]]), 1, r"2 of 4 scores are NaN or infinite, the first at \(0, 1\)"),
    ],
)
def test_scores_that_cannot_be_ranked(scores, k, says):
    with pytest.raises(InputError, match=says):
        inspect.unwrap(top_k)(scores, k)


def test_hits_with_one_label_and_with_several():
    top = np.array([[3, 1], [0, 2], [2, 0]])
    assert hits(top, np.array([1, 1, 0])).tolist() == [True, False, True]
    assert hits(top[:, :1], np.array([1, 1, 2])).tolist() == [False, False, True]
    assert hits(top, ((0, 1), (1,), (3, 1, 0))).tolist() == [True, False, True]
    assert hits(top, [[3], [0], [2]]).all()


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([[1], [], []], "2 of 3 images have no label, the first at 1"),
        (np.array([1, -1, 0]), "image 1 has the label -1"),
        ([[1]], "top has 3, labels has 1"),
        (np.array([1]), "top has 3, labels has 1"),
    ],
)
def test_labels_that_cannot_be_hit(labels, says):
    with pytest.raises(InputError, match=says):
        inspect.unwrap(hits)(np.zeros((3, 1), int), labels)


def test_accuracy_is_a_share_with_wilsons_interval():
    found = accuracy(np.array([True] * 74 + [False] * 26))
    assert (found.value, found.n, found.method) == (0.74, 100, "Wilson")
    assert (found.low, found.high) == pytest.approx(tuple(binomtest(74, 100).proportion_ci(method="wilson")))
    with pytest.raises(InputError, match="correct is empty"):
        accuracy(np.zeros(0, bool))


@pytest.mark.parametrize(("share", "n"), [(0, 7), (7, 7)])
def test_none_and_all_have_an_interval(share, n):
    low, high = wilson(share, n)
    assert 0 <= low < high <= 1
    assert share / n in (low, high)


@pytest.mark.parametrize(("hit", "n"), [(1, 0), (-1, 3), (4, 3)])
def test_no_share(hit, n):
    with pytest.raises(InputError, match="is no share"):
        wilson(hit, n)


def test_each_class_counts_alike():
    label = np.array([0] * 90 + [1] * 10)
    correct = np.concatenate([np.ones(90, bool), np.arange(10) < 5])
    found = mean_per_class(correct, label, 3)
    assert found.value == 0.75
    assert found.n == 100
    assert found.method == ("bootstrap over the images of each class, 1000 draws, seed 0; 1 of 3 classes have no image")
    # Half of class 1's binomial spread: sqrt(.25 / 9) / 2 = 0.083, times 1.96, on either side.
    assert found.low == pytest.approx(0.75 - 0.163, abs=0.03)
    assert found.high == pytest.approx(0.75 + 0.163, abs=0.03)


def test_where_nothing_varies_within_a_class_the_interval_is_wilsons():
    label = np.repeat([0, 1], 50)
    found = mean_per_class(label == 0, label, 2)
    assert (found.value, found.low, found.high) == (0.5, *wilson(50, 100))
    assert found.method == "Wilson over images"
    assert mean_per_class(np.ones(4, bool), np.arange(4), 4).low < 1


def test_classes_of_one_image_vary_together():
    label = np.arange(200)
    found = mean_per_class(label % 4 > 0, label, 200)
    low, high = wilson(150, 200)
    assert found.value == 0.75
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)


def test_the_interval_of_the_mean_per_class_covers_the_truth():
    """Of 300 samples with three images in each of 40 classes, about 95 % have the truth in their interval."""
    rng = np.random.default_rng(1)
    rate = rng.beta(4, 2, 40)
    label = np.repeat(np.arange(40), 3)
    found = [mean_per_class(rng.random(120) < rate[label], label, 40) for _ in range(300)]
    covered = np.mean([figure.low <= rate.mean() <= figure.high for figure in found])
    assert 0.91 <= covered <= 0.985


@pytest.mark.parametrize(
    ("correct", "label", "classes", "says"),
    [
        (np.zeros(0, bool), np.zeros(0, int), 3, "correct is empty"),
        (np.ones(2, bool), np.zeros(3, int), 3, "correct has 2, label has 3"),
        (np.ones(2, bool), np.array([0, 3]), 3, "entry 1 is 3; with 3 classes each must be between 0 and 2"),
        (np.ones(2, bool), np.array([-1, 0]), 3, "entry 0 is -1"),
        (np.ones(2, bool), np.array([0, 0]), 0, "classes is 0"),
    ],
)
def test_classes_that_cannot_be_averaged(correct, label, classes, says):
    with pytest.raises(InputError, match=says):
        inspect.unwrap(mean_per_class)(correct, label, classes)
