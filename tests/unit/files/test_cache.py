"""What lies in the cache is what was put there, or it is an error; whatever killed the process that put it there."""

import hashlib
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from lit.errors import ChecksumError
from lit.files import fetch

#: A process that fetches one file, patiently or not.
PROGRAM = """
import resource, sys
from lit.errors import LitError
from lit.files import Network, fetch
from lit.zoo import FileRef
if len(sys.argv) > 2:  # writing past this many bytes fails as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    print(fetch(FileRef(name="weights.npz", kind="npz", mirrors=(sys.argv[1],)), network=Network(backoff=0.01)))
except LitError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def run(url, *limit):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-W", "error", "-c", PROGRAM, url, *map(str, limit)], **pipes)


def part_size(cache):
    try:
        return (cache / "weights.npz.part").stat().st_size
    except FileNotFoundError:
        return 0


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.parametrize(
    "change", [lambda b: b[:40] + b"!" + b[41:], lambda b: b[:-5000], lambda b: b"", lambda b: b + b"\0"]
)
def test_a_file_that_changed_in_the_cache_is_refused(file, site, cache, content, quick, change):
    path = fetch(file, network=quick)
    path.write_bytes(change(content))
    with pytest.raises(ChecksumError) as caught:
        fetch(file, network=quick)
    said = str(caught.value)
    for part in (hashlib.sha256(content).hexdigest(), hashlib.sha256(change(content)).hexdigest(), "at first use"):
        assert part in said
    assert f"Delete {path} and run the same command again to fetch it anew" in said
    assert f"or delete {path}.sha256 if the present content is the right one" in said
    assert path.read_bytes() == change(content)
    path.unlink()  # the first way on
    assert fetch(file, network=quick).read_bytes() == content


def test_a_changed_file_with_a_published_checksum(known, cache, quick):
    fetch(known, network=quick).write_bytes(b"PK")
    with pytest.raises(
        ChecksumError, match="published it was .* or pass it as weights= if it is the one that you want"
    ):
        fetch(known, network=quick)


def test_a_file_put_there_by_hand_is_held_to_from_then_on(file, site, cache, content, quick):
    cache.mkdir(parents=True)
    (cache / "weights.npz").write_bytes(content)
    assert fetch(file, network=quick) == cache / "weights.npz"
    assert site.requests == []
    (cache / "weights.npz").write_bytes(content[:-1])
    with pytest.raises(ChecksumError):
        fetch(file, network=quick)


def test_a_kill_at_any_moment_leaves_what_the_same_command_completes(file, site, cache, content):
    site.otherwise = site.serve(pace=0.05)
    chance = random.Random(0)
    kills = 0
    while not (cache / "weights.npz").exists() and kills < 12:
        process = run(file.mirrors[0])
        goal = part_size(cache) + chance.randrange(1, 200_000)
        wait_until(lambda: part_size(cache) >= goal or process.poll() is not None)  # noqa: B023
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += 1
    assert kills >= 3
    process = run(file.mirrors[0])
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, f"{cache / 'weights.npz'}\n"), err
    assert (cache / "weights.npz").read_bytes() == content
    assert sum(r is not None for r in site.ranges) >= 2  # and nothing was fetched twice


def test_an_interrupt_keeps_what_has_arrived(file, site, cache, content, quick):
    site.otherwise = site.serve(pace=0.3)
    process = run(file.mirrors[0])
    wait_until(lambda: part_size(cache) > 100_000)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in err
    kept = part_size(cache)
    assert kept > 100_000
    site.otherwise = site.serve()
    assert fetch(file, network=quick).read_bytes() == content
    assert site.ranges[-1] == f"bytes={kept}-"


def test_two_processes_download_once(file, site, cache, content):
    site.otherwise = site.serve(pace=0.02)
    both = [run(file.mirrors[0]) for _ in range(2)]
    ends = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert [out for out, _ in ends] == [f"{cache / 'weights.npz'}\n"] * 2
    assert sorted(err for _, err in ends) == ["", "another process is downloading weights.npz; waiting for it\n"]
    assert (cache / "weights.npz").read_bytes() == content
    assert len(site.requests) == 1


def test_threads_download_once(file, site, content, quick):
    site.otherwise = site.serve(pace=0.005)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(fetch(file, network=quick, progress=False))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [path.read_bytes() == content for path in found] == [True] * 4
    assert len(site.requests) == 1


def test_a_full_disk_is_said_and_the_download_goes_on_when_there_is_room(file, site, cache, content, quick):
    limit = 300_000
    process = run(file.mirrors[0], limit)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert err.startswith("OutputError: ")
    assert "cannot be written" in err
    assert "the download goes on from there" in err
    assert "Traceback" not in err
    assert part_size(cache) == limit
    assert fetch(file, network=quick).read_bytes() == content
    assert site.ranges[-1] == f"bytes={limit}-"


def test_a_complete_cache_may_be_read_only(file, site, cache, quick):
    path = fetch(file, network=quick)
    for name in ("weights.npz.sha256", "weights.npz.lock"):
        (cache / name).unlink()
    (cache / "weights.npz.sha256").mkdir()  # what nobody, not even root, can write a file over
    assert fetch(file, network=quick) == path
    assert sorted(path.name for path in cache.iterdir()) == ["weights.npz", "weights.npz.sha256"]
