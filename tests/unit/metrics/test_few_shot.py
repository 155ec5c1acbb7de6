"""Ridge, nearest neighbours, and the table that is made of them."""

import inspect

import numpy as np
import pytest

from lit.errors import InputError
from lit.metrics import FewShot, few_shot, nearest_neighbours, ridge
from lit.metrics.intervals import wilson


def clusters(each, classes=4, dim=12, seed=0, spread=1.0):
    rng = np.random.default_rng(7)
    centre = 2 * rng.standard_normal((classes, dim))
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(classes), each))
    x = centre[y] + spread * np.random.default_rng(seed + 1).standard_normal((len(y), dim))
    return x.astype(np.float32), y


def test_ridge_solves_the_normal_equations():
    """Whitened features, a constant of 100, targets of +-1: the gradient of the penalised squares is 0."""
    x, y = clusters(5)
    white = (x - x.mean(axis=0, dtype=float)) / (x.std(axis=0, dtype=float) + 1e-5)
    features = np.column_stack([white, np.full(len(x), 100.0)])
    weights = np.linalg.lstsq(features, ridge(x, y, x, 4, 3.0), rcond=None)[0]
    residual = features @ weights - (2.0 * np.eye(4)[y] - 1)
    np.testing.assert_allclose(features.T @ residual + 3.0 * weights, 0, atol=1e-8)


def test_more_features_than_examples_or_fewer_make_no_difference():
    """The two forms of the solution, on either side of the size where they change over."""
    x, y = clusters(4, dim=16)  # 16 examples, 17 features with the constant
    wide = ridge(x, y, x, 4, 10.0)
    tall = ridge(np.concatenate([x, x]), np.concatenate([y, y]), x, 4, 20.0)
    np.testing.assert_allclose(wide, tall, atol=1e-9)


def test_neighbours_vote():
    train = np.array([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]])
    votes = nearest_neighbours(train, np.array([0, 1, 1, 2]), np.array([[3.0, 0.0]]), 3, k=3, vote="majority")
    np.testing.assert_allclose(votes, [[1 / 3, 2 / 3, 0]])
    weight = np.exp(np.array([1.0, 0.8, 0.6]) / 0.07)
    votes = nearest_neighbours(train, np.array([0, 1, 1, 2]), np.array([[3.0, 0.0]]), 3, k=3)
    np.testing.assert_allclose(votes, [[weight[0], weight[1:].sum(), 0] / weight.sum()], atol=1e-6)


def test_of_examples_equally_near_the_first_count():
    same = np.ones((4, 2))
    votes = nearest_neighbours(same, np.array([2, 1, 0, 0]), same[:1], 3, k=2, vote="majority")
    np.testing.assert_allclose(votes, [[0, 0.5, 0.5]])


def test_neighbours_in_blocks(monkeypatch):
    x, y = clusters(8)
    whole = nearest_neighbours(x, y, x, 4, k=5)
    monkeypatch.setattr("lit.metrics.neighbours._BLOCK", 100)
    np.testing.assert_allclose(nearest_neighbours(x, y, x, 4, k=5), whole, atol=1e-6)


def test_the_table():
    x, y = clusters(12, spread=3.0)
    x_test, y_test = clusters(50, seed=5, spread=3.0)
    rows = few_shot(x, y, x_test, y_test, 4, shots=(1, 10), seeds=(0, 1, 2, 3))
    assert [(row.method, row.shots, row.setting) for row in rows] == [
        ("ridge", 1, "l2 = 1024"),
        ("nearest neighbours", 1, "k = 4, cosine, softmax vote at 0.07"),
        ("ridge", 10, "l2 = 1024"),
        ("nearest neighbours", 10, "k = 20, cosine, softmax vote at 0.07"),
    ]
    assert all(len(row.accuracies) == 4 for row in rows)
    assert rows[0].spread > 0
    assert rows[2].mean > rows[0].mean
    assert rows == few_shot(x, y, x_test, y_test, 4, shots=(1, 10), seeds=(0, 1, 2, 3))


def test_a_class_that_has_fewer_gives_all_it_has():
    x, y = clusters(6)
    kept = np.flatnonzero((y != 2) | (np.cumsum(y == 2) <= 3))
    rows = few_shot(x[kept], y[kept], x, y, 4, shots=(3, 5), seeds=(0,))
    assert rows[0].setting == "l2 = 1024"
    assert rows[2].setting == "l2 = 1024; 1 of 4 classes have fewer than 5 examples"


def test_a_row_says_how_sure_it_is():
    row = FewShot(method="ridge", shots=5, accuracies=(0.5, 0.6, 0.7), setting="")
    assert (row.mean, row.spread) == (pytest.approx(0.6), pytest.approx(0.1))
    figure = row.figure(400)
    low, high = wilson(240, 400)
    # Student's 97.5 % point for two degrees of freedom.
    examples = 4.302653 * 0.1 / 3**0.5
    assert figure.low == pytest.approx(0.6 - np.hypot(0.6 - low, examples), abs=1e-6)
    assert figure.high == pytest.approx(0.6 + np.hypot(high - 0.6, examples), abs=1e-6)
    lone = FewShot(method="ridge", shots=5, accuracies=(0.6,), setting="")
    assert lone.spread == 0
    assert (lone.figure(400).low, lone.figure(400).high) == pytest.approx((low, high))
    assert lone.figure(400).method.startswith("one draw")


X, Y = clusters(3)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"x": X[:0], "y": Y[:0]}, "x is empty"),
        ({"x": X[:5]}, "x has 5, y has 12"),
        ({"x_test": X[:0]}, "x_test is empty"),
        ({"x_test": X[:, :3]}, "examples have 12 numbers and images 3"),
        ({"y": Y + 1}, "with 4 classes each must be between 0 and 3"),
        ({"x": X * np.float32(np.inf)}, "values of x are NaN or infinite"),
        ({"x_test": X * np.float32(np.nan)}, "values of x_test are NaN or infinite"),
        ({"l2": 0.0}, "l2 is 0.0; it must be a number above 0"),
        ({"l2": float("nan")}, "l2 is nan"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")  # of what the test makes, not of what it tests
def test_nothing_to_fit(change, says):
    with pytest.raises(InputError, match=says):
        inspect.unwrap(ridge)(**({"x": X, "y": Y, "x_test": X, "classes": 4, "l2": 1.0} | change))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"k": 13}, "k .* is 13; it must be a whole number between 1 and 12"),
        ({"k": 0}, "is 0"),
        ({"vote": "best"}, "vote is 'best'; it must be 'softmax' or 'majority'"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"z_test": X[:, :3]}, "they must agree"),
        ({"z_test": X * 0}, "row 0 of the images is 0 throughout"),
        ({"y_train": Y[:3]}, "z_train has 12, y_train has 3"),
    ],
)
def test_no_neighbours(change, says):
    with pytest.raises(InputError, match=says):
        inspect.unwrap(nearest_neighbours)(**({"z_train": X, "y_train": Y, "z_test": X, "classes": 4, "k": 3} | change))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"shots": ()}, r"shots are \(\) and seeds \(0,\); give at least one of each"),
        ({"seeds": ()}, "give at least one of each"),
        ({"shots": (0,)}, "shots is 0"),
        ({"classes": 6}, "2 of 6 classes have no training example, the first being class 4"),
        ({"y_test": Y - 1}, "y_test: entry"),
        ({"z_test": X[:, :3]}, "they must agree"),
    ],
)
def test_no_table(change, says):
    given = {"z_train": X, "y_train": Y, "z_test": X, "y_test": Y, "classes": 4, "shots": (1,), "seeds": (0,)}
    with pytest.raises(InputError, match=says):
        inspect.unwrap(few_shot)(**(given | change))
