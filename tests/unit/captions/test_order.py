"""Order and choices: functions of the seed."""

import numpy as np
import pytest

from lit.captions.draws import draws, uniform
from lit.captions.order import Order
from lit.errors import ConfigError


def test_an_epoch_has_each_image_at_most_once_and_drops_others_each_time():
    order = Order(images=23, batch_size=5, seed=1)
    assert order.steps_per_epoch == 4
    dropped = set()
    for epoch in range(30):
        seen = np.concatenate([order.rows(4 * epoch + n)[1] for n in range(4)])
        assert len(set(seen.tolist())) == 20
        dropped |= set(range(23)) - set(seen.tolist())
        assert order.rows(4 * epoch + 3)[0] == epoch
    assert dropped == set(range(23))


@pytest.mark.parametrize("processes", [2, 3, 6])
def test_processes_share_the_same_batches(processes):
    whole = Order(images=31, batch_size=6, seed=4)
    for step in (0, 3, 4, 5, 17):
        parts = [Order(31, 6, 4, i, processes).rows(step) for i in range(processes)]
        np.testing.assert_array_equal(np.concatenate([rows for _, rows in parts]), whole.rows(step)[1])
        assert {epoch for epoch, _ in parts} == {whole.rows(step)[0]}
        assert {len(rows) for _, rows in parts} == {6 // processes}


def test_seeds_and_epochs_differ():
    def epoch(seed, n):
        return tuple(Order(100, 50, seed).rows(2 * n)[1].tolist())

    orders = {epoch(seed, n) for seed in range(4) for n in range(4)}
    assert len(orders) == 16


def test_every_caption_comes_once_in_as_many_epochs():
    order, rows = Order(50, 50, 0), np.arange(50)
    counts = np.array([1 + i % 4 for i in range(50)])
    choices = np.stack([order.choices(epoch, rows, counts) for epoch in range(12)])
    for row, count in enumerate(counts):
        for first in range(12 - count):
            assert sorted(choices[first : first + count, row]) == list(range(count))
    assert len(set(choices[0][counts == 4])) == 4  # they do not all begin with the first


def test_lots_are_even():
    lots = uniform(draws(7, "crop", 3, np.arange(20_000)))
    assert lots.min() >= 0
    assert lots.max() < 1
    assert abs(lots.mean() - 0.5) < 0.01
    share, _ = np.histogram(lots, bins=10, range=(0, 1))
    assert share.min() > 1800
    again = uniform(draws(7, "crop", 4, np.arange(20_000)))
    assert abs(np.corrcoef(lots, again)[0, 1]) < 0.03


def test_no_version_of_anything_changes_them():
    """What a training saw when this was written."""
    assert draws(3, "order", 2, np.arange(3)).tolist() == EXPECTED
    assert draws(3 - 2**64, "order", 2, np.arange(3)).tolist() == EXPECTED
    assert Order(12, 4, 0).rows(4)[1].tolist() == ROWS


EXPECTED = [7412919867686060366, 10657083275942430989, 9614359452227257729]
ROWS = [7, 8, 6, 11]


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"batch_size": 101}, r"a batch has 101 pairs and the corpus 100 images.*100 or less"),
        ({"batch_size": 0}, "at least 1"),
        ({"batch_size": 10, "process_count": 4}, "multiple of 4"),
        ({"batch_size": 10, "process_count": 2, "process_index": 2}, "count from 0"),
    ],
)
def test_what_cannot_be(kwargs, says):
    with pytest.raises(ConfigError, match=says):
        Order(images=100, seed=0, **kwargs)
