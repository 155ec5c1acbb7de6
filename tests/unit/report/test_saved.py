"""Reports as files: exact both ways; whatever else is there is refused by name."""

import contextlib
import dataclasses
import json
import sys

import numpy as np
import pytest
import reports
from hypothesis import given, settings
from hypothesis import strategies as st

from lit.errors import InputError, OutputError
from lit.metrics.figure import Figure
from lit.report import GapStep, Report, Seal, load, save
from lit.report.report import Excluded, FewShot, Predictions, ReliabilityBin, Timing
from lit.report.saved import from_json, to_json
from lit.suites.suite import Expected

finite = st.floats(allow_nan=False, allow_infinity=False)
# Half surrogates too: file names on Linux hold them.
words = st.text(st.characters(exclude_categories=()), max_size=12)
factors = st.dictionaries(words, words, max_size=3)
counts = st.integers(0, 2**53)


@st.composite
def any_report(draw):
    figures = draw(st.dictionaries(words, records(Figure), min_size=1, max_size=3))
    names = tuple(draw(st.lists(words, max_size=4)))
    column = st.lists(counts, min_size=len(names), max_size=len(names)).map(tuple)
    return Report(
        **{k: draw(words) for k in ("suite", "title", "task", "model", "protocol", "created")},
        headline=draw(st.sampled_from(sorted(figures))),
        figures=figures,
        seal=Seal(data=draw(factors), protocol=draw(factors), model=draw(factors), software=draw(factors)),
        timing=draw(records(Timing)),
        class_names=names,
        support=draw(column),
        correct=draw(column),
        confusion=draw(many(st.tuples(counts, counts, counts))),
        predictions=draw(st.none() | rows()),
        warnings=draw(many(words)),
        expected=draw(many(records(Expected))),
        reliability=draw(many(records(ReliabilityBin))),
        excluded=draw(many(records(Excluded))),
        few_shot=draw(many(records(FewShot))),
        altered=draw(many(words)),
        notes=draw(many(words)),
        gap=draw(many(records(GapStep))),
    )


def records(kind):
    of = {str: words, int: counts, float: finite, tuple[float, ...]: st.lists(finite, max_size=3).map(tuple)}
    kinds = {field.name: field.type for field in dataclasses.fields(kind)}
    return st.builds(kind, **{name: of[t] if t in of else records(t) for name, t in kinds.items()})


def many(strategy):
    return st.lists(strategy, max_size=3).map(tuple)


def rows():
    places = st.lists(counts, max_size=3).map(tuple)
    table = st.lists(st.tuples(words, words, places, places, finite), max_size=3)
    names = ("ids", "digests", "labels", "top", "confidence")
    return table.map(lambda t: Predictions(**dict(zip(names, zip(*t, strict=True) if t else [()] * 5, strict=True))))


# beartype checks a random item of each tuple.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@given(any_report())
@settings(deadline=None, max_examples=60)
def test_whatever_is_saved_comes_back(report):
    text = to_json(report)
    assert from_json(text) == report
    assert from_json(text.encode()).seal.hash == report.seal.hash
    assert from_json(json.dumps(json.loads(text), indent=7)) == report


@pytest.mark.parametrize(
    "report", [reports.full(), reports.retrieval(), reports.classification(2, 50, predictions=False)]
)
def test_files(report, tmp_path):
    path = tmp_path / "report.json"
    save(report, path)
    assert load(path) == report
    assert load(str(path)).to_frame().equals(report.to_frame())
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_fifty_thousand_predictions_are_small_and_no_function_is_called_for_each(tmp_path):
    report = reports.classification(1000, 50_000)
    path = tmp_path / "report.json"
    report.save(path)
    assert path.stat().st_size < 6e6
    assert len(path.read_text().splitlines()) < 200
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        loaded = load(path)
    finally:
        sys.setprofile(None)
    assert calls < 4 * 50_000, calls  # a row has 9 values
    assert loaded == report


def test_numpy_scalars_are_numbers():
    """beartype refuses them here and nobody does elsewhere."""
    report = reports.classification(2, 50)
    object.__setattr__(report, "confusion", ((np.int64(1), np.int64(0), np.int64(3)),))
    object.__setattr__(report.figures["ece"], "value", np.float32(0.25))
    assert from_json(to_json(report)) == report


@pytest.fixture(scope="module")
def small():
    return to_json(reports.classification(2, 8, warnings=("é",))).encode()


@given(data=st.data())
@settings(deadline=None, max_examples=300)
def test_a_flipped_bit_is_never_another_figure(small, data):
    place = data.draw(st.integers(0, len(small) - 1))
    damaged = bytearray(small)
    damaged[place] ^= 1 << data.draw(st.integers(0, 7))
    with contextlib.suppress(InputError):
        assert from_json(bytes(damaged)) == from_json(small)


def test_a_cut_file_is_refused(small, tmp_path):
    path = tmp_path / "cut.json"
    for kept in (0, 1, len(small) // 2, len(small) - 3):
        path.write_bytes(small[:kept])
        with pytest.raises(InputError, match=r"cut\.json is no JSON, or was cut off"):
            load(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x89PNG\r\n", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[1, 2]", "is not a report"),
        (b'{"accuracy": 0.7}', "is not a report"),
        (b'{"format": "lit-report", "version": 2}', "version 2, and this lit reads version 1: pip install --upgrade"),
        (b'{"format": "lit-report", "version": "x"}', "version 'x', .*: write it again"),
        (b'{"format": "lit-report", "version": 1}', "checksum"),
        (b'{"format": "lit-report", "version": 1, "report": NaN}', "NaN is no JSON"),
    ],
)
def test_foreign_files(tmp_path, content, said):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"x\.json .*{said}"):
        load(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.pop("suite"), "it lacks suite"),
        (lambda r: r["figures"]["top1"].pop("low"), r"it lacks figures\.top1\.low"),
        (lambda r: r.update(extra=1), "'extra'.* no field of a Report"),
        (lambda r: r["figures"]["top1"].update(n=True), r"figures\.top1\.n is True and must be a whole number"),
        (lambda r: r["figures"]["top1"].update(value="0.7"), r"figures\.top1\.value is '0\.7' and must be a number"),
        (lambda r: r.update(support="many"), "support is 'many' and must be a list"),
        (lambda r: r.update(support=[1, "2"]), r"support\[1\] is '2'"),
        (lambda r: r.update(confusion=[[0, 1]]), r"confusion\[0\] has 2 entries and needs 3"),
        (lambda r: r.update(seal=3), "seal is 3 and must be a table"),
        (lambda r: r.update(headline="top7"), "headline 'top7' is not among the figures"),
        (lambda r: r.update(support=[1]), "must be as many"),
        (lambda r: r["predictions"].update(ids=[]), "differ in length"),
    ],
)
def test_a_report_that_is_not_whole(small, change, said):
    """With a checksum that holds: another program wrote it."""
    from lit.report import saved

    whole = json.loads(small)
    change(whole["report"])
    whole["sha256"] = saved._checksum(whole["report"])
    with pytest.raises(InputError, match=f"is not a whole report: .*{said}"):
        from_json(json.dumps(whole))


def test_a_missing_optional_field_takes_its_default(small):
    from lit.report import saved

    whole = json.loads(small)
    del whole["report"]["few_shot"], whole["report"]["predictions"]
    whole["sha256"] = saved._checksum(whole["report"])
    assert from_json(json.dumps(whole)).predictions is None


def test_files_written_before_a_field_was_there_stay_readable(small):
    """What the first version wrote, key by key; every field since must have a default."""
    from lit.report import saved

    first = (
        "suite title task model protocol headline figures seal timing created expected class_names support correct "
        "confusion reliability predictions excluded warnings few_shot"
    )
    whole = json.loads(small)
    whole["report"] = {key: whole["report"][key] for key in first.split()}
    whole["sha256"] = saved._checksum(whole["report"])
    assert whole["version"] == 1
    report = from_json(json.dumps(whole))
    assert report == from_json(small)
    assert (report.altered, report.notes, report.gap) == ((), (), ())


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_not_written(tmp_path, bad):
    path = tmp_path / "report.json"
    report = reports.classification(2, 50, figures={"top1": Figure(value=0.5, low=bad, high=1.0, n=2, method="")})
    with pytest.raises(InputError, match=r"not finite \(figures\.top1\.low\)"):
        save(report, path)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    save(reports.retrieval(), path)
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        save(reports.full(), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="is a folder"):
        save(reports.retrieval(), tmp_path)
    with pytest.raises(OutputError, match="there is no folder"):
        save(reports.retrieval(), tmp_path / "no" / "report.json")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load(tmp_path / "no.json")
