"""What each choice costs, as a picture: a waterfall from one protocol to another, or one bar for each choice."""

import io
from collections.abc import Sequence

from lit.errors import InputError
from lit.report.drawing import PAPER, Palette, cut, drawing, quiet_grid, svg_of
from lit.report.step import GapStep as GapStep
from lit.report.words import signed


def is_path(steps: Sequence[GapStep]) -> bool:
    """Whether each step begins where the last one ended; else all begin at one figure, as steps that cost 0 do."""
    starts, ends = [step.start for step in steps], [step.figure.value for step in steps]
    moves = max(starts) - min(starts) > 1e-9
    return moves and all(abs(start - end) < 1e-9 for start, end in zip(starts[1:], ends, strict=False))


def gap_svg(steps: Sequence[GapStep]) -> str:
    """The picture as an SVG file, text as text.

    Raises:
      InputError: there is no step.
      MissingExtraError: matplotlib is not installed.
    """
    return '<?xml version="1.0" encoding="utf-8"?>\n' + gap_chart(steps, PAPER).encode("utf-8", "replace").decode()


def gap_png(steps: Sequence[GapStep], *, dpi: int = 200) -> bytes:
    """The picture as a PNG file on white.

    Raises:
      InputError: there is no step.
      MissingExtraError: matplotlib is not installed.
    """
    with drawing(*_size(steps), PAPER, "the picture of the gap") as figure:
        _draw(figure.subplots(), steps, PAPER)
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=dpi, facecolor="white")
        return out.getvalue()


def gap_chart(steps: Sequence[GapStep], palette: Palette) -> str:
    """The SVG element in a palette."""
    with drawing(*_size(steps), palette, "the picture of the gap") as figure:
        _draw(figure.subplots(), steps, palette)
        return svg_of(figure)


def _size(steps: Sequence[GapStep]) -> tuple[float, float]:
    if not steps:
        raise InputError("there is no step to draw; explain a gap first (lit eval --explain-gap).")
    return 6.2, 1.0 + 0.42 * (len(steps) + is_path(steps))


def _draw(axes, steps: Sequence[GapStep], palette: Palette) -> None:
    """Bars from the figure before to the figure after; whiskers are the interval of the difference."""
    first, path = 100 * steps[0].start, is_path(steps)
    labels = [f"{cut(step.factor)}\n{cut(step.before)} → {cut(step.after)}" for step in steps]
    for y, step in enumerate(steps):
        start, colour = 100 * step.start, palette.blue if step.delta >= 0 else palette.orange
        axes.barh(y, 100 * step.delta, left=start, height=0.5, color=colour, alpha=0.8, linewidth=0)
        low, high = max(0.0, start + 100 * step.low), min(100.0, start + 100 * step.high)
        axes.plot([low, high], [y, y], color=palette.ink, linewidth=1.1, marker="|", markersize=5)
        axes.annotate(
            signed(step.delta), (max(high, start), y), (6, 0), textcoords="offset points", va="center", fontsize=8.5
        )
        if path and y + 1 < len(steps):
            end = 100 * step.figure.value
            axes.plot([end, end], [y, y + 1], color=palette.faint, linewidth=0.7, linestyle=":")
    axes.axvline(first, color=palette.faint, linewidth=0.8)
    if path:
        end = 100 * steps[-1].figure.value
        labels.append("together")
        axes.barh(len(steps), end - first, left=first, height=0.5, color=palette.faint, linewidth=0)
        said = signed((end - first) / 100)
        axes.annotate(
            said, (max(end, first), len(steps)), (6, 0), textcoords="offset points", va="center", fontsize=8.5
        )
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.invert_yaxis()
    axes.use_sticky_edges = False
    axes.margins(x=0.16, y=0.02)
    axes.set_xlabel("top-1 accuracy in per cent; the line is as measured")
    axes.spines["left"].set_visible(False)
    quiet_grid(axes, palette, "x")
