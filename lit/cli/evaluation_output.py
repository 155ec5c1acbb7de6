"""What `lit eval` prints and writes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit.cli.output import check_target, emit, emit_json, emit_renderable, emit_row, for_people, replacing
from lit.cli.say import say
from lit.errors import MissingExtraError, OutputError

if TYPE_CHECKING:
    from lit.cli.evaluate import Files
    from lit.evaluation import Outcome, Plan
    from lit.model import Model
    from lit.report import Report
    from lit.report.gap import GapStep

#: Images left out that are named one by one.
_LISTED = 20


def prepare_targets(files: "Files", *, overwrite: bool) -> None:
    """Fails before the work where the writing would fail after it.

    Raises:
      OutputError: a file is there already, or cannot be written.
      MissingExtraError: a page needs an extra that is not installed.
    """
    for path, suffixes in ((files.output, (".json",)), (files.html, (".html",)), (files.gap_image, (".svg", ".png"))):
        if path is None:
            continue
        check_target(path, suffixes)
        if path.exists() and not overwrite:
            raise OutputError(f"{path} is there already; pass --overwrite to replace it, or name another file.")
    if files.html or files.gap_image:
        _require_extra()


def _require_extra() -> None:
    from importlib.util import find_spec

    if not (find_spec("jinja2") and find_spec("matplotlib")):
        raise MissingExtraError("the page and the picture", "report")


def write_files(
    files: "Files",
    model: "Model",
    planned: "Plan",
    outcome: "Outcome",
    gap: "Sequence[GapStep]",
    *,
    quiet: bool,
) -> None:
    """Writes what was asked for, each file whole or not at all."""
    if files.output:
        from lit.report import save

        save(outcome.report, files.output)
    if files.html:
        from lit.evaluation.gallery import galleries
        from lit.report import page

        surest, frequent = galleries(planned, outcome, model.config.preprocess)
        _write(files.html, page(outcome.report, gallery=surest, examples=frequent, gap=None).encode())
    if files.gap_image:
        from lit.report import gap_png, gap_svg

        image = gap_svg(gap).encode() if files.gap_image.suffix.lower() == ".svg" else gap_png(gap)
        _write(files.gap_image, image)
    if not quiet:
        for path in (files.output, files.html, files.gap_image):
            if path:
                say(f"saved {path}")


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def emit_report(report: "Report", gap: "Sequence[GapStep]", *, as_json: bool) -> None:
    """The figures on standard output: for programs, for people, or tab-separated lines for a pipe."""
    if as_json:
        emit_json(_summary(report, gap))
    elif for_people():
        emit(str(report))
    else:
        for name, figure in report.figures.items():
            emit_row(name, f"{figure.value:.6f}", f"{figure.low:.6f}", f"{figure.high:.6f}", figure.n)
        for row in report.few_shot:
            found = row.figure(report.n)
            emit_row(
                f"few-shot {row.method}, {row.shots}",
                f"{found.value:.6f}",
                f"{found.low:.6f}",
                f"{found.high:.6f}",
                found.n,
            )
    if gap and not as_json:
        _emit_gap(gap)


def say_doubts(report: "Report") -> None:
    """Warnings and what was left out, on standard error: a figure in a pipe must not lose them."""
    for warning in report.warnings:
        say(f"warning: {warning}")
    for left_out in report.excluded[:_LISTED]:
        say(f"left out {left_out.id}: {left_out.reason}")
    if len(report.excluded) > _LISTED:
        say(f"left out {len(report.excluded) - _LISTED} more; -o FILE.json lists all.")


def _summary(report: "Report", gap: "Sequence[GapStep]") -> dict[str, Any]:
    import dataclasses

    timing = report.timing
    return {
        "suite": report.suite,
        "model": report.model,
        "protocol": report.protocol,
        "headline": report.headline,
        "figures": {name: dataclasses.asdict(figure) for name, figure in report.figures.items()},
        "expected": [dataclasses.asdict(e) for e in report.expected],
        "few_shot": [dataclasses.asdict(row) for row in report.few_shot],
        "gap": [dataclasses.asdict(step) for step in gap],
        "excluded": [dataclasses.asdict(e) for e in report.excluded],
        "warnings": list(report.warnings),
        "altered": list(report.altered),
        "timing": {**dataclasses.asdict(timing), "images_per_second": timing.images_per_second},
        "seal": {"hash": report.seal.hash, **dataclasses.asdict(report.seal)},
    }


def _emit_gap(gap: "Sequence[GapStep]") -> None:
    """What each factor costs, as a table or as tab-separated lines."""
    if not for_people():
        for step in gap:
            emit_row(
                "gap",
                step.factor,
                step.before,
                step.after,
                f"{step.delta:+.6f}",
                f"{step.low:+.6f}",
                f"{step.high:+.6f}",
            )
        return
    from rich.table import Table

    table = Table(
        title="What each choice costs: top-1, points, on the same images (95 % interval)", title_justify="left"
    )
    for column in ("factor", "from", "to"):
        table.add_column(column)
    for column in ("top-1", "difference", "interval"):
        table.add_column(column, justify="right")
    for step in gap:
        table.add_row(
            step.factor,
            step.before,
            step.after,
            f"{100 * step.figure.value:.2f} %",
            f"{100 * step.delta:+.2f}",
            f"{100 * step.low:+.2f} to {100 * step.high:+.2f}",
        )
    emit_renderable(table)
