"""Datasets that TensorFlow Datasets has prepared, through tf.data or without TensorFlow."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from lit.datasets import guest
from lit.datasets.features import Decoder, Wanted
from lit.datasets.fingerprint import content_key, fingerprint, local_file, versions
from lit.datasets.info import read_info
from lit.datasets.prepared import find_prepared, read_json, reading, refuse_another
from lit.datasets.random_records import RandomRecords
from lit.datasets.record import Example
from lit.datasets.records import Piece, array_records, places, record_id, tf_records
from lit.errors import DatasetError, MissingExtraError

Reader = Literal["auto", "tf", "data-source"]

_FORMAT = {"tf": "tfrecord", "data-source": "array_record"}


def tfds_dataset(
    name: str,
    *,
    split: str | None = None,
    data_dir: str | Path | None = None,
    reader: Reader = "auto",
    image: str = "image",
    label: str = "label",
    identity: str = "",
    captions: str = "",
) -> "TfdsDataset":
    """Opens a prepared dataset; nothing is downloaded, and no picture is read.

    Args:
      name: "cifar10", "imagenet_v2/matched-frequency", "cifar10:3.0.2"; see `find_prepared`.
      split: as tfds writes it: "test", "test[:500]", "train+test"; None: the only one.
      data_dir: where it was prepared; see `find_prepared`.
      reader: "tf" reads TFRecord files through tf.data, "data-source" ArrayRecord files without TensorFlow; "auto"
        takes what the files are, the latter if both are there.
      image, label, identity, captions: the features, nested ones by path ("captions/text").  Of a video: its middle
        frame, see `middle_frame`.  No `label`: the examples have none.  No `identity`: tfds's own id (`tfds_id`).

    Raises:
      DatasetError: it is not prepared; no such split or feature; files are missing; the split is empty.
      MissingExtraError: what reads the files is not installed.
    """
    directory = find_prepared(name, data_dir)
    return TfdsDataset(directory, name, split, reader, Wanted(image, label, identity, captions))


class TfdsDataset:
    """A split of a prepared dataset; `tfds_dataset` opens one.  See `lit.datasets.Dataset`."""

    def __init__(self, directory: Any, name: str, split: str | None, reader: Reader, wanted: Wanted) -> None:
        said = read_json(directory / "dataset_info.json")
        self._reader, stored = _reader_for(said, reader, f"{name} in {directory}")
        info = read_info(directory, stored)
        refuse_another(directory, name, info)
        config = f"/{info.config_name}" if info.config_name else ""
        self.name = f"{info.name}{config}:{info.version}"
        self.split = split if split is not None else _only_split(self.name, list(info.splits))
        self._pieces = _pieces(info.splits, self.name, self.split)
        self._random = RandomRecords(self._pieces)
        self._decode = Decoder(info.features, wanted, self.name)
        self.label_names: tuple[str, ...] | None = self._decode.label_names
        self._identity = bool(wanted.identity)
        self.fingerprint = fingerprint(
            _stored_files(self._pieces, directory),
            kind="tfds",
            name=self.name,
            split=self.split,
            pieces=[(p.name, p.skip, p.take) for p in self._pieces],
            features=wanted.paths(),
            label_names=self.label_names,
        )
        self.content_key = content_key(
            _split_sizes(info.splits, self._pieces),
            kind="tfds",
            name=self.name,
            split=self.split,
            pieces=[(p.skip, p.take) for p in self._pieces],
            features=wanted.paths(),
            label_names=self.label_names,
        )
        library = versions("tensorflow", "tensorflow-cpu") if self._reader == "tf" else versions("array-record")
        self.description: Mapping[str, str] = {
            "dataset": f"{self.name}, split {self.split}",
            "source": "tfds",
            "storage": _FORMAT[self._reader],
            "reader": "tf.data" if self._reader == "tf" else "data source",
            "reader versions": ", ".join(f"{k} {v}" for k, v in {**library, **versions("tensorflow-datasets")}.items()),
        }

    def __repr__(self) -> str:
        return f"<lit TfdsDataset {self.name}, split {self.split}, {len(self)} examples, {self._reader}>"

    def __len__(self) -> int:
        return sum(piece.take for piece in self._pieces)

    def examples(self, shard: int = 0, shards: int = 1) -> Iterator[Example]:
        """The examples of one shard in order; see `lit.datasets.Dataset`.

        Raises:
          DatasetError: a file is damaged, or an example is not what the features promise.
        """
        read = tf_records if self._reader == "tf" else array_records
        at = places(self._pieces, shard, shards)
        for (piece, position), record in zip(at, read(self._pieces, shard, shards), strict=True):
            yield self._example(record_id(piece, position), record)

    @property
    def random_access(self) -> bool:
        """Whether `example` can: ArrayRecord files have an index, TFRecord files have none."""
        return self._reader == "data-source"

    def example(self, position: int) -> Example:
        """See `lit.datasets.RandomAccess`."""
        if not self.random_access:
            raise DatasetError(
                f"{self.name} is stored as tfrecord, which can be read in order only. Prepare it as array_record "
                f"(`tfds build {self.name.partition(':')[0]} --file_format=array_record`), or read it in order."
            )
        return self._example(record_id(*self._random.place(position)), self._random.read(position))

    def _example(self, place: str, record: bytes) -> Example:
        try:
            values = self._decode(record)
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"{self.name}, example {place}: {error}. Prepare the dataset anew.") from error
        if not all(0 <= n < len(self.label_names or ()) for n in values.labels if self.label_names or n < 0):
            known = f"{len(self.label_names)} label names" if self.label_names else "no label names"
            raise DatasetError(f"{self.name}, example {place}: label {values.labels} with {known}.")
        return Example(values.identity if self._identity else place, values.image, values.labels, values.texts)


def _reader_for(info: dict[str, Any], reader: Reader, of: str) -> tuple[Literal["tf", "data-source"], str]:
    """Which reader, and the format that it reads; from what dataset_info.json says is there."""
    there = [info.get("fileFormat") or "tfrecord", *info.get("alternativeFileFormats", ())]
    if reader != "auto" and _FORMAT[reader] not in there:
        other = "".join(f"; reader={r!r} reads it" for r, f in _FORMAT.items() if f in there)
        raise DatasetError(f"{of} is stored as {' and '.join(there)}, not as {_FORMAT[reader]}{other}.")
    arrays, records = "array_record" in there, "tfrecord" in there
    if not (arrays or records):
        raise DatasetError(f"{of} is stored as {' and '.join(there)}; lit reads tfrecord and array_record.")
    wanted_array = reader == "data-source" or (
        reader == "auto" and arrays and (guest.has("array_record") or not records)
    )
    if wanted_array:
        if not guest.has("array_record"):
            raise MissingExtraError(f"{of}, stored as array_record,", "arrayrecord")
        return "data-source", "array_record"
    if not guest.has("tensorflow"):
        raise MissingExtraError(f"{of}, stored as tfrecord,", "tfds")
    return "tf", "tfrecord"


def _only_split(name: str, splits: list[str]) -> str:
    if len(splits) != 1:
        raise DatasetError(f"{name} has several splits; name one: {', '.join(splits) or 'none is there'}.")
    return splits[0]


def _pieces(splits: Any, name: str, split: str) -> list[Piece]:
    try:
        instructions = splits[split].file_instructions
    except (ValueError, KeyError, AssertionError) as error:
        there = ", ".join(f"{key} ({info.num_examples})" for key, info in splits.items())
        raise DatasetError(f"{name} has no split {split!r}; it has {there}. A part of one: 'test[:500]'.") from error
    pieces = [Piece(os.fspath(i.filename), int(i.skip), int(i.take)) for i in instructions if i.take]
    if not pieces:
        raise DatasetError(f"{name}, split {split!r}: there are no examples in it.")
    return pieces


def _split_sizes(splits: Any, pieces: list[Piece]) -> list[tuple[str, int, int]]:
    """Name with shard lengths, and bytes, of the splits that are read from."""
    read = {piece.path for piece in pieces}
    return [
        (f"{name} {list(info.shard_lengths)}", int(info.num_bytes), 0)
        for name, info in splits.items()
        if any(os.fspath(path) in read for path in info.filepaths)
    ]


def _stored_files(pieces: list[Piece], directory: Any) -> list[tuple[str, int, int]]:
    """Name, size and time of every file that the split is read from."""
    files: dict[str, tuple[str, int, int]] = {}
    missing: dict[str, None] = {}
    with reading(f"the dataset in {directory}"):
        for piece in pieces:
            if piece.name in files or piece.name in missing:
                continue
            try:
                files[piece.name] = _stat(directory, piece.name)
            except FileNotFoundError:
                missing[piece.name] = None
    if missing:
        shown = ", ".join(list(missing)[:3]) + (", ..." if len(missing) > 3 else "")
        raise DatasetError(
            f"{len(missing)} of {len(missing) + len(files)} files are not in {directory}: {shown}. "
            "Copy them, or prepare the dataset anew."
        )
    return list(files.values())


def _stat(directory: Any, name: str) -> tuple[str, int, int]:
    if "://" not in str(directory):
        return local_file(Path(directory) / name, name)
    status = (directory / name).stat()
    return name, int(status.length), int(status.mtime)
