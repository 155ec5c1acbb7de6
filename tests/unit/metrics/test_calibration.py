"""The calibration error, its bins and its interval."""

import inspect

import numpy as np
import pytest

from lit.errors import InputError
from lit.metrics import calibration


def test_bins_hold_their_upper_edge():
    confidence = np.array([0.0, 0.5, 0.500001, 1.0])
    figure, (low, high) = calibration(confidence, np.array([False, True, True, True]), bins=2)
    assert (low.low, low.high, low.n, high.low, high.high, high.n) == (0.0, 0.5, 2, 0.5, 1.0, 2)
    assert (low.confidence, low.accuracy) == (0.25, 0.5)
    assert high.accuracy == 1
    assert figure.value == pytest.approx((2 * 0.25 + 2 * (1 - 0.7500005)) / 4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_edges_in_either_precision(dtype):
    """k/15 rounded to float32 may lie a little above the edge; it must fall beside it, never out of range."""
    edges = (np.arange(16) / 15).astype(dtype)
    _, bins = calibration(edges, np.ones(16, bool))
    assert sum(b.n for b in bins) == 16
    for b in bins:
        assert b.n == 0 or b.low - 1e-6 <= b.confidence <= b.high + 1e-6


def test_sure_and_wrong():
    figure, bins = calibration(np.ones(50), np.zeros(50, bool))
    assert figure.value == 1
    assert [b.n for b in bins] == [0] * 14 + [50]
    assert (bins[0].confidence, bins[0].accuracy) == (0, 0)


def test_the_error_by_definition():
    rng = np.random.default_rng(0)
    sure, right = rng.random(2000), rng.random(2000) < 0.6
    by_hand = sum(
        abs(right[inside].mean() - sure[inside].mean()) * inside.mean()
        for i in range(15)
        if (inside := (sure > i / 15) & (sure <= (i + 1) / 15)).any()
    )
    figure, bins = calibration(sure, right)
    assert figure.value == pytest.approx(by_hand, abs=1e-12)
    assert figure.low < figure.value < figure.high
    assert figure.method == "basic bootstrap over images, 1000 draws, seed 0"
    assert sum(b.n for b in bins) == figure.n == 2000


def test_the_interval_of_a_perfect_model_reaches_nearly_to_nought():
    """The figure is noise alone; an interval straight from the quantiles would lie above it."""
    rng = np.random.default_rng(0)
    sure = rng.random(5000)
    figure, _ = calibration(sure, rng.random(5000) < sure)
    assert 0 < figure.value < 0.03
    assert figure.low < 0.005
    assert figure.low <= figure.value <= figure.high


def test_the_interval_covers_the_error_of_an_overconfident_model():
    """Sure of 0.9 throughout and right 0.7 of the time: an error of 0.2, found in about 95 % of 200 samples."""
    rng = np.random.default_rng(0)
    found = [calibration(np.full(400, 0.9), rng.random(400) < 0.7)[0] for _ in range(200)]
    assert 0.9 <= np.mean([f.low <= 0.2 <= f.high for f in found]) <= 0.99


def test_drawing_in_cells_is_drawing_images():
    """Against a bootstrap image by image: the quantiles agree to a twentieth of the interval's width."""
    rng = np.random.default_rng(0)
    sure = rng.random(1500)
    right = rng.random(1500) < sure**2
    figure, _ = calibration(sure, right)
    draws = []
    for _ in range(1000):
        taken = rng.integers(1500, size=1500)
        place = np.clip(np.ceil(sure[taken] * 15).astype(int) - 1, 0, 14)
        draws.append(np.abs(np.bincount(place, right[taken] - sure[taken], minlength=15)).sum() / 1500)
    low, high = 2 * figure.value - np.quantile(draws, [0.975, 0.025])
    # 1000 draws of either leave a quantile uncertain by a twenty-fifth of the width or so.
    assert (figure.low, figure.high) == pytest.approx((low, high), abs=0.1 * (high - low))


@pytest.mark.parametrize(
    ("confidence", "correct", "bins", "says"),
    [
        (np.zeros(0), np.zeros(0, bool), 15, "confidence is empty"),
        (np.zeros(2), np.zeros(3, bool), 15, "confidence has 2, correct has 3"),
        (np.array([0.5, 7.0]), np.zeros(2, bool), 15, r"from 0.5 to 7; they must lie in \[0, 1\]"),
        (np.array([0.5, -0.1]), np.zeros(2, bool), 15, "not logits"),
        (np.array([0.5, np.nan]), np.zeros(2, bool), 15, "1 of 2 confidences are NaN"),
        (np.zeros(2), np.zeros(2, bool), 0, "bins is 0"),
    ],
)
def test_confidences_that_are_none(confidence, correct, bins, says):
    with pytest.raises(InputError, match=says):
        inspect.unwrap(calibration)(confidence, correct, bins)
