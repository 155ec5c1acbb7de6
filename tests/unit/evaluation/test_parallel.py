"""One process, and what several do before and after they meet; real processes are in e2e/test_eval_processes.py."""

import concurrent.futures
import itertools
import json
import socket
import time

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lit import zeroshot
from lit.classcache import ClassCache
from lit.errors import ConfigError, InputError, ProcessError
from lit.evaluation import meeting, packing, parallel
from lit.evaluation.rollcall import address_of, call_the_roll


def as_process(monkeypatch, process, processes):
    for module in (parallel, meeting):
        monkeypatch.setattr(module, "here", lambda: (process, processes))


def test_without_initialize_there_is_one_process():
    assert parallel.shard_of_this_process() == (0, 1)
    assert parallel.is_first_process()
    assert parallel.share_of(7) == slice(0, 7)
    parallel.agree({"weights": "a"})
    parallel.stop_if_another_failed()
    with parallel.together():
        assert parallel.gather_objects([1, None, "ä"]) == [1, None, "ä"]


def test_gather_puts_rows_in_the_datasets_order_and_keeps_every_bit():
    positions = np.asarray([5, 0, 3])
    columns = {
        "int64": np.asarray([2**62 + 1, -1, 0]),
        "float64": np.asarray([np.pi, -0.0, np.nan]),
        "float32": np.asarray([[1, 2], [3, 4], [5, 6]], np.float32) / np.float32(3),
        "bool": np.asarray([True, False, True]),
        "uint8": np.asarray([255, 0, 7], np.uint8),
        "bytes": np.asarray([b"abc", b"", b"\x00\xff"]),
        "positions": np.asarray([9, 8, 7]),
    }
    gathered = parallel.gather(columns, positions)
    assert list(gathered) == list(columns)
    for name, column in columns.items():
        assert gathered[name].dtype == column.dtype
        assert gathered[name].tobytes() == column[[1, 2, 0]].tobytes()


def test_objects_follow_their_positions():
    assert parallel.gather_objects([["c", 0.1], ["a", 1e300], ["b", None]], np.asarray([7, 1, 2])) == [
        ["a", 1e300],
        ["b", None],
        ["c", 0.1],
    ]


def test_what_cannot_be_gathered():
    with pytest.raises(
        InputError, match=r"column x is of type object; rows can be sent as numbers, bool or byte strings"
    ):
        parallel.gather({"x": np.asarray(["a", None], object)}, np.arange(2))
    with pytest.raises(InputError, match=r"column x is of shape \(3,\); all columns and the positions"):
        parallel.gather({"x": np.arange(3)}, np.arange(2))
    with pytest.raises(ProcessError, match="example 4 came from two processes; their shards of the dataset overlap"):
        parallel.gather({}, np.asarray([4, 1, 4]))
    with pytest.raises(InputError, match="a row cannot be sent to the other processes: .*bytes"):
        parallel.gather_objects([b"x"])


@given(
    st.dictionaries(
        st.text(max_size=3),
        arrays.arrays(
            st.sampled_from(["?", "u1", "<i4", "<i8", "<f4", ">f8", "S5", "U2"]),
            st.tuples(st.just(3), st.integers(0, 2)),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_columns_survive_as_bytes(columns):
    unpacked = packing.unpack(packing.pack(columns))
    assert list(unpacked) == list(columns)
    for name, column in columns.items():
        assert (unpacked[name].dtype, unpacked[name].shape) == (column.dtype, column.shape)
        assert unpacked[name].tobytes() == column.tobytes()


def test_a_share_without_rows_has_no_say_in_the_type():
    joined = packing.join("z", [np.zeros(0), np.ones((2, 3), np.float32), np.zeros((0, 3), np.float32)])
    assert (joined.dtype, joined.shape) == (np.float32, (2, 3))
    assert packing.join("s", [np.asarray([b"ab"]), np.asarray([b"abcd"])]).tolist() == [b"ab", b"abcd"]
    assert packing.join("z", [np.zeros((0, 3), np.float32)] * 2).shape == (0, 3)
    with pytest.raises(
        ProcessError, match=r"z differs in type or shape between the processes: float32 \(2,\), float64"
    ):
        packing.join("z", [np.zeros(2, np.float32), np.zeros(2)])


@pytest.mark.parametrize("count", [0, 1, 2, 7, 1000])
@pytest.mark.parametrize("processes", [1, 2, 3, 8])
def test_shares_are_all_of_it_in_order_and_even(monkeypatch, count, processes):
    shares = []
    for process in range(processes):
        as_process(monkeypatch, process, processes)
        shares.append(list(range(count))[parallel.share_of(count)])
    assert list(itertools.chain(*shares)) == list(range(count))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_disagreement_names_the_process_and_every_factor(monkeypatch):
    values = [{"weights": "a", "suite": "x"}, {"weights": "a", "suite": "x"}, {"weights": "b"}]
    said = [json.dumps([f"host{i}", v]) for i, v in enumerate(values)]
    monkeypatch.setattr(parallel, "exchange", lambda what, words: said)
    with pytest.raises(ProcessError) as caught:
        parallel.agree(values[0])
    assert str(caught.value) == (
        "the processes do not evaluate the same thing. suite: process 2 on host2 has nothing; the others have x. "
        "weights: process 2 on host2 has b; the others have a. Give all of them the same files, versions and command."
    )


def test_class_embeddings_are_those_of_one_process(tiny_model, monkeypatch):
    texts = [["a dog", "a photo of a dog"], ["a red cat"], ["boat", "a boat", "the boat in the drawing"]]
    alone = zeroshot.class_embeddings(tiny_model, texts, renormalize=True)
    parts = []
    monkeypatch.setattr(parallel, "gather", lambda columns, positions: parts.append(columns["rows"]) or columns)
    monkeypatch.setattr(parallel, "gather_objects", lambda rows: rows)
    monkeypatch.setattr(parallel, "agree", lambda what: None)
    for process in range(4):  # more than there are classes
        as_process(monkeypatch, process, 4)
        parallel.class_embeddings(tiny_model, texts, renormalize=True, cache=False)
    assert np.concatenate(parts).tobytes() == alone.tobytes()


def test_class_embeddings_are_kept(tiny_model):
    texts = [["a dog", "a photo of a dog"], ["a red cat"], ["boat", "a boat", "the boat in the drawing"]]
    alone = zeroshot.class_embeddings(tiny_model, texts, renormalize=True)
    found = parallel.class_embeddings(tiny_model, texts, renormalize=True)
    assert found.tobytes() == alone.tobytes()
    kept = ClassCache(tiny_model.fingerprint, texts, True, tiny_model.dim)
    assert kept.read().tobytes() == alone.tobytes()
    kept.write(alone + 1)  # seen below: read, not computed
    assert parallel.class_embeddings(tiny_model, texts, renormalize=True).tobytes() == (alone + 1).tobytes()
    assert parallel.class_embeddings(tiny_model, texts, renormalize=True, cache=False).tobytes() == alone.tobytes()


def test_where_one_cache_lacks_the_classes_all_compute(tiny_model, monkeypatch):
    """Else those without would wait for rows that nobody sends."""
    texts = [["a dog"], ["a cat"]]
    parallel.class_embeddings(tiny_model, texts, renormalize=True)
    monkeypatch.setattr(parallel, "gather_objects", lambda rows: [*rows, False])
    gathered = []
    monkeypatch.setattr(parallel, "gather", lambda columns, positions: gathered.append(1) or columns)
    parallel.class_embeddings(tiny_model, texts, renormalize=True)
    assert gathered


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("host:1", 2, None), "takes coordinator, processes and process together; process lack"),
        ((None, 2, 0), "coordinator lack"),
        (("host", 2, 0), "the coordinator's address is 'host'; it must be HOST:PORT of process 0"),
        (("host:1", 2, 2), "process is 2; with 2 processes it must be 0 to 1"),
        ((None, None, None), "found no cluster to run on .*; give coordinator, processes and process"),
    ],
)
def test_initialize_says_what_is_wrong(monkeypatch, arguments, message):
    monkeypatch.setattr(parallel, "backends_are_initialized", lambda: False)
    monkeypatch.setattr(jax._src.xla_bridge, "backends_are_initialized", lambda: False)
    with pytest.raises(ConfigError, match=message):
        parallel.initialize(*arguments)


@pytest.mark.parametrize(
    ("visible", "tasks", "extra", "takes"),
    [
        ("0,1,2,3", "8", {}, None),  # --gres=gpu:4, four tasks on each of two nodes
        ("2", "8", {}, [0]),  # --gpus-per-task=1
        ("0,1,2,3", "2", {}, [0, 1, 2, 3]),  # one task on each node
        ("0,1,2,3", "2", {"JAX_LOCAL_DEVICE_IDS": "1"}, None),  # the user has said
        ("", "2", {}, None),  # no GPU
    ],
)
def test_gpus_of_a_slurm_task(visible, tasks, extra, takes):
    slurm = {"SLURM_LOCALID": "1", "SLURM_NTASKS": tasks, "SLURM_STEP_NUM_NODES": "2", "CUDA_VISIBLE_DEVICES": visible}
    assert parallel.slurm_devices(slurm | extra) == takes
    assert parallel.slurm_devices({"CUDA_VISIBLE_DEVICES": visible}) is None


def test_initialize_comes_first(monkeypatch):
    jax.devices()
    with pytest.raises(ConfigError, match="JAX has computed already in this process; call initialize before"):
        parallel.initialize("127.0.0.1:1", 2, 1)


def test_initialize_twice_is_once(monkeypatch):
    monkeypatch.setattr(jax.distributed, "is_initialized", lambda: True)
    as_process(monkeypatch, 1, 2)
    parallel.initialize()
    parallel.initialize("127.0.0.1:1", 2, 1)
    with pytest.raises(ConfigError, match="before as process 1 of 2, now as process 0 of 2"):
        parallel.initialize("127.0.0.1:1", 2, 0)


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def roll(port, *processes, of=None, timeout=10.0, delay=0.0):
    """What each process gets from the roll call; all at once, in threads."""
    of = of or [len(processes)] * len(processes)

    def one(index):
        time.sleep(delay * index)
        try:
            return call_the_roll(f"127.0.0.1:{port}", of[index], processes[index], timeout=timeout)
        except ProcessError as error:
            return str(error)

    with concurrent.futures.ThreadPoolExecutor(len(processes)) as pool:
        return list(pool.map(one, range(len(processes))))


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2)])
def test_the_roll_is_complete_and_the_port_free_again(port, order):
    assert roll(port, *order, delay=0.05) == [None] * 4
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_one_does_not_come(port):
    said = roll(port, 0, 1, of=[4, 4], timeout=2.0)
    assert said[0] == said[1]
    assert f"of 4 processes, number 2, 3 did not come within 2 s to 127.0.0.1:{port}" in said[0]


def test_process_0_does_not_come(port):
    (said,) = roll(port, 1, of=[2], timeout=0.5)
    assert said.startswith(f"process 1 could not reach process 0 at 127.0.0.1:{port} within 0.5 s (Connection refused)")


def test_two_of_the_same_number(port):
    said = roll(port, 0, 1, 1, of=[3, 3, 3])
    assert len(set(said)) == 1
    assert "two processes say that they are number 1, the second on" in said[0]


def test_another_count(port):
    said = roll(port, 0, 1, of=[2, 3])
    assert len(set(said)) == 1
    assert "was told of 3 processes, process 0 of 2; give all one number" in said[0]


def test_a_stranger_is_shown_out(port):
    def stranger():
        with connected(port) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n\n")
            return connection.recv(10)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(call_the_roll, f"127.0.0.1:{port}", 2, 0, timeout=60.0)
        assert stranger() == b""
        assert call_the_roll(f"127.0.0.1:{port}", 2, 1, timeout=60.0) is None
        assert first.result() is None


def connected(port):
    """A connection, once somebody listens."""
    for _ in range(600):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise AssertionError("nobody listens")


def test_a_port_that_is_taken(port):
    with socket.create_server(("127.0.0.1", port)), pytest.raises(ProcessError, match=f"cannot listen on port {port}"):
        call_the_roll(f"127.0.0.1:{port}", 2, 0, timeout=1.0)


@pytest.mark.parametrize("answer", [b"", b"\x00\x00\x06\x04", b"HTTP/1.1 400 Bad Request\r\n"])
def test_something_else_listens_there(port, answer):
    def other(server):
        connection = server.accept()[0]
        connection.recv(4096)
        connection.sendall(answer)
        connection.close()

    with socket.create_server(("127.0.0.1", port)) as server, concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(other, server)
        with pytest.raises(ProcessError, match=f"127.0.0.1:{port} hung up; process 0 has ended, or something else"):
            call_the_roll(f"127.0.0.1:{port}", 2, 1, timeout=5.0)


def test_addresses():
    assert address_of("node-1.cluster:8476") == ("node-1.cluster", 8476)
    assert address_of("[::1]:80") == ("::1", 80)
    for wrong in ("", "host", "host:", ":80", "host:0", "host:65536", "host:x"):
        with pytest.raises(ConfigError, match="it must be HOST:PORT of process 0"):
            address_of(wrong)
