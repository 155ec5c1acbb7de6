"""Datasets whose examples are known before any picture is read."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lit.datasets.record import Example
from lit.errors import DatasetError

#: Beside a manifest or an archive: the label names, line by line.
CLASS_NAMES = "classnames.txt"
#: In a description, the source of what no library has prepared.
LOCAL = "local files"


@dataclasses.dataclass
class ListedDataset:
    """Examples in a list, their pictures as paths.  See `lit.datasets.Dataset`."""

    name: str
    label_names: tuple[str, ...] | None
    fingerprint: str
    content_key: str
    description: Mapping[str, str]
    listed: Sequence[Example] = dataclasses.field(repr=False)
    split: str = "all"
    random_access: bool = True

    def __len__(self) -> int:
        return len(self.listed)

    def examples(self, shard: int = 0, shards: int = 1) -> Iterator[Example]:
        """The examples of one shard in order; whether a picture exists shows when it is decoded."""
        for position in range(shard, len(self.listed), shards):
            yield self.listed[position]

    def example(self, position: int) -> Example:
        """See `lit.datasets.RandomAccess`."""
        return self.listed[position]


def class_names_beside(*folders: Path) -> tuple[str, ...] | None:
    """The lines of the first `classnames.txt` in those folders; None where there is none.

    Raises:
      DatasetError: it cannot be read, is empty, or names a class twice.
    """
    path = next((folder / CLASS_NAMES for folder in folders if (folder / CLASS_NAMES).is_file()), None)
    if path is None:
        return None
    try:
        names = tuple(line.strip() for line in path.read_text(encoding="utf-8").rstrip().splitlines())
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} could not be read: {error}.") from error
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if not names or twice:
        raise DatasetError(
            f"{path} " + (f"names a class twice: {', '.join(map(repr, twice))}." if twice else "is empty.")
        )
    return names


def label_number(label: str | int, names: Sequence[str] | None, where: str) -> int:
    """The number of a label.

    Args:
      label: a number, or one of the names.
      names: in label order; None where only numbers will do.
      where: begins the message.

    Raises:
      DatasetError: the number is out of range, or the name is not among the names.
    """
    if isinstance(label, str):
        if names is None:
            raise DatasetError(f"{where}: the label {label!r} is a name, and no {CLASS_NAMES} gives its number.")
        if label not in names:
            raise DatasetError(f"{where}: the label {label!r} is none of the {len(names)} label names.")
        return names.index(label)
    if label < 0 or (names is not None and label >= len(names)):
        known = f"there are {len(names)} label names (0 to {len(names) - 1})" if names else "labels count from 0"
        raise DatasetError(f"{where}: label {label} is out of range; {known}.")
    return label
