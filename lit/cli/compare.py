"""`lit eval compare`: whether two reports may be compared, and whether their difference is chance."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lit.cli.help import HelpfulCommand
from lit.cli.output import emit, emit_json
from lit.errors import InputError

if TYPE_CHECKING:
    from lit.metrics import Paired
    from lit.report import Report


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

    first, second = load(a), load(b)
    seals = compare_seals(first.seal, second.seal)
    result, why, alone = _paired(first, second)
    if as_json:
        found = dataclasses.asdict(result) if result else None
        record = {"seals": dataclasses.asdict(seals), "paired": found, "why": why}
        emit_json(record | ({"only_in_a": alone[0], "only_in_b": alone[1]} if result else {}))
        return
    emit(f"A: {a}: {first.model} on {first.suite}")
    emit(f"B: {b}: {second.model} on {second.suite}")
    emit(seals.sentence)
    for group, rows in seals.differences.items():
        for factor, left, right in rows:
            emit(f"  {group}, {factor}: {left} | {right}")
    emit(result.in_words("A", "B") if result else f"There is no paired test: {why}")
    if any(alone):
        emit(f"Images in one report only, which the test leaves out: {alone[0]:,} in A, {alone[1]:,} in B.")


def _paired(a: "Report", b: "Report") -> "tuple[Paired | None, str, tuple[int, int]]":
    """The test, or why there is none; and images that only one of the two reports has."""
    from lit.report.paired import alone, paired

    try:
        return paired(a, b), "", alone(a, b)
    except InputError as error:
        return None, str(error), (0, 0)
