"""matplotlib without its state: figures that become SVG with text as text, in colours that a page can change.

Charts have few words, and all of them are lit's own; whatever carries a class name is HTML, which every script, width
and screen reader can cope with.
"""

import dataclasses
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from lit.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class Palette:
    """Colours of a chart.  Those of `PAGE` stand for CSS variables and are replaced by them."""

    ink: str
    faint: str
    line: str
    blue: str
    orange: str


PAPER = Palette(ink="#1c1f23", faint="#5a626b", line="#c9ced4", blue="#2a5f9e", orange="#b3541e")
PAGE = Palette(ink="#010101", faint="#020202", line="#030303", blue="#040404", orange="#050505")


@contextmanager
def drawing(width: float, height: float, palette: Palette, what: str) -> Iterator["Figure"]:
    """A figure of so many inches; charts are drawn, and written, inside the block.

    Raises:
      MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(what, "report") from error
    colours = {"text.color": palette.ink, "axes.labelcolor": palette.faint, "axes.edgecolor": palette.line}
    colours |= {f"{axis}tick.{part}color": palette.faint for axis in "xy" for part in ("", "label")}
    settings: dict[Any, Any] = {
        **colours,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
        "font.size": 9,
        "svg.fonttype": "none",
        "svg.hashsalt": "lit",
        "text.parse_math": False,
    }
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # Characters that matplotlib's typeface lacks: an SVG leaves them to the reader's.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield Figure(figsize=(width, height), layout="constrained")


def svg_of(figure: "Figure") -> str:
    """The SVG element, without XML prologue; the same bytes for the same figure."""
    out = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(out, format="svg", transparent=True, metadata=nothing)
    svg = out.getvalue()
    return svg[svg.index("<svg") :].strip()


def inline(svg: str, name: str, says: str) -> str:
    """An SVG as part of a page: scales with its column, in the page's colours and typeface, with a text for readers.

    Args:
      svg: from `svg_of`, drawn in `PAGE`.
      name: unique on the page; goes before the ids, which several charts share.
      says: what the chart shows.
    """
    # A style element inside would hold for the whole page.
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"font-family: [^;\"]*(; )?", "", svg)
    for field in dataclasses.fields(Palette):
        svg = svg.replace(getattr(PAGE, field.name), f"var(--{field.name})")
    # As wide as it was drawn, so that all charts have letters of one size; narrower on a phone.
    svg = re.sub(r' width="([\d.]+)pt" height="[\d.]+pt"', r' style="max-width: calc(\1 * var(--chart))"', svg, count=1)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(says)}" class="chart"', 1)


def quiet_grid(axes: "Axes", palette: Palette, axis: Any = "both") -> None:
    """Thin lines behind the data, no tick marks."""
    axes.grid(axis=axis, color=palette.line, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)


def cut(text: str, most: int = 32) -> str:
    """A text on one line, its middle left out where it is long; what UTF-8 cannot hold becomes "?"."""
    text = " ".join(text.encode("utf-8", "replace").decode().split())
    tail = most // 3
    return text if len(text) <= most else f"{text[: most - tail - 1].rstrip()}…{text[-tail:].lstrip()}"
