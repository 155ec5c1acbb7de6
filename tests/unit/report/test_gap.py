"""The gap as a picture."""

import dataclasses
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import reports
from PIL import Image

from lit.errors import InputError
from lit.report import GapStep, gap_png, gap_svg
from lit.report.gap import is_path


def texts(svg):
    return [node.text for node in ET.fromstring(svg.encode()).iter("{http://www.w3.org/2000/svg}text")]


def test_an_svg_file():
    svg = gap_svg(reports.gap())
    said = texts(svg)
    for words in ("−2.10", "+0.31", "0.00", "templates", "clip-best → plain"):
        assert words in said, words
    assert "together" not in said
    assert "together" in texts(gap_svg(reports.gap(path=True)))
    assert "−2.85" in texts(gap_svg(reports.gap(path=True)))
    assert "var(" not in svg
    assert not re.search(r"#0[1-5]0[1-5]0[1-5]", svg), "colours of a page do not belong in a file"


def test_bars_begin_and_end_where_the_figures_are():
    """Read back from the drawing: of a path each bar begins where the last one ended."""
    import matplotlib.figure

    from lit.report.drawing import PAPER
    from lit.report.gap import _draw

    for path in (False, True):
        steps = reports.gap(path=path)
        axes = matplotlib.figure.Figure().subplots()
        _draw(axes, steps, PAPER)
        bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
        expected = [(100 * step.start, 100 * step.figure.value) for step in steps]
        np.testing.assert_allclose(bars[: len(steps)], expected)
        if path:
            np.testing.assert_allclose(bars[-1], (73.9, 100 * steps[-1].figure.value))


def test_a_png_file():
    image = Image.open(io.BytesIO(gap_png(reports.gap(), dpi=100)))
    assert image.format == "PNG"
    assert image.width == 620
    assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert image.convert("L").getextrema()[0] < 80


def test_paths_are_told_from_single_changes():
    assert is_path(reports.gap(path=True))
    assert not is_path(reports.gap())
    assert not is_path(reports.gap()[:1])
    assert not is_path([dataclasses.replace(reports.gap()[0], delta=0.0)] * 3)


def test_names_that_matplotlib_would_read():
    step = GapStep(
        factor="$x^2$ <b>&", before="犬", after="\udce9" + "y" * 99, figure=reports.figure(0.5, 10), delta=-1e-9,
        low=-0.1, high=0.1,
    )  # fmt: skip
    said = " ".join(filter(None, texts(gap_svg([step]))))
    assert "$x^2$ <b>&" in said
    assert "犬 → " in said
    assert "y…y" in said
    assert "−0.00" not in said
    assert gap_png([step])


def test_no_step():
    for draw in (gap_svg, gap_png):
        with pytest.raises(InputError, match="there is no step to draw"):
            draw([])
