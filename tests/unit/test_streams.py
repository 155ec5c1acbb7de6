"""Streams are cut into batches of one shape, in order, a bounded number under way."""

import numpy as np

from lit.streams import chunks, pad_rows, pipelined


def test_chunks_keep_order_and_bound():
    assert list(chunks(iter(range(7)), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(chunks([], 3)) == []


def test_pad_rows_repeats_the_last():
    padded = pad_rows([np.array([1, 2]), np.array([3, 4])], 4)
    np.testing.assert_array_equal(padded, [[1, 2], [3, 4], [3, 4], [3, 4]])


def test_pipelined_is_in_order_and_never_further_ahead_than_its_depth():
    started, taken = [], []
    for batch, result in pipelined(iter(range(6)), lambda b: started.append(b) or b * 10, depth=2):
        taken.append((batch, result))
        assert len(started) - len(taken) <= 2
    assert taken == [(b, b * 10) for b in range(6)]
