"""Several real processes on loopback give what one process gives, and end together whatever happens to one of them."""

import json
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from shell import save_picture

_START = """
import json, os, signal, sys, time
import numpy as np
from lit.errors import LitError
from lit.evaluation import parallel
from lit.loading import load
where, processes, process = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
parallel.initialize(where, processes, process, timeout=60, lost_after=20)
"""


def free_address():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def run_all(lit, commands, *, devices=1, timeout=240):
    """Runs the commands side by side; returns (exit status, standard output, standard error, seconds) of each."""
    env = lit.env | {"XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}"}
    pipe, began = subprocess.PIPE, time.monotonic()
    started = [subprocess.Popen(c, cwd=lit.cwd, env=env, stdout=pipe, stderr=pipe, text=True) for c in commands]
    try:
        outcomes = []
        for process in started:
            out, err = process.communicate(timeout=timeout)
            outcomes.append((process.returncode, out, err, time.monotonic() - began))
        return outcomes
    finally:
        for process in started:
            process.kill()
            process.communicate()


def workers(lit, processes, body, *arguments, **options):
    """Each runs `body` as one of so many processes."""
    where = free_address()
    command = [sys.executable, "-c", _START + body, where, str(processes)]
    return run_all(lit, [[*command, str(i), *map(str, arguments)] for i in range(processes)], **options)


def evaluations(lit, processes, *arguments, devices=1, each=None):
    """`lit eval` as so many processes; `each` gives further arguments to one of them."""
    where = free_address()
    commands = [
        lit.command("eval", *arguments, *(each or {}).get(i, ()), "--coordinator", where, "--processes", processes,
                    "--process", i)
        for i in range(processes)
    ]  # fmt: skip
    return run_all(lit, commands, devices=devices)


def found(path):
    """The report in a file."""
    return json.loads(path.read_text())["report"]


def same(many, alone):
    """Counts, predictions and the figures made of them are identical; confidences differ in their last bits at most.

    A device's share of a batch, or a process's share of the images, has another shape, and sums another order.
    """
    for name in ("support", "correct", "confusion", "excluded", "class_names"):
        assert many[name] == alone[name]
    for name in ("ids", "digests", "labels", "top"):
        assert many["predictions"][name] == alone["predictions"][name]
    for name in ("top1", "mean_per_class"):
        assert many["figures"][name] == alone["figures"][name]
    np.testing.assert_allclose(many["predictions"]["confidence"], alone["predictions"]["confidence"], atol=1e-5)


@pytest.fixture
def labelled(lit):
    """Nineteen pictures of three classes: shares of two, three and eight processes are uneven."""
    rng = np.random.default_rng(0)
    for i in range(19):
        save_picture(lit.cwd / "labelled" / ("dog", "cat", "boat")[i % 3] / f"{i:02}.jpg", rng)
    return "labelled"


@pytest.fixture
def alone(lit, tiny_bundle, labelled):
    """The report of one process with one device."""
    done = lit("eval", labelled, "--model", tiny_bundle, "-o", "alone.json", "--fresh")
    assert done.returncode == 0, done.stderr
    return found(lit.cwd / "alone.json")


def test_two_processes_find_what_one_finds(lit, tiny_bundle, labelled, alone):
    arguments = (labelled, "--model", tiny_bundle, "--fresh", "--json")
    (first, out, err, _), (second, nothing, _, _) = evaluations(lit, 2, *arguments, each={0: ("-o", "two.json")})
    assert (first, second) == (0, 0), err
    assert nothing == ""  # one process prints results
    assert json.loads(out)  # and nothing else, not even gloo, prints there
    same(found(lit.cwd / "two.json"), alone)


@pytest.mark.slow
@pytest.mark.parametrize(("processes", "devices"), [(1, 8), (2, 4), (3, 1)])
def test_processes_and_devices_do_not_move_a_figure(lit, tiny_bundle, labelled, alone, processes, devices):
    arguments = (labelled, "--model", tiny_bundle, "--fresh", "-o", "many.json")
    for status, _, err, _ in evaluations(lit, processes, *arguments, devices=devices):
        assert status == 0, err
    same(found(lit.cwd / "many.json"), alone)


@pytest.mark.slow
def test_more_processes_than_pictures(lit, tiny_bundle, labelled):
    arguments = (labelled, "--model", tiny_bundle, "--fresh", "--limit", 2)
    assert lit("eval", *arguments, "-o", "alone.json").returncode == 0
    for status, _, err, _ in evaluations(lit, 3, *arguments, "-o", "three.json"):
        assert status == 0, err
    same(found(lit.cwd / "three.json"), found(lit.cwd / "alone.json"))


@pytest.mark.slow
def test_other_data_on_one_host(lit, tiny_bundle, labelled):
    save_picture(lit.cwd / "other" / "dog" / "a.jpg", np.random.default_rng(1))
    save_picture(lit.cwd / "other" / "cat" / "b.jpg", np.random.default_rng(1))
    ends = evaluations(lit, 3, "--model", tiny_bundle, each={0: (labelled,), 1: (labelled,), 2: ("other",)})
    for status, out, err, _ in ends:
        assert (status, out) == (1, "")
        assert "the processes do not evaluate the same thing" in err
        assert "process 2 on " in err
        assert "Traceback" not in err


@pytest.mark.slow
def test_other_prompts_in_one_process(lit, tiny_bundle, labelled):
    """Else each would embed a share of other classes, and the figure would be neither's."""
    ends = evaluations(lit, 2, labelled, "--model", tiny_bundle, "--fresh", each={1: ("--prompts", "plain")})
    for status, out, err, _ in ends:
        assert (status, out) == (1, "")
        assert "the processes do not evaluate the same thing" in err


@pytest.mark.slow
def test_no_data_on_one_host(lit, tiny_bundle, labelled):
    (_, _, first, took), (status, _, second, _) = evaluations(
        lit, 2, "--model", tiny_bundle, each={0: (labelled,), 1: ("missing/",)}
    )
    assert status == 1
    assert "missing" in second
    assert "process 1 on " in first
    assert "missing" in first
    assert took < 120


@pytest.mark.slow
@pytest.mark.parametrize("devices", [1, 4])
def test_rows_arrive_exactly_from_uneven_shares(lit, devices):
    body = """
from lit.evaluation import packing
rng, rows = np.random.default_rng(0), 1001
columns = {
    "int64": rng.integers(-(2**63), 2**63 - 1, rows), "float64": rng.normal(size=(rows, 3)) * 1e200,
    "float32": rng.normal(size=(rows, 2, 2)).astype(np.float32), "bool": rng.random(rows) < 0.5,
    "uint8": rng.integers(0, 256, (rows, 32), np.uint8), "bytes": rng.bytes(8 * rows),
}
columns["bytes"] = np.frombuffer(columns["bytes"], "S8")
own = np.arange(rows)[process :: 2] if process < 2 else np.arange(0)
with parallel.together():
    gathered = parallel.gather({n: c[own] for n, c in columns.items()}, own)
    for name, column in columns.items():
        assert gathered[name].dtype == column.dtype and gathered[name].tobytes() == column.tobytes(), name
    texts = parallel.gather_objects([[f"größe {i}", i / 3, None] for i in own.tolist()], own)
    assert texts == [[f"größe {i}", i / 3, None] for i in range(rows)]
    packing._STEP = 1 << 17  # several steps, the last of them shorter
    big = np.full((100_000 - process, 2), process, np.float32)
    got = parallel.gather({"z": big}, np.arange(len(big)) * processes + process)["z"]
    assert [int((got == p).all(1).sum()) for p in range(processes)] == [100_000, 99_999, 99_998]
"""
    for status, out, err, _ in workers(lit, 3, body, devices=devices):
        assert status == 0, err
        assert out == ""


@pytest.mark.slow
def test_classes_shared_by_three_processes_have_the_same_bits(lit, tiny_bundle):
    body = """
from lit import zeroshot
with parallel.together():
    model = load(sys.argv[4])
    texts = [[f"a {w} {i}", f"the {w} in a photo {'of a dog ' * (i % 3)}"] for i in range(20) for w in ("cat", "dog")]
    alone = zeroshot.class_embeddings(model, texts, renormalize=True)
    assert parallel.class_embeddings(model, texts, renormalize=True, cache=False).tobytes() == alone.tobytes()
    assert parallel.class_embeddings(model, texts[:2], renormalize=True).tobytes() == alone[:2].tobytes()
"""
    for status, _, err, _ in workers(lit, 3, body, tiny_bundle):
        assert status == 0, err


@pytest.mark.slow
def test_an_error_in_one_ends_all_at_once(lit):
    body = """
with parallel.together():
    parallel.agree({"all": "well"})
    if process == 1:
        raise LitError("the disk is full")
    parallel.gather({"rows": np.arange(3)}, np.arange(3))
"""
    ends = workers(lit, 3, body)
    for process, (status, _, err, took) in enumerate(ends):
        assert status == 1
        assert took < 120
        if process != 1:
            assert "ProcessError: process 1 on " in err
            assert "failed: LitError: the disk is full. The other processes stop, too." in err


@pytest.mark.slow
def test_an_error_is_heard_between_batches(lit):
    body = """
with parallel.together():
    if process == 1:
        raise LitError("the disk is full")
    while True:
        time.sleep(0.1)
        parallel.stop_if_another_failed()
"""
    ends = workers(lit, 2, body)
    assert [status for status, *_ in ends] == [1, 1]
    assert "the disk is full" in ends[0][2]


@pytest.mark.slow
def test_out_of_step(lit):
    body = """
with parallel.together():
    parallel.gather_objects([1]) if process else parallel.agree({})
"""
    ends = workers(lit, 2, body)
    for status, _, err, _ in ends:
        assert status == 1
        assert "the processes are out of step: process " in err


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_leaves_nobody_hanging(lit, victim):
    """JAX ends the others once heartbeats are missed for `lost_after` (here 20 s)."""
    body = """
with parallel.together():
    parallel.agree({"all": "well"})
    if process == int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)
    parallel.gather({"rows": np.arange(3)}, np.arange(3))
"""
    ends = workers(lit, 3, body, victim)
    assert ends[victim][0] == -signal.SIGKILL
    for process, (status, _, err, took) in enumerate(ends):
        if process != victim:
            assert status not in (0, -signal.SIGKILL)
            assert took < 120
            assert "JAX distributed service detected fatal errors" in err or "ProcessError" in err


@pytest.mark.slow
def test_a_process_that_is_done_waits_for_one_that_still_writes(lit):
    body = """
began = time.monotonic()
with parallel.together():
    if parallel.is_first_process():
        time.sleep(8)
assert time.monotonic() - began > 2
"""
    for status, _, err, _ in workers(lit, 2, body):
        assert status == 0, err


@pytest.mark.slow
def test_found_by_slurm(lit, tiny_bundle, labelled, alone):
    """The variables that Slurm sets for the tasks of a step, here by hand: `--distributed` needs no more."""
    job = int(free_address().rpartition(":")[2])  # JAX derives the port from it
    commands = []
    for i in range(2):
        slurm = {
            "JOB_ID": job,
            "STEP_NODELIST": "localhost",
            "NTASKS": 2,
            "PROCID": i,
            "LOCALID": i,
            "STEP_NUM_NODES": 1,
        }
        settings = [f"SLURM_{name}={value}" for name, value in slurm.items()]
        words = ("eval", labelled, "--model", tiny_bundle, "--fresh", "--distributed", "-o", "slurm.json")
        commands.append(["env", *settings, *lit.command(*words)])
    for status, _, err, _ in run_all(lit, commands):
        assert status == 0, err
    same(found(lit.cwd / "slurm.json"), alone)
