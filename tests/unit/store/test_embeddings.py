"""Stored rows are found again, whole or not at all, whoever wrote them and however that ended."""

import errno
import hashlib
import multiprocessing

import numpy as np
import pytest

from lit.errors import OutputError
from lit.store import EmbeddingStore
from lit.store import segment as segments

DIM = 5


def digests(*names):
    joined = b"".join(hashlib.sha256(str(name).encode()).digest() for name in names)
    return np.frombuffer(joined, np.uint8).reshape(-1, 32)


def vectors(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32)


@pytest.fixture
def opened(tmp_path):
    return lambda fingerprint="f" * 64: EmbeddingStore.open(fingerprint, DIM, tmp_path)


def fill(opened, *names, seed=0):
    with opened() as store:
        store.append(digests(*names), vectors(len(names), seed))


def files(tmp_path, suffix):
    return sorted((tmp_path / ("f" * 64)).glob(f"*{suffix}"))


def test_rows_come_back_in_the_order_asked_for(opened):
    fill(opened, "a", "b", "c")
    rows, known = opened().get(digests("c", "x", "a", "a"))
    assert known.tolist() == [True, False, True, True]
    np.testing.assert_array_equal(rows, vectors(3)[[2, 0, 0, 0]] * known[:, None])
    assert rows.dtype == np.float32


def test_rows_of_many_segments(opened):
    for i in range(4):
        fill(opened, *range(10 * i, 10 * i + 10), seed=i)
    store = opened()
    assert len(store) == 40
    order = np.random.default_rng(0).permutation(40)
    rows, known = store.get(digests(*order))
    assert known.all()
    np.testing.assert_array_equal(rows, np.concatenate([vectors(10, i) for i in range(4)])[order])


def test_a_store_sees_its_own_rows_at_once(opened):
    store = opened()
    store.append(digests("a", "b"), vectors(2))
    np.testing.assert_array_equal(store.get(digests("b"))[0], vectors(2)[1:])
    store.append(digests("c"), vectors(1, 1))
    rows, known = store.get(digests("c", "a"))
    assert known.all()
    np.testing.assert_array_equal(rows, np.stack([vectors(1, 1)[0], vectors(2)[0]]))
    store.close()
    assert store.get(digests("c"))[1].all()
    store.append(digests("d"), vectors(1, 2))
    assert store.get(digests("a", "c", "d"))[1].all()
    store.close()


def test_nothing_asked_for_nothing_there(opened, tmp_path):
    store = opened()
    for asked in (digests(), digests("a", "b")):
        rows, known = store.get(asked)
        assert rows.shape == (len(asked), DIM)
        assert not known.any()
    store.append(digests(), vectors(0))
    store.close()
    assert len(opened()) == 0


def test_models_do_not_mix(opened):
    fill(opened, "a")
    assert not opened("other").get(digests("a"))[1].any()


def test_rows_of_another_width_are_a_bug(opened):
    with pytest.raises(ValueError, match="the store's rows have 5"):
        opened().append(digests("a"), np.zeros((1, 4), np.float32))


@pytest.mark.parametrize("suffix", [".rows", ".keys"])
def test_wherever_a_file_was_cut_off_only_whole_rows_count(opened, tmp_path, suffix):
    """A kill can end either file at any byte."""
    fill(opened, "a", "b", "c")
    (path,) = files(tmp_path, suffix)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        rows, known = opened().get(digests("a", "b", "c"))
        n = length * 3 // len(whole)
        assert known.tolist() == [True] * n + [False] * (3 - n)
        np.testing.assert_array_equal(rows[:n], vectors(3)[:n])


def test_rows_after_a_torn_end_go_into_another_segment(opened, tmp_path):
    fill(opened, "a", "b")
    for path in files(tmp_path, "s"):
        path.write_bytes(path.read_bytes()[:-3])
    fill(opened, "b", "c", seed=1)
    rows, known = opened().get(digests("a", "b", "c"))
    assert known.all()
    np.testing.assert_array_equal(rows, np.concatenate([vectors(2)[:1], vectors(2, 1)]))


@pytest.mark.parametrize("suffix", [".rows", ".keys"])
def test_a_flipped_bit_makes_a_row_unknown_never_wrong(opened, tmp_path, suffix):
    fill(opened, "a", "b", "c")
    (path,) = files(tmp_path, suffix)
    whole = path.read_bytes()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        path.write_bytes(damaged)
        rows, known = opened().get(digests("a", "b", "c"))
        hit = at * 3 // len(whole)
        assert known.tolist() == [i != hit for i in range(3)]
        assert not rows[hit].any()
        np.testing.assert_array_equal(rows[known], vectors(3)[known])


def test_a_damaged_row_is_told_and_replaced_by_a_later_one(opened, tmp_path, caplog):
    fill(opened, "a", "b")
    (path,) = files(tmp_path, ".rows")
    path.write_bytes(b"\xff" + path.read_bytes()[1:])
    assert not opened().get(digests("a"))[1].any()
    assert "1 stored embeddings" in caplog.text
    assert "are damaged" in caplog.text
    fill(opened, "a", seed=1)
    rows, known = opened().get(digests("a", "b"))
    assert known.all()
    np.testing.assert_array_equal(rows, np.stack([vectors(1, 1)[0], vectors(2)[1]]))


def test_a_digest_of_zeros_is_a_digest(opened):
    zeros = np.zeros((1, 32), np.uint8)
    with opened() as store:
        assert not store.get(zeros)[1].any()
        store.append(zeros, vectors(1))
    assert opened().get(zeros)[1].all()


@pytest.mark.parametrize("refused_at", [1, 2, 3, 4])
def test_a_full_disk_keeps_whole_rows_and_goes_on_when_there_is_room(opened, monkeypatch, refused_at):
    real, calls = segments._write, []

    def full(file, array):
        calls.append(1)
        if len(calls) == refused_at:
            file.write(array.tobytes()[:9])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file, array)

    monkeypatch.setattr(segments, "_write", full)
    store, kept, said = opened(), [], []
    for name in "abc":
        try:
            store.append(digests(name), vectors(1, ord(name)))
            kept.append(name)
        except OutputError as error:
            said.append(str(error))
    store.close()
    assert len(kept) == 2
    assert "No space left on device. What was done is kept" in said[0]
    rows, known = opened().get(digests(*"abc"))
    assert [name for name, there in zip("abc", known, strict=True) if there] == kept
    np.testing.assert_array_equal(rows[known], np.concatenate([vectors(1, ord(name)) for name in kept]))


def test_no_room_for_a_first_file_is_an_output_error(opened, monkeypatch):
    def full(directory):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("lit.store.embeddings.SegmentWriter", full)
    with pytest.raises(OutputError, match="No space left"):
        opened().append(digests("a"), vectors(1))


def test_an_unwritable_place_is_one_warning(tmp_path, caplog):
    (tmp_path / "file").touch()
    store = EmbeddingStore.open("f", DIM, tmp_path / "file")
    store.append(digests("a"), vectors(1))
    store.append(digests("b"), vectors(1))
    assert not store.writable
    assert not store.get(digests("a"))[1].any()
    assert len(caplog.records) == 1
    assert "LIT_CACHE" in caplog.text
    store.close()


def test_a_digest_is_in_the_store_from_its_append_on(opened):
    key = digests("a")[0].tobytes()
    with opened() as store:
        assert key not in store
        store.append(digests("a"), vectors(1))
        assert key in store
    assert key in store
    assert key in opened()


def test_an_emptied_cache_is_no_error(opened, tmp_path):
    fill(opened, "a")
    (path,) = files(tmp_path, ".keys")
    path.unlink()
    assert not opened().get(digests("a"))[1].any()


def _write(root, number, barrier):
    with EmbeddingStore.open("f" * 64, DIM, root) as store:
        barrier.wait(60)
        for i in range(50):
            store.append(digests(f"{number}/{i}"), vectors(1, 100 * number + i))


def test_processes_write_side_by_side(opened, tmp_path):
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(3)
    writers = [spawn.Process(target=_write, args=(tmp_path, number, barrier)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    rows, known = opened().get(digests(*(f"{number}/{i}" for number in range(3) for i in range(50))))
    assert known.all()
    expected = [vectors(1, 100 * number + i) for number in range(3) for i in range(50)]
    np.testing.assert_array_equal(rows, np.concatenate(expected))
