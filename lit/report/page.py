"""A report as one self-contained HTML page, for people: on a screen, on a phone, on paper."""

import base64
import datetime
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lit.errors import MissingExtraError
from lit.metrics.figure import Figure
from lit.report import charts, view, words
from lit.report.gallery import GalleryItem
from lit.report.gap import GapStep, is_path
from lit.report.report import Report

_TEMPLATES = Path(__file__).with_name("templates")


def page(
    report: Report,
    *,
    gallery: Sequence[GalleryItem] = (),
    examples: Sequence[GalleryItem] = (),
    gap: Sequence[GapStep] | None = None,
) -> str:
    """Renders the page.

    Everything is inside: style, script, charts (SVG with text as text), thumbnails.  Nothing is requested, and the page
    forbids it to itself; without scripts all is there but sorting and filtering.

    Args:
      report: of classification or retrieval; parts that it lacks are left out.
      gallery: mistakes to show, surest first.
      examples: of the most frequent confusions, those of one confusion together.
      gap: what each choice costs, where it is not what the report holds.

    Raises:
      MissingExtraError: jinja2 or matplotlib is not installed.
    """
    style, script = _part("page.css"), _part("page.js")
    text = _environment().get_template("page.html").render(
        report=report,
        head=report.figures[report.headline],
        published=report.published(report.headline),
        gallery=[_shown(item) for item in gallery],
        examples=_by_confusion(examples),
        style=style,
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        **_figures(report),
        **_by_class(report),
        **_charts(report, report.gap if gap is None else gap),
    )  # fmt: skip
    # File names on Linux may hold half a surrogate pair, which UTF-8 cannot.
    return text.encode("utf-8", "replace").decode()


def _shown(item: GalleryItem) -> dict[str, Any]:
    return {"item": item, "jpeg": base64.b64encode(item.jpeg).decode()}


def _by_confusion(examples: Sequence[GalleryItem]) -> list[dict[str, Any]]:
    """One entry for each confusion, in the order in which they come."""
    pairs = dict.fromkeys((item.label, item.predicted) for item in examples)
    return [
        {"label": a, "said": b, "shown": [_shown(i) for i in examples if (i.label, i.predicted) == (a, b)]}
        for a, b in pairs
    ]


def _figures(report: Report) -> dict[str, Any]:
    ranks, ways = view.retrieval_rows(report)
    return {
        "headline_name": words.name_of(report.headline),
        "rows": view.figure_rows(report),
        "ranks": ranks,
        "ways": ways,
        "scale": view.scale(report),
        "departures": view.departures(report),
        "other_published": view.other_published(report),
        "times": view.time_rows(report),
        "command": view.command(report),
        "most_listed": view.MOST_LISTED,
    }


def _by_class(report: Report) -> dict[str, Any]:
    rows = view.class_rows(report) if report.support else []
    worst, best = view.extremes(rows)
    return {
        "classes": rows,
        "folded": len(rows) > view.OPEN_CLASSES,
        "worst_classes": worst,
        "best_classes": best,
        "confusion": view.confusion_view(report) if report.confusion and report.class_names else None,
    }


def _charts(report: Report, gap: Sequence[GapStep]) -> dict[str, Any]:
    shots, few_shot = view.few_shot_rows(report)
    top1 = report.figures.get("top1")
    return {
        "reliability": charts.reliability_chart(report.reliability) if any(b.n for b in report.reliability) else "",
        "shots": shots,
        "few_shot": few_shot,
        "zero_shot": top1,
        "few_shot_chart": charts.few_shot_chart(report.few_shot, top1 and top1.value) if few_shot else "",
        "gap": gap,
        "gap_is_path": bool(gap) and is_path(gap),
        "gap_chart": charts.gap_figure(gap) if gap else "",
    }


def _part(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")


@functools.cache
def _environment() -> Any:
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtraError("the page", "report") from error
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": lambda figure: _unbroken(words.percent(figure.value, figure.n)),
        "interval": lambda figure: _unbroken(words.interval(figure)),
        "share": lambda value, decimals=1: _unbroken(f"{100 * value:.{decimals}f} %"),
        "signed": words.signed,
        "against": lambda figure, published: words.against(figure.value - published.value, figure.n),
        "has_long_word": lambda text: any(len(word) > 24 for word in text.split()),
        "count": lambda n, thing: f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s",
        "seconds": _seconds,
        "day": _day,
        "methods": lambda rows: _methods([row["figure"] for row in rows]),
        "cell_methods": lambda rows: _methods([cell for row in rows for cell in row["cells"] if cell]),
    }
    return environment


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _methods(figures: Sequence[Figure]) -> str:
    return "; ".join(dict.fromkeys(figure.method for figure in figures if figure.method))


def _seconds(seconds: float) -> str:
    if seconds < 120:
        return _unbroken(f"{seconds:.1f} s" if seconds >= 0.05 or not seconds else "< 0.1 s")
    return _unbroken(f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h")


def _day(iso: str) -> str:
    try:
        return f"{datetime.datetime.fromisoformat(iso):%d %B %Y, %H:%M} UTC".removeprefix("0")
    except ValueError:
        return iso
