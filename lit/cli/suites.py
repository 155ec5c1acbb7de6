"""`lit eval suites`: what can be measured."""

import click

from lit.cli.help import HelpfulCommand
from lit.cli.output import emit_json, emit_renderable, emit_row, for_people


@click.command(
    cls=HelpfulCommand,
    examples=(("lit eval suites", "a table"), ("lit eval suites --json", "for programs, with sources")),
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a suite.")
def suites(as_json: bool) -> None:
    """List the suites: dataset, split, protocol, headline metric, published figures."""
    import dataclasses

    from lit.suites import load_suite, suite_names

    found = [load_suite(name) for name in suite_names()]
    if as_json:
        for suite in found:
            emit_json(dataclasses.asdict(suite))
        return
    rows = [
        (
            suite.name,
            suite.dataset or "(your files)",
            suite.split,
            suite.protocol,
            suite.metric,
            ", ".join(f"{e.model} {100 * e.value:.1f}" for e in suite.expected if e.metric == suite.metric),
        )
        for suite in found
    ]
    if not for_people():
        for row in rows:
            emit_row(*row)
        return
    from rich.table import Table

    table = Table()
    for column in ("suite", "tfds", "split", "protocol", "metric", "published, %"):
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    emit_renderable(table)
