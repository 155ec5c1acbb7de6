"""`lit classify`: pictures and words to probabilities."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lit.cli.completion import NameOrPath
from lit.cli.help import HelpfulCommand
from lit.cli.model_options import ModelChoice, model_options
from lit.cli.output import check_target, emit_json, emit_renderable, emit_row, for_people
from lit.cli.results import caption_of, classify_files, save_sheet, table_of
from lit.cli.say import say
from lit.errors import ImageError, InputError

if TYPE_CHECKING:
    from lit.zeroshot import ZeroShotClassifier

#: The packaged list that is asked for when no class was named.
_DEFAULT_CLASSES = "everyday"


@click.command(
    cls=HelpfulCommand,
    examples=(
        ("lit classify cat.jpg", "with everyday words"),
        ("lit classify *.jpg --class cat --class dog", "with your words"),
        ("lit classify photos/ --classes words.txt --json", "for programs"),
        ("lit classify photos/ --save sheet.png", "the result as a picture"),
    ),
)
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGES...")
@click.option("-c", "--class", "class_names", multiple=True, metavar="WORD", help="A class; once for each.")
@click.option(
    "--classes",
    type=NameOrPath("classes"),
    metavar="NAME|FILE",
    help=f"A list of classes: a packaged one, or a file with one a line.  [default: {_DEFAULT_CLASSES}]",
)
@click.option(
    "--prompts",
    type=NameOrPath("templates"),
    metavar="NAME|FILE",
    help="The sentences around each class.  [default: the protocol's, or clip-best]",
)
@click.option(
    "--protocol",
    type=click.Choice(["lit-colab", "big-vision", "clip"]),
    help="A published way from words to class embeddings.",
)
@click.option(
    "-k",
    "--top-k",
    type=click.IntRange(min=1),
    metavar="K",
    help="How many classes to show for each picture.  [default: 5]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a picture, for programs.")
@click.option("--table", "as_table", is_flag=True, help="Print the table even where nobody watches, in a log say.")
@click.option(
    "--save", type=click.Path(path_type=Path), metavar="FILE", help="Save a contact sheet: FILE.png, .jpg or .webp."
)
@click.option("--skip-bad", is_flag=True, help="Exit with 0 even if pictures could not be used.")
@model_options
def classify(
    choice: ModelChoice, images: tuple[Path, ...], class_names: tuple[str, ...], classes: str | None,
    prompts: str | None, protocol: str | None, top_k: int | None, as_json: bool, as_table: bool,
    save: Path | None, skip_bad: bool,
) -> None:  # fmt: skip
    """Say what is in pictures, with words of your choice.

    IMAGES are pictures, and folders that are walked. Probabilities are shares among the classes given: one of them is
    presumed right. A terminal gets a table; a pipe gets a line for each class, tab-separated: picture, class,
    probability. A picture that cannot be used is named on standard error, the others are classified, and the exit code
    is 1.
    """
    if class_names and classes:
        raise click.UsageError("--class and --classes exclude each other; write all classes in one way.")
    if as_json and as_table:
        raise click.UsageError("--json and --table exclude each other.")
    as_table = as_table or for_people()
    from lit.images import find_images

    if save is not None:
        from lit import sheet

        check_target(save, sheet.SUFFIXES)
    files = list(dict.fromkeys(find_images(images)))
    classifier = _classifier(choice, list(class_names) or classes or _DEFAULT_CLASSES, prompts, protocol)
    failures: list[ImageError] = []
    stream = classify_files(classifier, files, top_k=top_k, failures=failures,
                            batch_size=choice.batch_size, progress=not choice.quiet)  # fmt: skip
    results = []
    for result in stream:
        if as_json:
            emit_json({"image": str(result.path), "top": [label.as_json() for label in result.top]})
        elif not as_table:
            for label in result.top:
                emit_row(result.path, label.name, f"{label.probability:.4f}")
        results.append(result)
    if results and as_table and not as_json:
        emit_renderable(table_of(results, caption_of(classifier)))
    if save is not None and results:
        size = save_sheet(save, results, classifier)
        if not choice.quiet:
            say(f"saved {save} ({size[0]} x {size[1]} pixels)")
    _report_bad(files, failures, skip_bad)


def _classifier(
    choice: ModelChoice, classes: list[str] | str, prompts: str | None, protocol: str | None
) -> "ZeroShotClassifier":
    from lit.prompts import PromptSet, load_classes

    # A wrong name is said at once, not after a model was loaded or even fetched.
    if isinstance(classes, str):
        load_classes(classes)
    sentences = PromptSet.load(prompts) if prompts is not None else None
    model = choice.load()
    from lit.zeroshot import ZeroShotClassifier

    return ZeroShotClassifier(model, classes, prompts=sentences, protocol=protocol, progress=not choice.quiet)


def _report_bad(files: list[Path], failures: list[ImageError], skip_bad: bool) -> None:
    """One line for each picture that cannot be used; the last is the error."""
    lines = [f"{files[error.index or 0]}: {error.reason}" for error in failures]
    if skip_bad:
        for line in lines:
            say(f"left out {line}")
    elif lines:
        for line in lines[:-1]:
            say(f"error: {line}")
        raise InputError(lines[-1])
