"""`lit eval compare`: the seals' verdict first, the paired test where there can be one."""

import dataclasses
import json

import pytest
import reports
from click.testing import CliRunner

from lit.cli.compare import compare


@pytest.fixture
def run(tmp_path):
    def run(a, b, *options):
        paths = [tmp_path / "a.json", tmp_path / "b.json"]
        for report, path in zip((a, b), paths, strict=True):
            report.save(path)
        done = CliRunner().invoke(compare, [*map(str, paths), *options])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout) if options else done.stdout.splitlines()

    return run


def test_all_images_are_shared(run):
    report = reports.classification(2, 60)
    lines = run(report, report)
    assert lines[2].startswith("The same measurement")
    assert lines[3].startswith("A and B are right equally often on the same 60 images")
    assert len(lines) == 4
    found = run(report, report, "--json")
    assert found["paired"]["n"] == 60
    assert (found["why"], found["only_in_a"], found["only_in_b"]) == ("", 0, 0)


def test_some_images_are_in_one_only(run):
    whole = reports.classification(2, 60)
    rows = {field.name: getattr(whole.predictions, field.name)[:50] for field in dataclasses.fields(whole.predictions)}
    part = dataclasses.replace(whole, predictions=type(whole.predictions)(**rows))
    assert run(whole, part)[-1] == "Images in one report only, which the test leaves out: 10 in A, 0 in B."
    found = run(part, whole, "--json")
    assert (found["paired"]["n"], found["only_in_a"], found["only_in_b"]) == (50, 0, 10)


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        (reports.retrieval(), reports.retrieval(), "no predictions of classes"),
        (reports.classification(2, 60), reports.classification(2, 60, seed=1), "share no image"),
    ],
)
def test_reports_that_cannot_be_paired(run, a, b, why):
    lines = run(a, b)
    assert lines[2].startswith("The same measurement")
    assert lines[-1].startswith("There is no paired test: ")
    assert why in lines[-1]
    found = run(a, b, "--json")
    assert found["seals"]["comparable"]
    assert found["paired"] is None
    assert why in found["why"]
