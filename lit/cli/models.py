"""`lit models`: the table of models, and their cards."""

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from lit.cli.completion import NameOrPath
from lit.cli.help import HelpfulCommand
from lit.cli.output import emit, emit_json, emit_renderable, emit_row, for_people

if TYPE_CHECKING:
    from lit.config import ImageTowerConfig, LiTConfig, TextTowerConfig
    from lit.zoo import ReleasedModel


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """A model in the table.

    Attributes:
      name: what `--model` takes.
      image, text: the towers.
      dim: width of the shared space.
      parameters: how many.
      published: metric -> value in [0, 1], the first source of each.
      files: "embedded", "cached" or "not here".
      licence: of the weights (SPDX).
    """

    name: str
    image: str
    text: str
    dim: int
    parameters: int
    published: dict[str, float]
    files: str
    licence: str


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
        emit_renderable(_table(rows))
    else:
        for row in rows:
            accuracy = _first(row.published)
            emit_row(row.name, row.image, row.text, row.dim, row.parameters, accuracy, row.files, row.licence)


def row_of(name: str | None) -> Row:
    """What the table says of a model; its weights are not read.

    Raises:
      UnknownNameError: there is no such model.
    """
    from lit import zoo
    from lit.cli import saved

    folder = saved.saved_model(name)
    if folder is None:
        return _released(zoo.find(str(name)))
    return Row(
        name=name or zoo.EMBEDDED,
        **_shape(saved.saved_config(folder)),
        parameters=saved.parameter_count(folder),
        published={},
        files="embedded" if name in (None, zoo.EMBEDDED) else "here",
        licence="see card",
    )


def _released(model: "ReleasedModel") -> Row:
    from lit import files

    published: dict[str, float] = {}
    for number in model.published:
        published.setdefault(number.metric, number.value)
    here = all(files.cached(file) is not None for file in (model.weights, model.vocab))
    return Row(
        name=model.name,
        **_shape(model.config),
        parameters=model.parameter_count,
        published=published,
        files="cached" if here else "not here",
        licence=model.licence,
    )


def _shape(config: "LiTConfig") -> dict[str, Any]:
    return {"image": image_tower(config.image), "text": text_tower(config.text), "dim": config.dim}


def card_of(name: str | None) -> str:
    """A model's card (Markdown).

    Raises:
      UnknownNameError: there is no such model.
    """
    from lit import zoo
    from lit.cli import saved

    folder = saved.saved_model(name)
    return zoo.find(str(name)).card() if folder is None else saved.saved_card(folder)


#: Sizes by width; the papers' words (see `lit.config`).
_SIZES = {192: "Ti", 384: "S", 768: "B", 1024: "L", 1280: "H", 1408: "g"}


def image_tower(config: "ImageTowerConfig") -> str:
    """The usual name of an image tower: "ViT-B/16"."""
    if config.kind == "vit":
        return f"ViT-{_SIZES.get(config.width, config.width)}/{config.patch_size}"
    return "EfficientNet-Lite" + ("0" if config.width_coefficient == config.depth_coefficient == 1 else "")


def text_tower(config: "TextTowerConfig") -> str:
    """The usual name of a text tower: "BERT base"."""
    if config.kind == "bert":
        return "BERT " + {768: "base", 1024: "large"}.get(config.width, f"{config.depth}x{config.width}")
    return f"text transformer {_SIZES.get(config.width, config.width)}"


def _first(published: dict[str, float]) -> str:
    for metric, value in published.items():
        return f"{metric.removesuffix(' zero-shot top-1')} {value:.1%}"
    return "-"


def _table(rows: list[Row]) -> Any:
    from rich import box
    from rich.table import Table

    caption = "Published accuracy is zero-shot top-1. `lit models NAME` prints a card, sources included."
    table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left", pad_edge=False)
    table.add_column("model", style="bold", overflow="fold")
    for column in ("image tower", "text tower"):
        table.add_column(column, overflow="fold")
    table.add_column("dim", justify="right")
    table.add_column("parameters", justify="right")
    for column in ("accuracy", "files", "licence"):
        table.add_column(column)
    for row in rows:
        accuracy = "see card" if row.files in ("embedded", "here") else _first(row.published)
        millions = f"{row.parameters / 1e6:,.0f} M"
        table.add_row(row.name, row.image, row.text, str(row.dim), millions, accuracy, row.files, row.licence)
    return table
