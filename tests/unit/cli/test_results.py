"""How results look in a terminal."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from lit.cli.results import Label, Result, bar, table_of

RESULTS = [
    Result(Path("holiday/größe [1].jpg"), (Label("a [red]cat[/red]", 0.8125, 0.3), Label("dog", 0.1875, 0.1))),
    Result(Path("b.jpg"), (Label("猫", 1.0, 0.3),)),
]


def drawn(width, **options):
    out = io.StringIO()
    Console(file=out, width=width, emoji=False, markup=False, **options).print(table_of(RESULTS, "tiny"))
    return out.getvalue()


def test_a_wide_terminal_shows_names_as_they_are():
    text = drawn(100)
    assert "holiday/größe [1].jpg" in text
    assert "a [red]cat[/red]" in text
    assert "81.2 %" in text
    assert "█" * 13 in text
    assert "\x1b" not in text


@pytest.mark.parametrize("width", [20, 40, 60])
def test_a_narrow_terminal_keeps_to_its_width(width):
    from rich.cells import cell_len

    assert max(map(cell_len, drawn(width).splitlines())) <= width


def test_colour_is_only_for_terminals_that_want_it(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[34m" in drawn(100, force_terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[34m" not in drawn(100, force_terminal=True)


@pytest.mark.parametrize(("share", "drawing"), [(0.0, ""), (1.0, "████"), (0.5, "██"), (0.28, "█▏"), (0.02, "▏")])
def test_bars_are_exact_to_an_eighth(share, drawing):
    assert bar(share, 4) == drawing
