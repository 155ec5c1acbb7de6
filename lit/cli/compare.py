"""`lit eval compare`: whether two reports may be compared, and whether their difference is chance."""

import dataclasses
from pathlib import Path

import click

from lit.cli.help import HelpfulCommand
from lit.cli.output import emit, emit_json


@click.command(
    cls=HelpfulCommand,
    examples=(
        ("lit eval compare a.json b.json", "two models, or two protocols"),
        ("lit eval compare a.json b.json --json", "for programs"),
    ),
)
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def compare(a: Path, b: Path, as_json: bool) -> None:
    """Compare two reports that `lit eval -o` saved.

    Their seals say whether the figures measure the same thing. The test is paired: it goes by the images on which only
    one of the two is right.
    """
    from lit.report import compare_seals, load
    from lit.report.paired import paired

    first, second = load(a), load(b)
    seals = compare_seals(first.seal, second.seal)
    result = paired(first, second)
    if as_json:
        emit_json({"seals": dataclasses.asdict(seals), "paired": dataclasses.asdict(result)})
        return
    emit(f"A: {a}: {first.model} on {first.suite}")
    emit(f"B: {b}: {second.model} on {second.suite}")
    emit(result.sentence)
    emit(seals.sentence)
    for group, rows in seals.differences.items():
        for factor, left, right in rows:
            emit(f"  {group}, {factor}: {left} | {right}")
