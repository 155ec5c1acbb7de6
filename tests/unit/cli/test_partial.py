"""What an interrupted run has done survives any end of the process, and never mixes two models."""

import hashlib
import multiprocessing

import numpy as np
import pytest

from lit.cli.partial import MadeBy, Partial
from lit.errors import OutputError

BY = MadeBy(model="tiny", precision="float32", fingerprint="a" * 64, dim=5)


def digests(*names):
    return [hashlib.sha256(name.encode()).digest() for name in names]


def vectors(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 5)).astype(np.float32)


@pytest.fixture
def output(tmp_path):
    return tmp_path / "photos.npz"


def state(output):
    return output.with_name("photos.npz.partial")


def fill(output, *names, by=BY):
    with Partial.open(output, by) as partial:
        partial.append(digests(*names), vectors(len(names)))


def test_rows_come_back_in_the_order_asked_for(output):
    with Partial.open(output, BY) as partial:
        partial.append(digests("a", "b"), vectors(2))
        partial.append(digests("c"), vectors(1, seed=1))
        found = partial.rows(digests("c", "a", "a"))
    np.testing.assert_array_equal(found, np.concatenate([vectors(1, seed=1), vectors(2)[[0, 0]]]))
    assert found.dtype == np.float32


def test_rows_survive_and_are_known_again(output):
    fill(output, "a", "b", "c")
    with Partial.open(output, BY) as partial:
        assert len(partial) == 3
        assert digests("b")[0] in partial
        assert digests("d")[0] not in partial
        np.testing.assert_array_equal(partial.rows(digests("b")), vectors(3)[1:2])


def test_whatever_was_cut_off_only_whole_records_count(output):
    """A kill can end the file at any byte."""
    fill(output, "a", "b")
    whole = state(output).read_bytes()
    header = whole.index(b"\n") + 1
    record = (len(whole) - header) // 2
    for length in range(len(whole)):
        state(output).write_bytes(whole[:length])
        with Partial.open(output, BY) as partial:
            assert len(partial) == max(0, length - header) // record
            missing = [d for d in digests("a", "b") if d not in partial]
            partial.append(missing, vectors(2)[-len(missing) :])
            np.testing.assert_array_equal(partial.rows(digests("a", "b")), vectors(2))
        assert state(output).read_bytes() == whole


def test_a_damaged_record_and_what_follows_are_done_again(output):
    fill(output, "a", "b", "c")
    content = bytearray(state(output).read_bytes())
    header = content.index(b"\n") + 1
    content[header + (len(content) - header) // 3 + 40] ^= 1
    state(output).write_bytes(content)
    with Partial.open(output, BY) as partial:
        assert len(partial) == 1


def test_a_digest_with_zero_bytes_is_kept_whole(output):
    zeros = [b"\x01" + b"\x00" * 31, b"\x00" * 32]
    with Partial.open(output, BY) as partial:
        partial.append(zeros, vectors(2))
    with Partial.open(output, BY) as partial:
        assert all(digest in partial for digest in zeros)


def test_another_model_is_refused_and_nothing_lost(output):
    fill(output, "a")
    before = state(output).read_bytes()
    other = MadeBy(model="tiny", precision="bfloat16", fingerprint="b" * 64, dim=5)
    with pytest.raises(OutputError, match="float32.*bfloat16.*do not mix.*--overwrite"), Partial.open(output, other):
        pass
    assert state(output).read_bytes() == before


def test_restart_forgets(output):
    fill(output, "a")
    other = MadeBy(model="tiny", precision="bfloat16", fingerprint="b" * 64, dim=7)
    with Partial.open(output, other, restart=True) as partial:
        assert len(partial) == 0


def test_a_file_of_somebody_else_is_left_alone(output):
    state(output).write_text("my notes\n")
    with pytest.raises(OutputError, match="is not a state that"), Partial.open(output, BY):
        pass
    assert state(output).read_text() == "my notes\n"


def test_nothing_done_leaves_nothing(output, tmp_path):
    with Partial.open(output, BY):
        assert state(output).exists()
    assert list(tmp_path.iterdir()) == []


def test_discard_leaves_nothing(output, tmp_path):
    with Partial.open(output, BY) as partial:
        partial.append(digests("a"), vectors(1))
        partial.discard()
    assert list(tmp_path.iterdir()) == []


def _hold(output, opened, done):
    with Partial.open(output, BY):
        opened.set()
        done.wait(30)


def test_two_at_a_time_are_refused(output):
    spawn = multiprocessing.get_context("spawn")
    opened, done = spawn.Event(), spawn.Event()
    other = spawn.Process(target=_hold, args=(output, opened, done))
    other.start()
    try:
        assert opened.wait(30)
        with pytest.raises(OutputError, match="another `lit embed` is writing"), Partial.open(output, BY):
            pass
    finally:
        done.set()
        other.join(30)
    with Partial.open(output, BY):
        pass


def test_a_place_that_takes_no_file_is_an_output_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="could not be written"), Partial.open(tmp_path / "file" / "a.npz", BY):
        pass


def test_rows_that_were_written_count_though_the_writing_was_interrupted(output, monkeypatch):
    """Ctrl-C may fall between a write and what this process remembers of it."""

    def interrupted(*_):
        raise KeyboardInterrupt

    with Partial.open(output, BY) as partial:
        partial.append(digests("a"), vectors(1))
        monkeypatch.setattr(partial, "_remember", interrupted)
        with pytest.raises(KeyboardInterrupt):
            partial.append(digests("b", "c"), vectors(2))
        monkeypatch.undo()
        assert partial.recount() == 3
        np.testing.assert_array_equal(partial.rows(digests("c")), vectors(2)[1:])
