"""Lists of class names."""

from pathlib import Path

from lit.errors import PromptError
from lit.prompts import lists

_ARROW, _OR = "=>", "|"


def load_classes(name_or_path: str | Path) -> tuple[str, ...] | dict[str, tuple[str, ...]]:
    """Loads a published list of class names by name, or your own from a text file with one name per line.

    A line `crane => crane bird | sandhill crane` gives a class several texts that stand for it; a class without an
    arrow stands for itself.

    Returns:
      The names, in the file's order, with its duplicates (the published ImageNet list has two); or, if any line has an
      arrow, name -> texts, in order.

    Raises:
      UnknownNameError: no such list.
      PromptError: the file cannot be read or is empty; or, with arrows, a name is there twice or has no text.
    """
    found = lists.read(lists.find(name_or_path, folder="classes", kind="class list"))
    if not any(_ARROW in entry for _, entry in found.entries):
        return tuple(entry for _, entry in found.entries)
    classes: dict[str, tuple[str, ...]] = {}
    for line, entry in found.entries:
        name, texts = _parse(entry, f"{found.path}, line {line}")
        if name in classes:
            raise PromptError(
                f"{found.path}, line {line}: class {name!r} is there twice; write all its texts in one line."
            )
        classes[name] = texts
    return classes


def _parse(entry: str, where: str) -> tuple[str, tuple[str, ...]]:
    name, arrow, rest = (part.strip() for part in entry.partition(_ARROW))
    texts = tuple(text.strip() for text in rest.split(_OR)) if arrow else (name,)
    if not name or not all(texts):
        raise PromptError(f"{where}: {entry!r} lacks a name or a text; write it as 'name {_ARROW} text {_OR} text'.")
    return name, texts


def class_lists() -> tuple[str, ...]:
    """The names of the published class lists."""
    return tuple(lists.packaged("classes"))
