"""A table with a row for each picture: CSV, TSV, JSON lines or Parquet."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lit.datasets.fingerprint import content_key, fingerprint, local_file
from lit.datasets.listed import LOCAL, ListedDataset, class_names_beside, label_number
from lit.datasets.record import Example
from lit.datasets.tables import SUFFIXES as SUFFIXES
from lit.datasets.tables import table_rows
from lit.errors import DatasetError

#: Columns that captions are looked for in, where none is named.
CAPTIONS = ("text", "texts", "caption", "captions")


@dataclasses.dataclass
class _Row:
    where: str
    image: str
    labels: tuple[str | int, ...]
    texts: tuple[str, ...]


def manifest_dataset(
    path: str | Path,
    *,
    image: str = "image",
    label: str = "label",
    captions: str = "",
    identity: str = "id",
    label_names: Sequence[str] | None = None,
    blanks: bool = False,
) -> ListedDataset:
    """Opens a manifest.

    Labels are names or numbers, all of one kind; in CSV, where everything is text, numbers if each of them is one.
    JSON lines and Parquet may give several in a list.  No label: the example is unlabelled.

    Args:
      path: a file that ends in one of `SUFFIXES`; UTF-8.
      image: the column of paths, relative to the manifest.  Whether they exist shows when they are read.
      label, captions, identity: further columns.  No `captions`: one of `CAPTIONS`.  Without an identity, an example is
        named by its path as written.  Rows that agree in identity, picture and labels are one with several captions.
      label_names: in label order; None: the lines of `classnames.txt` beside the manifest, else the names that occur,
        in order of their code points, and none where labels are numbers.
      blanks: empty captions count as captions, "", so that a reader may tell how many there are; and a row may lack the
        column, as JSON lines do where it would be null, as long as another row has it.

    Raises:
      DatasetError: it cannot be read, a column is missing, or a row is not as it should be: which line, and why.
      MissingExtraError: Parquet without pyarrow.
    """
    path = Path(path).expanduser()
    columns = {"image": image, "label": label, "captions": captions, "id": identity}
    rows = _examples(path, columns, blanks)
    names, given = _label_names(path, rows, label_names)
    listed = [
        Example(key, path.parent / row.image, tuple(label_number(n, names, row.where) for n in row.labels), row.texts)
        for key, row in rows.items()
    ]
    pictures = [_picture_file(path.parent, row.image) for row in rows.values()]
    return ListedDataset(
        name=path.name,
        label_names=names,
        fingerprint=fingerprint(
            [local_file(path, path.name), *pictures],
            kind="manifest",
            columns=columns,
            label_names=names,
            **({"blanks": True} if blanks else {}),
        ),
        content_key=content_key(
            [(_below(path.parent, name), size, 0) for name, size, _ in pictures],
            kind="manifest",
            rows=[(_below(path.parent, key), row.labels, row.texts) for key, row in rows.items()],
            label_names=names,
        ),
        description={
            "dataset": f"manifest {path.name!r}",
            "source": LOCAL,
            "storage": path.suffix[1:].lower(),
            "label names": given,
        },
        listed=listed,
    )


def _picture_file(folder: Path, image: str) -> tuple[str, int, int]:
    try:
        return local_file(folder / image, image)
    except OSError:
        return image, -1, -1


def _below(folder: Path, name: str) -> str:
    """A picture's name as seen from the manifest, also where it is written with its whole path."""
    return os.path.relpath(name, folder) if name.startswith("/") else name


def _label_names(
    path: Path, rows: Mapping[str, _Row], asked: Sequence[str] | None
) -> tuple[tuple[str, ...] | None, str]:
    """The names, and in words where they come from."""
    kinds: dict[type, _Row] = {}
    for row in rows.values():
        for label in row.labels:
            kinds.setdefault(type(label), row)
    if len(kinds) > 1:
        raise DatasetError(
            f"labels are names ({kinds[str].where}) and numbers ({kinds[int].where}); make them one kind."
        )
    if asked is not None:
        return tuple(asked), "given"
    if beside := class_names_beside(path.parent):
        return beside, "classnames.txt"
    if str in kinds:
        return tuple(sorted({str(label) for row in rows.values() for label in row.labels})), "the names that occur"
    return None, "none"


def _examples(path: Path, columns: Mapping[str, str], blanks: bool) -> dict[str, _Row]:
    """Identity -> row; rows of one picture with a caption each become one."""
    if path.suffix.lower() not in SUFFIXES:
        raise DatasetError(f"{path} ends in {path.suffix!r}; a manifest ends in {', '.join(SUFFIXES)}.")
    found: dict[str, _Row] = {}
    cells: Mapping[str, Any] = {}
    captioned = False
    for where, cells in table_rows(path):
        captioned = captioned or _captions_in(cells, columns) in cells
        key, row = _row(f"{path}, {where}", cells, columns, blanks)
        before = found.setdefault(key, row)
        if before is row:
            continue
        if not row.texts or (before.image, before.labels) != (row.image, row.labels):
            raise DatasetError(f"{row.where}: {key!r} is there already ({before.where}); name each example once.")
        before.texts += row.texts
    if not found:
        raise DatasetError(f"{path} has no rows.")
    if blanks and not captioned:
        raise DatasetError(f"{path}: no row has a column {columns['captions'] or CAPTIONS[0]!r}; {_there_are(cells)}")
    if path.suffix.lower() in (".csv", ".tsv"):
        _numbers_where_all_are(found.values())
    return found


def _row(where: str, cells: Mapping[str, Any], columns: Mapping[str, str], blanks: bool) -> tuple[str, _Row]:
    texts = _captions_in(cells, columns)
    needed = [columns["image"], *([columns["captions"]] if columns["captions"] and not blanks else [])]
    missing = [name for name in needed if name not in cells]
    if not missing and columns["label"] not in cells and not texts and not blanks:
        missing = [columns["label"] or CAPTIONS[0]]
    if missing:
        raise DatasetError(f"{where}: there is no column {missing[0]!r}; {_there_are(cells)}")
    image = cells[columns["image"]]
    if not isinstance(image, str) or not image:
        raise DatasetError(f"{where}: {columns['image']!r} is {image!r:.60}; it should be the path of a picture.")
    labels, captions = _several(cells.get(columns["label"])), _several(cells.get(texts) if texts else None)
    if blanks:
        captions = ["" if text is None else text for text in captions] or [""]
    for value in labels:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise DatasetError(f"{where}: {columns['label']!r} is {value!r:.60}; a label is a name or a whole number.")
    if not all(isinstance(text, str) for text in captions):
        raise DatasetError(f"{where}: {texts!r} is {cells[texts]!r:.60}; captions are text.")
    key = cells.get(columns["id"])
    return str(image if key in (None, "") else key), _Row(where, image, tuple(dict.fromkeys(labels)), tuple(captions))


def _captions_in(cells: Mapping[str, Any], columns: Mapping[str, str]) -> str:
    """The column that is asked for; or the usual one that a row has, "" for none."""
    return columns["captions"] or next((name for name in CAPTIONS if name in cells), "")


def _there_are(cells: Mapping[str, Any]) -> str:
    return f"there are {', '.join(map(repr, cells))}."


def _several(cell: Any) -> list[Any]:
    if cell is None or cell == "":
        return []
    return cell if isinstance(cell, list) else [cell]


def _numbers_where_all_are(rows: Any) -> None:
    if all(label.isascii() and label.isdigit() for row in rows for label in row.labels):
        for row in rows:
            row.labels = tuple(map(int, row.labels))
