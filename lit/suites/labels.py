"""What a dataset calls its classes, line by line beside a class list."""

from pathlib import Path

from lit import resources
from lit.errors import PromptError, UnknownNameError
from lit.prompts import lists

_OR = " | "


def load_labels(name_or_path: str | Path) -> tuple[tuple[str, ...], ...]:
    """Loads the label names of a dataset: for each class, in order, the names it is known by.

    A line holds one name, or several, with ` | ` between, where versions of the dataset differ.

    Raises:
      UnknownNameError: no such list.
      PromptError: the file cannot be read or is empty, or a name is there twice.
    """
    found = lists.read(_find(name_or_path))
    labels = tuple(tuple(name.strip() for name in entry.split(_OR)) for _, entry in found.entries)
    first: dict[str, int] = {}
    for (line, _), names in zip(found.entries, labels, strict=True):
        for name in names:
            if not name:
                raise PromptError(f"{found.path}, line {line}: a name is empty; write 'name{_OR}other name'.")
            if name in first:
                raise PromptError(
                    f"{found.path}, line {line}: label {name!r} is in line {first[name]}, too; a label belongs to one "
                    "class."
                )
            first[name] = line
    return labels


def label_lists() -> tuple[str, ...]:
    """The names of the published lists of labels."""
    return tuple(_packaged())


def _packaged() -> dict[str, Path]:
    folder = resources.directory("suites") / "labels"
    return {path.stem: path for path in sorted(folder.glob("*.txt"))}


def _find(name_or_path: str | Path) -> Path:
    known = _packaged()
    if isinstance(name_or_path, str) and name_or_path in known:
        return known[name_or_path]
    path = Path(name_or_path)
    if path.is_file():
        return path
    raise UnknownNameError("list of labels", str(name_or_path), known, hint="A path to a text file works too.")
