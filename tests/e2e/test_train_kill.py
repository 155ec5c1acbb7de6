"""Real signals to a real process: SIGTERM saves and exits 0, Ctrl-C 130, and kill -9 costs no bit of the result."""

import json
import random
import shutil
import signal
import time

import pytest
from training_corpus import save_corpus, write_recipe

pytestmark = pytest.mark.slow
#: Of a run that is killed and then finished.
STEPS = 1500
#: Of a run that must still be at work when another process has started, on however busy a machine.
MANY = 1_000_000
#: Seconds that only a run which hangs takes.
PATIENCE = {"timeout": 1200}
#: Runs that may come to their end before they are killed often enough, on a machine that is too busy to kill them.
ATTEMPTS = 5


@pytest.fixture
def run(lit, tiny_bundle):
    """Writes a recipe for a folder, and returns the words of its command."""
    save_corpus(lit.cwd / "pictures")
    shutil.copyfile(tiny_bundle / "vocab.txt", lit.cwd / "vocab.txt")

    def run(output, steps=STEPS):
        recipe = write_recipe(
            lit.cwd / f"{output}.toml", bundle=tiny_bundle, vocab=lit.cwd / "vocab.txt", source="pictures/pairs.csv",
            output=lit.cwd / output, schedule={"steps": steps}, checkpoint={"every": 100},
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


def killed(process, output, after):
    """Kills it when so many more steps are logged; returns how it ended."""
    wait_for(process, output, logged(output) + after)
    process.kill()
    process.communicate()
    return process.returncode


def losses(output):
    lines = (output / "metrics.jsonl").read_text().splitlines()
    return [(record["step"], record["loss"]) for record in map(json.loads, lines)]


def test_killed_at_random_moments_it_ends_with_the_same_bits(lit, run):
    undisturbed = lit(*run("undisturbed"), **PATIENCE)
    assert undisturbed.returncode == 0, undisturbed.stderr
    rng = random.Random(0)
    for attempt in range(ATTEMPTS):
        words, b = run(f"killed-{attempt}"), lit.cwd / f"killed-{attempt}"
        # Anywhere: before the first step, at a checkpoint, between two.
        ends = [killed(lit.start(*words), b, after) for after in (0, *(rng.randrange(1, 260) for _ in range(3)))]
        if ends.count(-signal.SIGKILL) >= 3:
            break
    else:
        pytest.fail("no run was slow enough to be killed")
    finished = lit(*words, **PATIENCE)
    assert finished.returncode == 0, finished.stderr
    a = lit.cwd / "undisturbed"
    assert losses(b) == losses(a)
    assert [step for step, _ in losses(b)] == list(range(1, STEPS + 1))
    assert (b / "model/model.safetensors").read_bytes() == (a / "model/model.safetensors").read_bytes()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_saves_and_the_same_command_goes_on(lit, run, number, code):
    words, output = run("out", MANY), lit.cwd / "out"
    process = lit.start(*words, "--quiet")
    wait_for(process, output, 20)
    process.send_signal(number)
    _, stderr = process.communicate(**PATIENCE)
    assert process.returncode == code, stderr
    assert len(stderr.strip().splitlines()) == 1, stderr  # click answers Ctrl-C with the end of a line
    done = logged(output)
    assert f"lit: stopped; step {done:,} of {MANY:,} is saved in {output}, and the same command" in stderr
    assert done < MANY
    assert max(int(path.name) for path in (output / "checkpoints").iterdir()) == done
    going_on = lit(*words, "--set", f"schedule.steps={done + 10}", **PATIENCE)
    assert going_on.returncode == 0, going_on.stderr
    assert f"going on at step {done:,} of {done + 10:,}" in going_on.stderr
    assert [step for step, _ in losses(output)] == list(range(1, done + 11))


def test_two_runs_in_one_folder_do_not_mix(lit, run):
    words, output = run("out", MANY), lit.cwd / "out"
    process = lit.start(*words)
    try:
        wait_for(process, output, 1)
        second = lit(*words, **PATIENCE)
        assert process.poll() is None
        assert second.returncode == 1
        assert "another `lit train` is at work in" in second.stderr
    finally:
        process.kill()
        process.communicate()
