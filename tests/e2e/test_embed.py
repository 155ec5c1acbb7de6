"""`lit embed`: what it writes, and that no end of the process loses or spoils anything."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shell import save_picture

from lit.loading import load


def content(path):
    with np.load(path, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def summary(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_folder_becomes_vectors(lit, photos, tiny_bundle):
    done = lit("embed", "photos", "-o", "photos.npz", "--model", tiny_bundle)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr == "lit: photos.npz: 6 x 32 by tiny, 1 of them known before\n"
    found = content(lit.cwd / "photos.npz")
    names = ["a.jpg", "b.png", "c d.jpg", "deep/e.webp", "deep/größe/猫.jpg", "z-copy-of-a.jpg"]
    assert found["paths"].tolist() == [f"photos/{name}" for name in names]
    model = load(tiny_bundle)
    files = [lit.cwd / p for p in found["paths"].tolist()]
    np.testing.assert_array_equal(found["embeddings"], model.embed_images(files))
    assert found["sha256"].tolist() == [hashlib.sha256(f.read_bytes()).hexdigest() for f in files]
    assert json.loads(found["made_by"].item())["model"] == "tiny"
    assert [f for f in lit.files() if "photos.npz" in f] == ["photos.npz"]


@pytest.mark.slow
def test_parquet_holds_the_same(lit, photos, tiny_bundle):
    for name in ("photos.npz", "photos.parquet"):
        lit("embed", "photos", "-o", name, "--model", tiny_bundle, check=True)
    npz, table = content(lit.cwd / "photos.npz"), pd.read_parquet(lit.cwd / "photos.parquet")
    assert table["path"].tolist() == npz["paths"].tolist()
    np.testing.assert_array_equal(np.stack(table["embedding"].tolist()), npz["embeddings"])


@pytest.mark.slow
def test_only_what_is_new_is_computed(lit, photos, tiny_bundle):
    command = ("embed", "photos", "-o", "photos.npz", "--model", tiny_bundle, "--json")
    first = summary(lit(*command))
    assert (first["images"], first["computed"], first["dim"]) == (6, 5, 32)
    before = (lit.cwd / "photos.npz").read_bytes()
    assert summary(lit(*command))["computed"] == 0
    assert (lit.cwd / "photos.npz").read_bytes() == before
    save_picture(photos / "new.jpg", np.random.default_rng(7))
    (photos / "b.png").rename(photos / "renamed.png")
    (photos / "a.jpg").unlink()
    third = summary(lit(*command))
    assert (third["images"], third["computed"]) == (6, 1)
    # A picture that changes under its name, to a file of the same size and time, is another picture.
    stat = (photos / "renamed.png").stat()
    changed = bytearray((photos / "renamed.png").read_bytes())
    save_picture(photos / "renamed.png", np.random.default_rng(8))
    (photos / "renamed.png").write_bytes((photos / "renamed.png").read_bytes().ljust(len(changed), b"\0"))
    os.utime(photos / "renamed.png", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert summary(lit(*command))["computed"] == 1


@pytest.mark.slow
def test_another_model_does_not_mix(lit, photos, tiny_bundle):
    command = ("embed", "photos", "-o", "photos.npz", "--model", tiny_bundle)
    lit(*command, check=True)
    before = (lit.cwd / "photos.npz").read_bytes()
    other = lit(*command, "--precision", "bfloat16")
    assert other.returncode == 1
    assert other.stderr.startswith("lit: error: photos.npz holds embeddings of another model, precision or version;")
    assert (lit.cwd / "photos.npz").read_bytes() == before
    lit(*command, "--precision", "bfloat16", "--overwrite", check=True)
    assert (lit.cwd / "photos.npz").read_bytes() != before


def test_a_file_of_somebody_else_is_not_replaced(lit, photos, tiny_bundle):
    (lit.cwd / "mine.npz").write_text("mine")
    done = lit("embed", "photos", "-o", "mine.npz", "--model", tiny_bundle)
    assert done.returncode == 1
    assert done.stderr.startswith("lit: error: mine.npz was not written by `lit embed`; pass --overwrite")
    assert (lit.cwd / "mine.npz").read_text() == "mine"


def test_bad_pictures_are_named_and_no_file_is_written(lit, photos, tiny_bundle):
    (photos / "bad.jpg").write_text("hello")
    command = ("embed", "photos", "nowhere.jpg", "-o", "photos.npz", "--model", tiny_bundle)
    assert "nowhere.jpg" in lit(*command).stderr
    command = ("embed", "photos", "-o", "photos.npz", "--model", tiny_bundle)
    done = lit(*command)
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert lines[0].startswith("lit: cannot use photos/bad.jpg: ")
    assert lines[-1].startswith("lit: error: 1 of 7 pictures cannot be used (see above), so photos.npz was not written")
    assert not (lit.cwd / "photos.npz").exists()
    again = summary(lit(*command, "--skip-bad", "--json"))
    assert (again["images"], again["computed"]) == (6, 0)
    assert [bad["image"] for bad in again["left_out"]] == ["photos/bad.jpg"]
    assert lit.files() == sorted([*(f for f in lit.files() if f.startswith("photos/")), "photos.npz"])


def test_nothing_but_bad_pictures_is_an_error_even_so(lit, tiny_bundle):
    (lit.cwd / "bad.jpg").write_text("hello")
    done = lit("embed", "bad.jpg", "-o", "a.npz", "--skip-bad", "--model", tiny_bundle)
    assert done.returncode == 1
    assert "1 of 1 pictures cannot be used" in done.stderr
    assert lit.files() == ["bad.jpg"]


@pytest.fixture
def many(lit):
    """400 pictures: long enough to be interrupted."""
    rng = np.random.default_rng(3)
    for i in range(400):
        save_picture(lit.cwd / "many" / f"{i:04}.png", rng)
    return ("embed", "many", "-o", "many.npz", "--batch-size", "1", "--json")


def sound_records(path, dim=32):
    """How many whole records the partial state holds, read independently."""
    data = path.read_bytes()
    body = data[data.index(b"\n") + 1 :]
    size = 32 + 4 * dim + 4
    records = [body[i : i + size] for i in range(0, len(body) - size + 1, size)]
    assert all(zlib.crc32(r[:-4]) == int.from_bytes(r[-4:], "little") for r in records)
    return len(records)


def interrupt(process, state, how, at_least):
    """Sends a signal as soon as so many records are there."""
    deadline = time.monotonic() + 60
    while not state.exists() or state.stat().st_size < 300 + at_least * 164:
        assert process.poll() is None, "it was done before it could be interrupted"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(how)
    return process.communicate(timeout=60)


@pytest.fixture
def uninterrupted(lit, many, tiny_bundle):
    command = ["lit.npz" if word == "many.npz" else word for word in many]
    assert summary(lit(*command, "--model", tiny_bundle))["computed"] == 400
    return (lit.cwd / "lit.npz").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("at_least", [0, 1, 100, 300])
def test_a_kill_loses_nothing(lit, many, tiny_bundle, uninterrupted, at_least):
    state = lit.cwd / "many.npz.partial"
    process = lit.start(*many, "--model", tiny_bundle)
    interrupt(process, state, signal.SIGKILL, at_least)
    assert process.returncode == -signal.SIGKILL
    assert not (lit.cwd / "many.npz").exists()
    done = sound_records(state)
    assert at_least <= done < 400
    again = summary(lit(*many, "--model", tiny_bundle))
    assert again["computed"] == 400 - done
    assert (lit.cwd / "many.npz").read_bytes() == uninterrupted
    assert [f for f in lit.files() if not f.startswith("many/")] == ["lit.npz", "many.npz"]


@pytest.mark.slow
def test_kill_after_kill_completes(lit, many, tiny_bundle, uninterrupted):
    state = lit.cwd / "many.npz.partial"
    computed = 0
    for at_least in (50, 150, 250, 350):
        interrupt(lit.start(*many, "--model", tiny_bundle), state, signal.SIGKILL, at_least)
        computed = sound_records(state)
    assert summary(lit(*many, "--model", tiny_bundle))["computed"] == 400 - computed
    assert (lit.cwd / "many.npz").read_bytes() == uninterrupted


def test_ctrl_c_ends_cleanly_and_the_same_command_continues(lit, many, tiny_bundle):
    state = lit.cwd / "many.npz.partial"
    process = lit.start(*many, "--model", tiny_bundle)
    out, err = interrupt(process, state, signal.SIGINT, 20)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    done = sound_records(state)
    assert err.strip() == f"lit: stopped; {done} pictures are done, and the same command continues there."
    assert not (lit.cwd / "many.npz").exists()
    assert summary(lit(*many, "--model", tiny_bundle))["computed"] == 400 - done


@pytest.mark.slow
def test_a_partial_state_of_another_model_is_refused(lit, photos, tiny_bundle):
    (photos / "bad.jpg").write_text("hello")
    command = ("embed", "photos", "-o", "photos.npz", "--model", tiny_bundle)
    assert lit(*command).returncode == 1
    before = (lit.cwd / "photos.npz.partial").read_bytes()
    done = lit(*command, "--precision", "bfloat16")
    assert done.returncode == 1
    assert "was begun with tiny in float32" in done.stderr
    assert "their embeddings do not mix" in done.stderr
    assert (lit.cwd / "photos.npz.partial").read_bytes() == before


@pytest.mark.parametrize(
    ("suffix", "limit"),
    [
        ("npz", 700),
        *(pytest.param(s, n, marks=pytest.mark.slow) for s in ("npz", "parquet") for n in (100, 800, 1500)),
    ],
)
def test_a_disk_that_fills_up_leaves_nothing_half_written(lit, photos, tiny_bundle, suffix, limit):
    """A limit on the size of files stands for the disk; compiled programs do not fit either, and that is no error."""
    arguments = ("embed", "photos", "-o", f"photos.{suffix}", "--model", str(tiny_bundle))
    code = (
        f"import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); "
        "runpy.run_module('lit', run_name='__main__')"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=lit.cwd, env=lit.env, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("lit: error: ")
    assert re.search("could not be written: .*File too large", done.stderr)
    assert not (lit.cwd / f"photos.{suffix}").exists()
    assert not [f for f in lit.files() if "lit-tmp" in f]
    done = lit(*arguments)
    assert done.returncode == 0, done.stderr
    assert [f for f in lit.files() if not f.startswith("photos/")] == [f"photos.{suffix}"]


@pytest.mark.slow
def test_names_that_are_no_unicode(lit, tiny_bundle):
    """A byte of an older encoding in a file's name."""
    odd = os.fsdecode(os.fsencode(str(lit.cwd)) + b"/photos/caf\xe9.png")
    save_picture(lit.cwd / "photos" / "a.png", np.random.default_rng(0))
    try:
        Path(odd).write_bytes((lit.cwd / "photos" / "a.png").read_bytes())
    except OSError:
        pytest.skip("the file system refuses such names")
    for name in ("a.npz", "a.parquet"):
        done = lit("embed", "photos", "-o", name, "--model", tiny_bundle)
        assert done.returncode == 0, done.stderr
    assert content(lit.cwd / "a.npz")["paths"].tolist() == ["photos/a.png", r"photos/caf\udce9.png"]
