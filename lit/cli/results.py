"""What `lit classify` found, and how it is shown: as a table in a terminal, and as a contact sheet."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit.cli.output import replacing
from lit.errors import ImageError, InputError

if TYPE_CHECKING:
    from lit.zeroshot import ZeroShotClassifier

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


@dataclasses.dataclass(frozen=True)
class Label:
    """A class of a picture: its name, its probability in [0, 1], and the inner product with the picture."""

    name: str
    probability: float
    similarity: float

    def as_json(self) -> dict[str, Any]:
        """As programs get it."""
        return {"class": self.name, "probability": self.probability, "similarity": self.similarity}


@dataclasses.dataclass(frozen=True)
class Result:
    """What was found in a picture, best first."""

    path: Path
    top: tuple[Label, ...]


def classify_files(
    classifier: "ZeroShotClassifier",
    files: Sequence[Path],
    *,
    top_k: int | None,
    failures: list[ImageError],
    batch_size: int | None = None,
    progress: bool = False,
) -> Iterator[Result]:
    """The results in order, a batch at a time.

    Args:
      classifier: says the classes.
      files: the pictures.
      top_k: how many classes; None for five, or all if there are fewer.
      failures: takes the errors of pictures that cannot be used; `index` is the place in `files`.
      batch_size, progress: as for `Model.embed_images`.

    Raises:
      InputError: `top_k` is more than there are classes.
    """
    classes = len(classifier.class_names)
    if top_k is not None and top_k > classes:
        raise InputError(f"--top-k is {top_k}, and there are {classes} classes; ask for {classes} or fewer.")
    k = top_k or min(5, classes)
    stream = classifier.model.iter_images(files, batch_size=batch_size, failures=failures, progress=progress)
    for index, zimg in stream:
        columns = (values.tolist() for values in (index, *classifier.ranked(zimg, k)))
        for i, best, probability, similarity in zip(*columns, strict=True):
            named = zip((classifier.class_names[c] for c in best), probability, similarity, strict=True)
            yield Result(files[i], tuple(Label(*label) for label in named))


def caption_of(classifier: "ZeroShotClassifier") -> str:
    """One line: who said so."""
    return f"{classifier.model.name} · {len(classifier.class_names)} classes · prompts {classifier.prompts.name}"


def table_of(results: Sequence[Result], caption: str) -> Any:
    """A rich table: each picture with its classes, probabilities and bars."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left", pad_edge=False, show_edge=False)
    table.add_column("picture", overflow="fold")
    table.add_column("class", overflow="fold")
    table.add_column("probability", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for result in results:
        for rank, label in enumerate(result.top):
            style, colour = ("bold", "blue") if rank == 0 else ("", "bright_black")
            table.add_row(
                Text(str(result.path)) if rank == 0 else "",
                Text(label.name, style),
                Text(f"{label.probability:.1%}".replace("%", " %"), style),
                Text(bar(label.probability), colour),
                end_section=rank == len(result.top) - 1,
            )
    return table


def bar(share: float, width: int = 16) -> str:
    """A bar of block characters for a share in [0, 1], an eighth of a character exact."""
    eighths = round(share * width * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def save_sheet(path: Path, results: Sequence[Result], classifier: "ZeroShotClassifier") -> tuple[int, int]:
    """Saves a contact sheet, whole or not at all; returns its width and height in pixels.

    Raises:
      OutputError: the system refused to write.
    """
    from PIL import Image

    from lit.images import decode
    from lit.sheet import MOST, Tile, contact_sheet

    tiles = []
    for result in results[:MOST]:
        picture = Image.fromarray(decode(result.path, classifier.model.config.preprocess))
        tiles.append(Tile(picture, result.path.name, tuple((label.name, label.probability) for label in result.top)))
    more = f" · the first {MOST} of {len(results)} pictures" if len(results) > MOST else ""
    page = contact_sheet(tiles, footer=caption_of(classifier) + more)
    with replacing(path) as temporary:
        page.save(temporary, format=_FORMATS[path.suffix.lower()], quality=90)
    return page.size
