"""What a dataset holds, remembered after one complete pass: then a figure needs no pixel."""

import dataclasses
import hashlib
import json
import logging
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64, UInt8

from lit.store.digest import DIGEST

_log = logging.getLogger("lit")
_FAMILY = "lit-dataset-index-"
#: Version 1 also remembered files that could not be read as unusable for ever.
_FORMAT = f"{_FAMILY}2"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatasetIndex:
    """Every example of a dataset, or of one shard, in order.

    Attributes:
      ids: the dataset's names of the usable examples.
      digests: (images, 32) SHA-256 of their content.
      labels, texts: as the dataset gives them.
      positions: (images,) in the dataset.
      excluded: (id, reason) of those that cannot be used.
    """

    ids: tuple[str, ...]
    digests: UInt8[np.ndarray, "images 32"]
    labels: tuple[tuple[int, ...], ...]
    texts: tuple[tuple[str, ...], ...]
    positions: Int64[np.ndarray, "images"]
    excluded: tuple[tuple[str, str], ...]

    def write(self, directory: Path, key: str) -> None:
        """Keeps it, whole or not at all; a cache that cannot be written costs time, not the result."""
        said = {"ids": self.ids, "labels": self.labels, "texts": self.texts, "excluded": self.excluded}
        words = json.dumps(said, ensure_ascii=True).encode()  # ASCII also for file names that are not valid Unicode
        body = words + self.digests.tobytes() + self.positions.astype("<i8").tobytes()
        sizes = {"words": len(words), "images": len(self.ids)}
        head = {"format": _FORMAT, "sha256": _checksum(sizes, body), **sizes}
        path = _path(directory, key)
        scratch = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                scratch.write_bytes(json.dumps(head).encode() + b"\n" + body)
                scratch.replace(path)
            finally:
                scratch.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("the index of the dataset could not be kept in %s (%s)", path.parent, error.strerror or error)

    @classmethod
    def read(cls, directory: Path, key: str) -> "DatasetIndex | None":
        """What `write` kept, or None where there is nothing sound; another version's is none, without a warning."""
        path = _path(directory, key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        try:
            return cls._parsed(content)
        except (ValueError, KeyError, TypeError) as error:
            _log.warning("the index %s is damaged (%s); reading the dataset again", path, error)
            return None

    @classmethod
    def _parsed(cls, content: bytes) -> "DatasetIndex | None":
        line, _, body = content.partition(b"\n")
        head = json.loads(line)
        version = str(head["format"])
        if version != _FORMAT and version.startswith(_FAMILY):
            return None
        words, images = head["words"], head["images"]
        if version != _FORMAT or head["sha256"] != _checksum({"words": words, "images": images}, body):
            raise ValueError("its checksum is wrong")
        said = json.loads(body[:words])
        digests = np.frombuffer(body, np.uint8, images * DIGEST, words).reshape(images, DIGEST)
        return cls(
            ids=tuple(said["ids"]),
            digests=digests,
            labels=tuple(map(tuple, said["labels"])),
            texts=tuple(map(tuple, said["texts"])),
            positions=np.frombuffer(body, "<i8", images, words + images * DIGEST).astype(np.int64),
            excluded=tuple((id, reason) for id, reason in said["excluded"]),
        )


def index_key(**determined_by: Any) -> str:
    """A hash over everything that determines what a pass over a dataset gives: values that JSON can say."""
    return hashlib.sha256(json.dumps(determined_by, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _checksum(sizes: dict[str, int], body: bytes) -> str:
    return hashlib.sha256(json.dumps(sizes).encode() + body).hexdigest()


def _path(directory: Path, key: str) -> Path:
    return directory / "datasets" / f"{key}.index"
