"""The charts of a page: reliability and few-shot."""

from collections.abc import Sequence

import numpy as np

from lit.metrics.intervals import wilson
from lit.report.drawing import PAGE, cut, drawing, inline, quiet_grid, svg_of
from lit.report.gap import GapStep, gap_chart
from lit.report.report import FewShot, ReliabilityBin

_WHAT = "the page"


def reliability_chart(bins: Sequence[ReliabilityBin]) -> str:
    """Accuracy over confidence with the diagonal, and below it how many predictions each bin has."""
    bins = [b for b in bins if b.n]
    x, y, n = (np.array([getattr(b, name) for b in bins], float) for name in ("confidence", "accuracy", "n"))
    low, high = zip(*(wilson(round(b.accuracy * b.n), b.n) for b in bins), strict=True)
    with drawing(4.6, 4.6, PAGE, _WHAT) as figure:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
        above.plot([0, 1], [0, 1], color=PAGE.faint, linewidth=0.8, linestyle="--")
        above.vlines(x, np.minimum(x, y), np.maximum(x, y), color=PAGE.orange, alpha=0.35, linewidth=5)
        above.vlines(x, low, high, color=PAGE.blue, linewidth=1)
        above.plot(x, y, color=PAGE.blue, linewidth=1.2, marker="o", markersize=4)
        above.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share that was right")
        width = [b.high - b.low for b in bins]
        below.bar([b.low for b in bins], n, width, align="edge", color=PAGE.blue, alpha=0.75, linewidth=0)
        below.set(xlabel="confidence", ylabel="predictions")
        below.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        below.locator_params(axis="y", nbins=3)
        for axes in (above, below):
            quiet_grid(axes, PAGE, "both" if axes is above else "y")
        figure.align_ylabels()
        svg = svg_of(figure)
    said = f"Reliability: accuracy against confidence in {len(bins)} bins. The table below gives the same in numbers."
    return inline(svg, "reliability", said)


def few_shot_chart(rows: Sequence[FewShot], zero_shot: float | None) -> str:
    """Accuracy over examples per class: a line for each method, its seeds as points, and zero-shot (top-1) across."""
    rows = [row for row in rows if row.accuracies]
    shots = sorted({row.shots for row in rows})
    methods = list(dict.fromkeys(row.method for row in rows))
    with drawing(5.2, 3.1, PAGE, _WHAT) as figure:
        axes = figure.subplots()
        if zero_shot is not None:
            axes.axhline(100 * zero_shot, color=PAGE.faint, linewidth=0.9, linestyle="--")
            axes.annotate(
                "zero-shot", (0, 100 * zero_shot), (2, 4), textcoords="offset points", color=PAGE.faint, fontsize=8.5
            )
        for method, colour, marker in zip(methods, (PAGE.blue, PAGE.orange, PAGE.ink), "os^", strict=False):
            of = sorted((row for row in rows if row.method == method), key=lambda row: row.shots)
            x = [shots.index(row.shots) for row in of]
            axes.plot(x, [100 * np.mean(row.accuracies) for row in of], color=colour, marker=marker, markersize=5)
            seeds = [(i, 100 * a) for i, row in zip(x, of, strict=True) for a in row.accuracies]
            axes.scatter(*zip(*seeds, strict=True), color=colour, marker=marker, s=12, alpha=0.35, linewidths=0)
            axes.annotate(
                cut(method), (x[-1], 100 * np.mean(of[-1].accuracies)), (8, 0), textcoords="offset points", va="center",
                color=colour, fontsize=8.5,
            )  # fmt: skip
        axes.set_xticks(range(len(shots)), [str(k) for k in shots])
        axes.set(xlabel="training examples per class", ylabel="top-1, per cent")
        quiet_grid(axes, PAGE, "y")
        svg = svg_of(figure)
    said = "Few-shot accuracy over examples per class. The table gives the same in numbers."
    return inline(svg, "few-shot", said)


def gap_figure(steps: Sequence[GapStep]) -> str:
    """The waterfall as part of a page."""
    return inline(gap_chart(steps, PAGE), "gap", "What each choice costs. The table gives the same in numbers.")
