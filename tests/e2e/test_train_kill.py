"""Real signals to a real process: SIGTERM saves and exits 0, Ctrl-C 130, and kill -9 costs no bit of the result."""

import json
import random
import shutil
import signal
import time

import pytest
from training_corpus import save_corpus, write_recipe

pytestmark = pytest.mark.slow
STEPS = 1500


@pytest.fixture
def run(lit, tiny_bundle):
    """Writes a recipe for a folder, and returns the words of its command."""
    save_corpus(lit.cwd / "pictures")
    shutil.copyfile(tiny_bundle / "vocab.txt", lit.cwd / "vocab.txt")

    def run(output):
        recipe = write_recipe(
            lit.cwd / f"{output}.toml", bundle=tiny_bundle, vocab=lit.cwd / "vocab.txt", source="pictures/pairs.csv",
            output=lit.cwd / output, schedule={"steps": STEPS}, checkpoint={"every": 100},
            optimizer={"learning_rate": 0.001},
        )  # fmt: skip
        return "train", recipe

    return run


def logged(output):
    """Steps that the log has, as far as it is written."""
    path = output / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def wait_for(process, output, steps):
    """Until so many steps are logged, or the process has ended."""
    while logged(output) < steps and process.poll() is None:
        time.sleep(0.005)


def losses(output):
    lines = (output / "metrics.jsonl").read_text().splitlines()
    return [(record["step"], record["loss"]) for record in map(json.loads, lines)]


def test_killed_at_random_moments_it_ends_with_the_same_bits(lit, run):
    undisturbed = lit(*run("undisturbed"))
    assert undisturbed.returncode == 0, undisturbed.stderr
    kills, rng = 0, random.Random(0)
    words, output = run("killed"), lit.cwd / "killed"
    for round_ in range(4):
        process = lit.start(*words)
        # Anywhere: before the first step, at a checkpoint, between two.
        wait_for(process, output, 0 if round_ == 0 else logged(output) + rng.randrange(1, 260))
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
    assert kills >= 2
    finished = lit(*words)
    assert finished.returncode == 0, finished.stderr
    a, b = (lit.cwd / name for name in ("undisturbed", "killed"))
    assert losses(b) == losses(a)
    assert [step for step, _ in losses(b)] == list(range(1, STEPS + 1))
    assert (b / "model/model.safetensors").read_bytes() == (a / "model/model.safetensors").read_bytes()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_saves_and_the_same_command_goes_on(lit, run, number, code):
    words, output = run("out"), lit.cwd / "out"
    process = lit.start(*words, "--quiet")
    wait_for(process, output, 20)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=600)
    assert process.returncode == code, stderr
    assert len(stderr.strip().splitlines()) == 1, stderr  # click answers Ctrl-C with the end of a line
    done = logged(output)
    assert f"lit: stopped; step {done:,} of {STEPS:,} is saved in {output}, and the same command" in stderr
    assert done < STEPS
    assert max(int(path.name) for path in (output / "checkpoints").iterdir()) == done
    going_on = lit(*words)
    assert going_on.returncode == 0, going_on.stderr
    assert f"going on at step {done:,} of {STEPS:,}" in going_on.stderr


def test_two_runs_in_one_folder_do_not_mix(lit, run):
    words, output = run("out"), lit.cwd / "out"
    process = lit.start(*words)
    try:
        wait_for(process, output, 1)
        second = lit(*words)
        assert process.poll() is None
        assert second.returncode == 1
        assert "another `lit train` is at work in" in second.stderr
    finally:
        process.kill()
        process.communicate()
