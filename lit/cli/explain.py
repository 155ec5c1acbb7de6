"""`lit explain-text`: what a text tower sees of a text."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lit.cli.help import HelpfulCommand
from lit.cli.model_options import tokenizer_options
from lit.cli.output import emit, emit_json, emit_row, for_people
from lit.errors import CheckpointNotFoundError

if TYPE_CHECKING:
    from lit.tokenizers import Explanation, Tokenizer


@click.command(
    "explain-text",
    cls=HelpfulCommand,
    examples=(
        ('lit explain-text "a photo of a cat"', "its pieces and their ids"),
        ('lit explain-text --model LiT-B16B_2 "..."', "as a released model cuts it"),
    ),
)
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a text, for programs.")
@tokenizer_options
def explain_text(texts: tuple[str, ...], as_json: bool, model: str | None, vocab: Path | None, offline: bool) -> None:
    """Show how TEXT becomes pieces and ids, and what is cut off.

    A model reads a fixed number of pieces; what comes after them it does not see. Weights are not needed for this, and
    not fetched.
    """
    tokenizer = open_tokenizer(model, vocab=vocab, offline=offline)
    for i, text in enumerate(texts):
        explanation = tokenizer.explain(text)
        if as_json:
            emit_json(dataclasses.asdict(explanation))
        elif for_people():
            emit(("\n" if i else "") + str(explanation))
        else:
            _emit_plainly(explanation)


def _emit_plainly(explanation: "Explanation") -> None:
    """A line for each piece: piece, id, and whether the model sees it."""
    for piece, number in list(zip(explanation.pieces, explanation.ids, strict=True))[: explanation.used]:
        emit_row(piece, number, "kept")
    for piece in explanation.cut:
        emit_row(piece, "", "cut")


def open_tokenizer(model: str | None, *, vocab: Path | None, offline: bool) -> "Tokenizer":
    """A model's tokenizer without its weights."""
    from lit import files, tokenizers, zoo
    from lit.cli.saved import saved_config, saved_model

    folder = saved_model(model)
    if folder is not None:
        config = saved_config(folder).tokenizer
        place = vocab or folder / config.vocab
    else:
        released = zoo.find(str(model))
        config = released.config.tokenizer
        place = vocab or files.fetch(released.vocab, offline=offline or None)
    if not place.is_file():
        raise CheckpointNotFoundError(f"{place} is not a file; check the path of the vocabulary.")
    return tokenizers.load_tokenizer(config, place)
