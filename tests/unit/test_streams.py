"""Streams are cut into batches of one shape, in order, a bounded number under way."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from lit.errors import InputError
from lit.streams import Clock, by_length, chunks, collection, pad_rows, pipelined


@pytest.mark.parametrize("lone", ["a", b"a", Path("a"), memoryview(b"a"), np.zeros((4, 5)), np.zeros((4, 5, 3))])
def test_a_lone_item_is_no_collection(lone):
    with pytest.raises(InputError, match="images is a single .*; wrap it in a list"):
        collection(lone, "images")


def test_collections():
    for items in (["a"], iter("a"), np.array(["a", "b"]), np.zeros((2, 4, 5)), np.zeros((2, 4, 5, 3)), {"a"}):
        assert collection(items, "images") is items
    with pytest.raises(InputError, match="images is a int; it must be an iterable of images"):
        collection(3, "images")


def test_chunks_keep_order_and_bound():
    assert list(chunks(iter(range(7)), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(chunks([], 3)) == []


def test_pad_rows_repeats_the_last():
    padded = pad_rows([np.array([1, 2]), np.array([3, 4])], 4)
    np.testing.assert_array_equal(padded, [[1, 2], [3, 4], [3, 4], [3, 4]])


def test_pipelined_is_in_order_and_never_further_ahead_than_its_depth():
    started, taken = [], []
    for batch, result in pipelined(iter(range(6)), lambda b: started.append(b) or b * 10, depth=2):
        taken.append((batch, result.item()))
        assert len(started) - len(taken) <= 2
    assert taken == [(b, b * 10) for b in range(6)]


def test_by_length_rounds_each_row_up_by_itself():
    tokens = np.zeros((5, 40), np.int32)
    for row, used in enumerate([17, 1, 40, 16, 33]):
        tokens[row, used - 1] = 7
    assert by_length(tokens, shortest=16) == [(16, [1, 3]), (32, [0]), (40, [2, 4])]
    assert by_length(tokens, shortest=40) == by_length(tokens, shortest=64) == [(40, [0, 1, 2, 3, 4])]
    assert by_length(np.zeros((1, 40), np.int32), shortest=16) == [(16, [0])]


class Result:
    """Something that is still being computed."""

    def __init__(self, value, wait):
        self.value, self.wait = value, wait

    def __array__(self, dtype=None, copy=None):
        self.wait()
        return np.asarray(self.value)


def test_two_batches_compute_side_by_side_but_start_one_by_one():
    meet, starting = threading.Barrier(2, timeout=10), []

    def start(batch):
        starting.append(batch)
        assert len(starting) == 1  # another start at this moment would compile the same program again
        time.sleep(0.01)
        starting.remove(batch)
        return Result(batch, meet.wait)  # returns only if a second batch waits at the same time

    assert [result.item() for _, result in pipelined(range(4), start)] == [0, 1, 2, 3]


def test_an_error_of_a_batch_comes_in_its_turn_and_ends_the_threads():
    def start(batch):
        if batch == 2:
            raise InputError("two")
        return batch

    found = []
    with pytest.raises(InputError, match="two"):  # noqa: PT012
        for batch, _ in pipelined(iter(range(9)), start):
            found.append(batch)
    assert found == [0, 1]
    batches = pipelined(iter(range(9)), lambda batch: batch)
    next(batches)
    batches.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lit-tower")]


def test_the_clock_counts_time_in_which_two_batches_compute_once(monkeypatch):
    now = iter([10.0, 17.0, 20.0, 21.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(now))
    clock = Clock()
    with clock.computing(), clock.computing():
        pass
    with clock.computing():
        pass
    assert clock.tower == 7.0 + 1.0
