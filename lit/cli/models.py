"""`lit models`: the list of models, and their cards."""

import dataclasses

import click

from lit.cli.completion import NameOrPath
from lit.cli.help import HelpfulCommand
from lit.cli.model_table import accuracy_of, row_of, table_of
from lit.cli.output import emit, emit_json, emit_renderable, emit_row, for_people, terminal_width


@click.command(
    cls=HelpfulCommand,
    examples=(
        ("lit models", "what there is, and whether its files are here"),
        ("lit models LiT-L16L", "the card of one model"),
        ("lit models --card", "the card of the embedded model"),
    ),
)
@click.argument("name", required=False, type=NameOrPath("models"), metavar="[NAME|DIR]")
@click.option("--card", is_flag=True, help="Print a model's card: what it is, what it has seen, what was measured.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a model, for programs.")
def models(name: str | None, card: bool, as_json: bool) -> None:
    """List the models, or print the card of one."""
    if name is None and not card:
        _list(as_json)
    elif as_json:
        emit_json(dataclasses.asdict(row_of(name)) | {"card": card_of(name)})
    elif for_people():
        from rich.markdown import Markdown

        emit_renderable(Markdown(card_of(name)))
    else:
        emit(card_of(name).rstrip("\n"))


def _list(as_json: bool) -> None:
    from lit import zoo

    rows = [row_of(name) for name in zoo.names()]
    if as_json:
        for row in rows:
            emit_json(dataclasses.asdict(row))
    elif for_people():
        emit_renderable(table_of(rows, terminal_width()))
    else:
        for row in rows:
            accuracy = accuracy_of(row)
            emit_row(row.name, row.image, row.text, row.dim, row.parameters, accuracy, row.files, row.licence)


def card_of(name: str | None) -> str:
    """A model's card (Markdown).

    Raises:
      UnknownNameError: there is no such model.
      CheckpointError: the folder holds none.
    """
    from lit import zoo
    from lit.cli import saved

    folder = saved.saved_model(name)
    if folder is None:
        return zoo.find(str(name)).card()
    saved.saved_config(folder)  # or else it is no model
    return saved.saved_card(folder)
