"""Which classes are taken for which."""

import inspect

import numpy as np
import pytest

from lit.errors import InputError
from lit.metrics import confusion, worst_confusions


def test_counts_right_and_wrong():
    label, predicted = np.array([0, 0, 2, 2, 2, 1]), np.array([0, 1, 2, 0, 0, 1])
    assert confusion(label, predicted, 3) == [(0, 0, 1), (0, 1, 1), (1, 1, 1), (2, 0, 2), (2, 2, 1)]


def test_worst_first_without_the_right_ones():
    cells = [(0, 0, 90), (0, 1, 3), (1, 0, 5), (2, 0, 3), (2, 1, 0)]
    assert worst_confusions(cells) == [(1, 0, 5), (0, 1, 3), (2, 0, 3)]
    assert worst_confusions(cells, 1) == [(1, 0, 5)]
    assert worst_confusions([(0, 0, 4)]) == []
    with pytest.raises(InputError, match="most is 0"):
        worst_confusions(cells, 0)


@pytest.mark.parametrize(
    ("label", "predicted", "says"),
    [
        ([], [], "label is empty"),
        ([0], [0, 1], "label has 1, predicted has 2"),
        ([3], [0], "labels: entry 0 is 3"),
        ([0], [-1], "predictions: entry 0 is -1; with 3 classes"),
    ],
)
def test_positions_that_are_none(label, predicted, says):
    with pytest.raises(InputError, match=says):
        inspect.unwrap(confusion)(np.array(label, int), np.array(predicted, int), 3)
