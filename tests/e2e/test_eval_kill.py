"""kill -9 while a dataset is embedded: the next run has exactly the rest to do, and exactly the same result."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow
IMAGES = 500
WORKERS, BATCH = 2, 4
#: Taken but not stored when a run is killed, at most: read ahead and one being read, decoding or decoded, in a batch
#: that is being filled, in the tower or waiting for its turn there, and in one that is being stored.
IN_FLIGHT = (16 + 1) + 4 * WORKERS + BATCH * (1 + 3 + 1)
KEY = 36


class Slow:
    """A hundred pictures a second, so that a kill comes in the middle; notes what was taken."""

    def __init__(self, images, note):
        from datasets_in_memory import Pictures

        self.__dict__ |= Pictures(images).__dict__
        self.name, self.label_names = Pictures.name, Pictures.label_names
        self._pictures, self._note = Pictures(images), note

    def __len__(self):
        return len(self._pictures)

    def examples(self, shard=0, shards=1):
        for example in self._pictures.examples(shard, shards):
            time.sleep(0.01)
            with self._note.open("ab") as file:
                file.write(b".")
            yield example


def main(bundle, note, out):
    """Runs in a process of its own."""
    from datasets_in_memory import jpegs

    import lit
    from lit.evaluation.embedding import embed_dataset
    from lit.images import stream

    stream._processors = lambda: WORKERS
    embedded = embed_dataset(lit.load(Path(bundle)), Slow(jpegs(IMAGES), Path(note)), batch_size=BATCH)
    said = {"computed": embedded.timing.computed, "reused": embedded.timing.reused, "ids": embedded.ids}
    np.savez(out, zimg=embedded.zimg, digests=embedded.digests, said=json.dumps(said))


@pytest.fixture
def start(tiny_bundle, tmp_path):
    def start(cache, out="out.npz", note="note"):
        env = os.environ | {
            "LIT_CACHE": str(tmp_path / cache),
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path]),
        }
        return subprocess.Popen(
            [sys.executable, __file__, str(tiny_bundle), str(tmp_path / note), str(tmp_path / out)], env=env
        )

    return start


def stored(cache):
    """Whole keys on disk."""
    return sum(path.stat().st_size // KEY for path in cache.glob("embeddings/*/*.keys"))


def test_a_killed_run_goes_on_where_it_was(start, tmp_path):
    assert start("undisturbed", "undisturbed.npz").wait(120) == 0
    done = [0]
    for enough in (60, 170, 290):  # taken, not stored: a kill just after a write would find nothing lost
        note = f"note{enough}"
        taken = tmp_path / note
        taken.touch()
        process = start("killed", note=note)
        try:
            deadline = time.monotonic() + 120
            while taken.stat().st_size < enough and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002)
        finally:
            process.send_signal(signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
        done.append(stored(tmp_path / "killed"))
        assert done[-2] < done[-1] < IMAGES
        assert taken.stat().st_size - done[-1] <= IN_FLIGHT
    assert start("killed", "resumed.npz").wait(120) == 0
    with np.load(tmp_path / "undisturbed.npz") as undisturbed, np.load(tmp_path / "resumed.npz") as resumed:
        said, expected = (json.loads(found["said"].item()) for found in (resumed, undisturbed))
        assert (said["computed"], said["reused"]) == (IMAGES - done[-1], done[-1])
        assert said["ids"] == expected["ids"]
        np.testing.assert_array_equal(resumed["digests"], undisturbed["digests"])
        assert resumed["zimg"].tobytes() == undisturbed["zimg"].tobytes()


def test_a_third_run_reads_nothing(start, tmp_path):
    assert start("cache").wait(120) == 0
    (tmp_path / "note").unlink()
    assert start("cache", "again.npz").wait(120) == 0
    assert not (tmp_path / "note").exists()
    with np.load(tmp_path / "out.npz") as first, np.load(tmp_path / "again.npz") as again:
        assert first["zimg"].tobytes() == again["zimg"].tobytes()


if __name__ == "__main__":
    main(*sys.argv[1:])
