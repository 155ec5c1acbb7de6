"""Licences travel with weights: what a model inherits from the saved models that it was made of."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path


def inherited(image: Sequence[Path], text: Sequence[Path]) -> dict[str, Path]:
    """Name -> file, of both sides.

    Files of one name and one content are one.  Where the contents differ, the text side's has another name:
    "NOTICE-text.md", and a number where that, too, is another file.

    Args:
      image, text: the files of each side.
    """
    kept = {path.name: path for path in image}
    for path in text:
        name = next(n for n in _names(path) if n not in kept or kept[n].read_bytes() == path.read_bytes())
        kept[name] = path
    return kept


def _names(path: Path) -> Iterator[str]:
    """What a file of the text side may be called, the best first."""
    yield path.name
    yield f"{path.stem}-text{path.suffix}"
    for number in itertools.count(2):
        yield f"{path.stem}-text-{number}{path.suffix}"
