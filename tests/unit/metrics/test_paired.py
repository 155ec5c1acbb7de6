"""Two classifiers on the same images: the test, the interval, and the sentence."""

import inspect

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from lit.errors import InputError
from lit.metrics import mcnemar


def pair(only_a, only_b, both=0, neither=0):
    """Two columns with these counts."""
    a = np.repeat([True, False, True, False], [only_a, only_b, both, neither])
    b = np.repeat([False, True, True, False], [only_a, only_b, both, neither])
    return a, b


def test_few_differences_are_tested_exactly():
    found = mcnemar(*pair(2, 11, both=80, neither=7))
    assert (found.only_a, found.only_b, found.n) == (2, 11, 100)
    assert found.difference == 0.09
    assert found.p == pytest.approx(binomtest(2, 13).pvalue, rel=1e-12)
    assert found.method == "Bonett-Price interval; McNemar, exact"


def test_many_differences_are_tested_by_mid_p():
    found = mcnemar(*pair(20, 40, both=100))
    # Half the probability of the observed split goes on either side: Fagerland et al. 2013.
    assert found.p == pytest.approx(binomtest(20, 60).pvalue - binom.pmf(20, 60, 0.5), rel=1e-9)
    assert found.method == "bootstrap over images, in pairs, 1000 draws, seed 0; McNemar, mid-p"


def test_the_exact_test_by_hand():
    """1 against 7: of 2^8 ways 1 + 8 are as lopsided or worse, on either side."""
    assert mcnemar(*pair(1, 7, both=1, neither=12)).p == pytest.approx(2 * 9 / 2**8)


def test_the_two_regimes_meet():
    exact, mid = mcnemar(*pair(8, 16, both=1000)), mcnemar(*pair(8, 17, both=1000))
    assert "exact" in exact.method
    assert "mid-p" in mid.method
    assert abs(exact.low - mid.low) < 0.003
    assert abs(exact.high - mid.high) < 0.003


def test_the_interval_covers_the_truth():
    rng = np.random.default_rng(0)
    found = [mcnemar(*pair(*rng.multinomial(500, [0.1, 0.16, 0.6, 0.14]))) for _ in range(300)]
    assert 0.92 <= np.mean([f.low <= 0.06 <= f.high for f in found]) <= 0.98
    few = [mcnemar(*pair(*rng.multinomial(100, [0.03, 0.06, 0.7, 0.21]))) for _ in range(300)]
    assert np.mean([f.low <= 0.03 <= f.high for f in few]) >= 0.92


def test_the_test_errs_as_often_as_it_says():
    """Equal classifiers: p <= 0.05 in at most about one sample of twenty, and not in far fewer by mid-p."""
    rng = np.random.default_rng(0)
    many = [mcnemar(*pair(*rng.multinomial(400, [0.1, 0.1, 0.6, 0.2]))).p <= 0.05 for _ in range(600)]
    assert 0.025 <= np.mean(many) <= 0.075
    few = [mcnemar(*pair(*rng.multinomial(100, [0.05, 0.05, 0.6, 0.3]))).p <= 0.05 for _ in range(600)]
    assert np.mean(few) <= 0.06


def test_the_sentence():
    better = mcnemar(*pair(180, 300, both=7000, neither=2520))
    assert better.sentence.startswith("B is right on 1.2 points more than A of the same 10,000 images (95 % interval ")
    assert better.sentence.endswith("; McNemar p < 0.0001): the difference is unlikely to be chance.")
    worse = mcnemar(*pair(300, 180, both=7000, neither=2520)).in_words("old", "new")
    assert worse.startswith("old is right on 1.2 points more than new of the same 10,000 images (95 % interval 0.")
    chance = mcnemar(*pair(5, 7, both=80, neither=8)).sentence
    assert "2.0 points more" in chance
    assert chance.endswith("McNemar p = 0.77): the difference may well be chance.")


def test_the_sentence_of_equals():
    same = mcnemar(*pair(0, 0, both=8, neither=2))
    assert same.p == 1
    assert same.low < 0 < same.high
    assert "A and B are right equally often on the same 10 images (on the very same ones; " in same.sentence
    even = mcnemar(*pair(30, 30, both=8))
    assert even.p == pytest.approx(1)
    assert "(they differ on 60; " in even.sentence


def test_small_differences_get_another_digit():
    found = mcnemar(*pair(40, 70, both=49_000, neither=890)).sentence
    assert found.startswith("B is right on 0.06 points more")


def test_lists_do_as_well():
    assert mcnemar([True, False], [True, True]).only_b == 1


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [([], [], "correct_a is empty"), ([True], [True, False], "correct_a has 1, correct_b has 2")],
)
def test_columns_that_cannot_be_paired(a, b, says):
    with pytest.raises(InputError, match=says):
        inspect.unwrap(mcnemar)(a, b)
