"""Progress goes to standard error, says how fast and how long still, and is silent when asked to be."""

import sys
import time
from types import SimpleNamespace

import pytest

from lit import progress as module
from lit.progress import progress


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when the test says so."""
    now = [100.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def lines(clock, capsys, steps, total, unit):
    with progress("embedding images", total, unit=unit) as advance:
        for seconds, n in steps:
            clock[0] += seconds
            advance(n)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


@pytest.mark.parametrize(
    ("steps", "total", "unit", "expected"),
    [
        ([(1, 10)] * 25, 250, "images", [
            "embedding images: 100 of 250 images, 10.0 images/s, 15 s left",
            "embedding images: 200 of 250 images, 10.0 images/s, 5 s left",
        ]),
        ([(5, 25)] * 2, 50_000, "images", ["embedding images: 50 of 50,000 images, 5.0 images/s, 2 h 46 min left"]),
        ([(5, 25)] * 2, 1250, "images", ["embedding images: 50 of 1,250 images, 5.0 images/s, 4 min 00 s left"]),
        ([(5, 1), (5, 2)], None, "images", ["embedding images: 3 images, 0.3 images/s"]),
        ([(10, 3)], 9, "", ["embedding images: 3 of 9"]),
        ([(5, 12_500_000)] * 2, 50_000_000, "bytes", [
            "embedding images: 25,000,000 of 50,000,000 bytes, 2.5 MB/s, 10 s left"
        ]),
        ([(10, 0)], 9, "images", ["embedding images: 0 of 9 images"]),
        ([(9, 3)], 9, "images", []),
        ([(30, 1)], 9, "images", ["embedding images: 1 of 9 images"]),  # the start was slow, not the work
    ],
)  # fmt: skip
def test_lines_where_nobody_watches(clock, capsys, steps, total, unit, expected):
    assert lines(clock, capsys, steps, total, unit) == expected


def test_what_was_known_before_does_not_count_as_speed_for_long(clock, capsys):
    shown = lines(clock, capsys, [(10, 40_000), (10, 50), (10, 50)], 50_000, "images")
    assert shown[-1] == "embedding images: 40,100 of 50,000 images, 5.0 images/s, 33 min 00 s left"


def test_silent(capsys):
    with progress("embedding images", 3, enabled=False, unit="images") as advance:
        advance(3)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("unit", "parts"), [("images", ["1/3", "images/s"]), ("bytes", ["/3 bytes"]), ("", ["1/3"])])
def test_a_bar_where_somebody_watches(monkeypatch, capsys, unit, parts):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress("embedding images", 3, unit=unit) as advance:
        for _ in range(3):
            time.sleep(0.3)
            advance(1)
    shown = capsys.readouterr().err
    assert "embedding images" in shown
    for part in parts:
        assert part in shown
