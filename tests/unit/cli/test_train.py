"""`lit train` says how a run ended: on standard output for programs, on standard error for people."""

import json
from pathlib import Path

import pytest

from lit import training
from lit.cli import train as command

RESULT = {"output": Path("out"), "steps": 12, "loss": 0.5, "accuracy": 0.75}
FINISHED = training.Result(**RESULT, model=Path("out/model"), step=12, suites={"cifar10": 0.625})
STOPPED = training.Result(**RESULT, model=None, step=5, stopped="SIGTERM")
SUMMARY = "lit: 12 steps, loss 0.5, in batch 75.0 %, cifar10 62.5 %. The curve is out/curve.png.\n"
SAVED = "lit: stopped; step 5 of 12 is saved in out, and the same command continues there.\n"


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the command with a training that ends at once; returns what it writes."""

    def run(result, *options):
        monkeypatch.setattr(training, "load_recipe", lambda *_: None)
        monkeypatch.setattr(training, "train", lambda *_, **__: result)
        monkeypatch.setattr(command, "keep_compiled_programs", lambda: None)
        command.train.main(["recipe.toml", *options], standalone_mode=False)
        return capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("result", "options", "out", "err"),
    [
        (FINISHED, (), "out/model\n", SUMMARY),
        (FINISHED, ("-q",), "out/model\n", ""),
        (STOPPED, (), "", SAVED),
        (STOPPED, ("-q",), "", SAVED),
    ],
)
def test_for_people(run, result, options, out, err):
    assert run(result, *options) == (out, err)


@pytest.mark.parametrize(
    ("result", "options", "err"), [(FINISHED, (), ""), (STOPPED, (), SAVED), (STOPPED, ("-q",), "")]
)
def test_for_programs(run, result, options, err):
    """The result is there however the run ended."""
    out, said = run(result, "--json", *options)
    model = str(result.model) if result.model else None
    expected = {"output": "out", "model": model, "step": result.step, "steps": 12, "loss": 0.5, "accuracy": 0.75}
    assert json.loads(out) == {**expected, "suites": result.suites, "stopped": result.stopped}
    assert said == err
