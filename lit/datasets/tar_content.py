"""What the files of a sample in a tar hold."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from lit.datasets.tar_samples import Sample
from lit.errors import DatasetError


def opened(path: Path) -> BinaryIO:
    """A tar, to be read.

    Raises:
      DatasetError: it cannot be.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise DatasetError(f"{path} could not be read: {error}.") from error


def read_member(file: BinaryIO, sample: Sample, extension: str) -> bytes:
    """The content of one file of a sample.

    Raises:
      DatasetError: the tar is cut off, or cannot be read there.
    """
    offset, size = sample.members[extension]
    try:
        file.seek(offset)
        data = file.read(size)
    except OSError as error:
        raise DatasetError(f"{sample.tar} could not be read: {error}.") from error
    if len(data) != size:
        member = f"{sample.key}.{extension}"
        raise DatasetError(f"{sample.tar} is cut off in the member {member!r}: {len(data)} of {size} bytes.")
    return data


def decoded(data: bytes, where: str) -> str:
    """UTF-8 as text.

    Raises:
      DatasetError: it is none.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{where} is not UTF-8: {error}.") from error


def parsed(data: bytes, where: str) -> Mapping[str, Any]:
    """The object in a `.json`; none of its entries where it holds something else.

    Raises:
      DatasetError: it is damaged.
    """
    try:
        said = json.loads(decoded(data, f"{where}: .json"))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{where}: .json is damaged: {error}.") from error
    return said if isinstance(said, dict) else {}


def labels_in(said: Mapping[str, Any], where: str) -> list[str | int]:
    """The labels of a `.json`.

    Raises:
      DatasetError: they are neither numbers nor names.
    """
    labels = _several(said.get("label"))
    if not all(isinstance(n, str | int) and not isinstance(n, bool) for n in labels):
        raise DatasetError(f"{where}: the label in .json is {said['label']!r:.60}; it should be a number or a name.")
    return labels


def captions_in(said: Mapping[str, Any], where: str) -> list[str]:
    """The captions of a `.json`; none where they are null.

    Raises:
      DatasetError: they are no text.
    """
    captions = next((said[name] for name in ("captions", "texts", "caption", "text") if said.get(name)), None)
    if not all(isinstance(text, str) for text in _several(captions)):
        raise DatasetError(f"{where}: the captions in .json are {captions!r:.60}; they should be text.")
    return _several(captions)


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
