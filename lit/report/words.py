"""Figures in words: their names, percentages, and a report as a few lines of text."""

from collections.abc import Iterator
from html import escape

from lit.metrics.figure import Figure
from lit.report.report import Report

REPAIRED = "repaired/"
_NAMES = {
    "top1": "Top-1 accuracy",
    "top5": "Top-5 accuracy",
    "mean_per_class": "Mean per-class accuracy",
    "ece": "Expected calibration error",
}
_WAYS = {"image_to_text": "Image to text", "text_to_image": "Text to image"}


def name_of(key: str) -> str:
    """A figure's name for people ("top1" -> "Top-1 accuracy"); an unknown key with its underscores taken out."""
    if key.startswith(REPAIRED):
        return f"{name_of(key.removeprefix(REPAIRED))}, repaired names"
    way, _, rank = key.rpartition("_r")
    if way in _WAYS and rank.isdigit():
        return f"{_WAYS[way]}, recall at {rank}"
    return _NAMES.get(key, key.replace("_", " ").capitalize())


def percent(value: float, n: int = 0) -> str:
    """A fraction in per cent, with the digits that `n` examples bear: two from 1,000 on, else one."""
    return f"{100 * value:.{digits(n)}f} %"


def digits(n: int) -> int:
    """Decimals of a percentage over `n` examples."""
    return 2 if n >= 1000 else 1


def interval(figure: Figure) -> str:
    """The 95 % interval without the words ("71.24 to 73.00 %")."""
    d = digits(figure.n)
    return f"{100 * figure.low:.{d}f} to {100 * figure.high:.{d}f} %"


def signed(delta: float, decimals: int = 2) -> str:
    """A fraction in percentage points, without the words ("+0.31", "−1.77", "0.00")."""
    said = f"{100 * delta:+.{decimals}f}"
    return said.replace("-", "−") if float(said) else said[1:]


def against(delta: float, n: int = 0) -> str:
    """How a figure stands to a published one ("1.77 points below it")."""
    size = f"{100 * abs(delta):.{digits(n)}f}"
    return "equal to it" if not float(size) else f"{size} points {'below' if delta < 0 else 'above'} it"


def text_of(report: Report) -> str:
    """A report as a short block for terminals."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    head = report.figures[report.headline]
    yield f"{report.title}: {_with_what(report)}"
    yield f"  {name_of(report.headline)} {percent(head.value, head.n)} (95 %: {interval(head)}, n = {head.n:,})"
    yield f"  {published_beside(report, report.headline) or 'no published figure under this protocol'}"
    for key, figure in report.figures.items():
        if key != report.headline:
            beside = published_beside(report, key)
            yield f"  {name_of(key)} {percent(figure.value, figure.n)} ({interval(figure)})" + (
                beside and f"; {beside}"
            )
    if report.altered and not any(map(report.departed_from, report.figures)):
        yield f"  this run departs from its suite and protocol: {'; '.join(report.altered)}"
    if report.excluded:
        yield f"  {len(report.excluded):,} excluded"
    for warning in report.warnings:
        yield f"  warning: {warning}"
    for note in report.notes:
        yield f"  note: {note}"
    yield f"  seal {report.seal.hash[:12]}, {report.created}"


def published_beside(report: Report, key: str) -> str:
    """What was published of a figure under the report's protocol, and how this run stands to it; empty: nothing."""
    figure = report.figures[key]
    if published := report.published(key):
        away = against(figure.value - published.value, figure.n)
        return f"published {percent(published.value, figure.n)} ({published.source}); this is {away}"
    if published := report.departed_from(key):
        said = f"published {percent(published.value)} under {published.protocol}"
        return f"{said}; this run departs from it: {'; '.join(report.altered)}"
    return ""


def html_of(report: Report) -> str:
    """A report as a small table for notebooks."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(name_of(key))}</th><td>{percent(figure.value, figure.n)}</td>"
        f"<td>{interval(figure)}</td><td>{figure.n:,}</td><td>{escape(published_beside(report, key))}</td></tr>"
        for key, figure in report.figures.items()
    )
    warnings = "".join(f"<p>Warning: {escape(warning)}</p>" for warning in report.warnings)
    return (
        f"<table><caption>{escape(report.title)}: {escape(_with_what(report))}. Seal {report.seal.hash[:12]}.</caption>"
        f"<tr><th></th><th></th><th>95 % interval</th><th>n</th><th></th></tr>{rows}</table>{warnings}"
    )


def _with_what(report: Report) -> str:
    return f"{report.model}, protocol {report.protocol}" if report.protocol else report.model
