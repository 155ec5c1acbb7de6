"""What holds for every set of predictions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from lit import metrics
from lit.metrics.intervals import wilson

unhurried = settings(deadline=None, max_examples=40)  # a busy machine is no failure


@st.composite
def predictions(draw, most_classes=12, most_images=80):
    """(labels, scores, classes); scores of few levels, so that ties occur."""
    classes, images = draw(st.integers(1, most_classes)), draw(st.integers(1, most_images))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.sampled_from([2, 5, 10**6]))
    return rng.integers(0, classes, images), rng.integers(0, levels, (images, classes)) / levels, classes


def ordered(figure):
    return 0 <= figure.low <= figure.value <= figure.high <= 1


@unhurried
@given(predictions(), st.randoms(use_true_random=False))
def test_the_order_of_images_does_not_matter(given_, random):
    label, scores, classes = given_
    order = np.array(random.sample(range(len(label)), len(label)))
    top = metrics.top_k(scores, 1)
    np.testing.assert_array_equal(metrics.top_k(scores[order], 1), top[order])
    correct = metrics.hits(top, label)
    np.testing.assert_array_equal(metrics.hits(top[order], label[order]), correct[order])
    assert metrics.accuracy(correct) == metrics.accuracy(correct[order])
    assert metrics.mean_per_class(correct, label, classes) == metrics.mean_per_class(
        correct[order], label[order], classes
    )
    assert metrics.confusion(label, top[:, 0], classes) == metrics.confusion(label[order], top[order, 0], classes)


@unhurried
@given(predictions(), st.randoms(use_true_random=False))
def test_renaming_classes_renames_what_is_predicted(given_, random):
    label, scores, classes = given_
    scores = np.argsort(np.argsort(scores, axis=1, kind="stable"), axis=1) / classes  # no ties
    new = np.array(random.sample(range(classes), classes))  # class i becomes new[i]
    moved = np.empty_like(scores)
    moved[:, new] = scores
    np.testing.assert_array_equal(metrics.top_k(moved, classes), new[metrics.top_k(scores, classes)])
    top, after = metrics.top_k(scores, 1), metrics.top_k(moved, 1)
    np.testing.assert_array_equal(metrics.hits(top, label), metrics.hits(after, new[label]))


@unhurried
@given(predictions())
def test_more_ranks_hit_more_and_all_ranks_hit(given_):
    label, scores, classes = given_
    top = metrics.top_k(scores, classes)
    assert (np.sort(top, axis=1) == np.arange(classes)).all()
    values = [metrics.accuracy(metrics.hits(top[:, : k + 1], label)).value for k in range(classes)]
    assert values == sorted(values)
    assert values[-1] == 1
    one = [[int(i)] for i in label]
    np.testing.assert_array_equal(metrics.hits(top[:, :1], one), metrics.hits(top[:, :1], label))


@unhurried
@given(predictions())
def test_every_figure_lies_in_its_interval(given_):
    label, scores, classes = given_
    correct = metrics.hits(metrics.top_k(scores, 1), label)
    confidence = scores.max(axis=1)
    error, bins = metrics.calibration(confidence, correct)
    for figure in (metrics.accuracy(correct), metrics.mean_per_class(correct, label, classes), error):
        assert ordered(figure)
        assert figure.n == len(label)
    assert sum(b.n for b in bins) == len(label)
    assert sum(b.n * b.accuracy for b in bins) == pytest.approx(correct.sum())
    assert error.value == pytest.approx(sum(b.n * abs(b.accuracy - b.confidence) for b in bins) / len(label))
    assert abs(confidence.mean() - correct.mean()) <= error.value + 1e-12


@unhurried
@given(st.integers(1, 10), st.integers(1, 10), st.integers(0, 2**32 - 1))
def test_with_balanced_classes_both_accuracies_are_one(classes, each, seed):
    label = np.repeat(np.arange(classes), each)
    correct = np.random.default_rng(seed).random(len(label)) < 0.6
    assert metrics.mean_per_class(correct, label, classes).value == pytest.approx(metrics.accuracy(correct).value)


@unhurried
@given(predictions())
def test_a_confusion_adds_up(given_):
    label, scores, classes = given_
    predicted = metrics.top_k(scores, 1)[:, 0]
    cells = metrics.confusion(label, predicted, classes)
    assert sum(n for _, _, n in cells) == len(label)
    assert all(n > 0 for _, _, n in cells)
    assert cells == sorted(cells)
    for c in range(classes):
        assert sum(n for true, _, n in cells if true == c) == (label == c).sum()
        assert sum(n for _, taken, n in cells if taken == c) == (predicted == c).sum()
    right = sum(n for true, taken, n in cells if true == taken)
    assert right == (label == predicted).sum()
    assert sum(n for _, _, n in metrics.worst_confusions(cells, len(cells))) == len(label) - right


@unhurried
@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(share):
    hit, n = share
    expected = binomtest(hit, n).proportion_ci(method="wilson")
    assert wilson(hit, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@unhurried
@given(st.integers(1, 300), st.floats(0, 1), st.integers(1, 40))
def test_a_model_equally_sure_of_all_errs_by_the_difference(n, sure, bins):
    right = np.arange(n) % 3 > 0
    figure, _ = metrics.calibration(np.full(n, sure), right, bins)
    assert figure.value == pytest.approx(abs(sure - right.mean()), abs=1e-9)


@unhurried
@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.floats(0, 1), st.floats(0, 1))
def test_the_paired_test_is_symmetric(seed, n, share_a, share_b):
    rng = np.random.default_rng(seed)
    a, b = rng.random(n) < share_a, rng.random(n) < share_b
    one, other = metrics.mcnemar(a, b), metrics.mcnemar(b, a)
    assert (one.p, one.difference, one.only_a, one.only_b) == (other.p, -other.difference, other.only_b, other.only_a)
    assert (one.low, one.high) == (-other.high, -other.low)
    assert 0 <= one.p <= 1
    assert one.low <= one.difference <= one.high
    assert one.difference == pytest.approx(b.mean() - a.mean())
    if one.difference:
        assert one.in_words("x", "y") == other.in_words("y", "x")


@unhurried
@given(st.integers(1, 12), st.integers(1, 3), st.integers(0, 2**32 - 1), st.randoms(use_true_random=False))
def test_retrieval_does_not_depend_on_the_order_of_the_gallery(images, per_image, seed, random):
    rng = np.random.default_rng(seed)
    text_image = np.repeat(np.arange(images), per_image)
    zimg = rng.standard_normal((images, 6)).astype(np.float32)
    ztxt = (zimg[text_image] + rng.standard_normal((len(text_image), 6))).astype(np.float32)
    found = metrics.retrieval(zimg, ztxt, text_image, ks=(1, 3))
    image_order = np.array(random.sample(range(images), images))
    text_order = np.array(random.sample(range(len(ztxt)), len(ztxt)))
    place = np.argsort(image_order)
    again = metrics.retrieval(zimg[image_order], ztxt[text_order], place[text_image[text_order]], ks=(1, 3))
    assert again == found
    for figure in found.values():
        assert ordered(figure)
    assert found["image_to_text_r1"].value <= found["image_to_text_r3"].value
    # Searching with the two sides exchanged, where each has one partner.
    if per_image == 1:
        back = metrics.retrieval(ztxt, zimg, text_image, ks=(1, 3))
        for k in (1, 3):
            assert back[f"image_to_text_r{k}"] == found[f"text_to_image_r{k}"]


@unhurried
@given(st.integers(2, 6), st.integers(1, 6), st.integers(0, 2**32 - 1), st.randoms(use_true_random=False))
def test_few_shot_methods_do_not_depend_on_the_order_of_examples(classes, each, seed, random):
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(classes), each)
    x, x_test = rng.standard_normal((len(y), 5)), rng.standard_normal((9, 5))
    order = np.array(random.sample(range(len(y)), len(y)))
    np.testing.assert_allclose(
        metrics.ridge(x, y, x_test, classes), metrics.ridge(x[order], y[order], x_test, classes), atol=1e-9
    )
    k = min(3, len(y))
    votes = metrics.nearest_neighbours(x, y, x_test, classes, k=k)
    np.testing.assert_allclose(votes.sum(axis=1), 1)
    np.testing.assert_allclose(metrics.nearest_neighbours(x[order], y[order], x_test, classes, k=k), votes, atol=1e-5)
    np.testing.assert_allclose(metrics.nearest_neighbours(3 * x, y, 0.5 * x_test, classes, k=k), votes, atol=1e-5)


@unhurried
@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_what_is_always_right_is_never_permuted(classes, seed):
    each = np.random.default_rng(seed).integers(0, 30, classes) + 1
    assert metrics.permutation([(c, c, int(n)) for c, n in enumerate(each)], classes) is None
