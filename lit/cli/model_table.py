"""What `lit models` says of each model, and how a terminal shows it."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from lit.config import ImageTowerConfig, LiTConfig, TextTowerConfig
    from lit.zoo import ReleasedModel

#: The number that the table shows.
_METRIC = "ImageNet zero-shot top-1"
#: Sizes by width; the papers' words (see `lit.config`).
_SIZES = {192: "Ti", 384: "S", 768: "B", 1024: "L", 1280: "H", 1408: "g"}


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


def accuracy_of(row: Row) -> str:
    """The published number that the table shows, or a dash."""
    value = row.published.get(_METRIC)
    return "-" if value is None else f"{value:.1%}".replace("%", " %")


@dataclasses.dataclass(frozen=True)
class _Column:
    title: str
    cell: Callable[[Row], str]
    justify: Literal["left", "right"] = "left"


def _columns(width: int) -> list[_Column]:
    """What does not fit stands in two lines, or gives way."""
    wide, middle = width >= 116, width >= 76
    columns = [_Column("model", lambda r: r.name)]
    if wide:
        columns += [_Column("image tower", lambda r: r.image), _Column("text tower", lambda r: r.text)]
    elif middle:
        columns += [_Column("towers", lambda r: f"{r.image}\n{r.text}")]
    if middle:
        columns += [_Column("dim", lambda r: str(r.dim), "right")]
    columns += [
        _Column("parameters" if wide else "size", lambda r: f"{r.parameters / 1e6:,.0f} M", "right"),
        _Column("ImageNet", accuracy_of, "right"),
        _Column("files", lambda r: r.files),
    ]
    return columns + ([_Column("licence", lambda r: r.licence)] if wide else [])


def table_of(rows: list[Row], width: int) -> Any:
    """A rich table for a terminal of that many columns."""
    from rich import box
    from rich.table import Table

    caption = "ImageNet: published zero-shot top-1. `lit models NAME` prints a card, with sources."
    table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left", show_edge=False, pad_edge=False)
    columns = _columns(width)
    for column in columns:
        table.add_column(column.title, justify=column.justify, overflow="fold")
    for row in rows:
        table.add_row(*(column.cell(row) for column in columns))
    return table
