"""Class embeddings on disk, so that 1000 classes x 80 prompts are embedded once.

An entry's name is a hash over everything that determines it: the model's fingerprint, every text in order, and whether
the means were scaled.  Entries are written whole or not at all, and one that cannot be read is made anew.
"""

import hashlib
import json
import logging
import os
import threading
from collections.abc import Sequence

import numpy as np

from lit.arrays import DAMAGED_NPZ
from lit.files import cache_directory

_log = logging.getLogger("lit")


class ClassCache:
    """The place on disk of one classifier's class embeddings.

    Args:
      fingerprint: of the model.
      texts: for each class all of its texts.
      renormalize: whether the means have unit norm.
      dim: width of an embedding.
    """

    def __init__(self, fingerprint: str, texts: Sequence[Sequence[str]], renormalize: bool, dim: int) -> None:
        determined_by = json.dumps([fingerprint, texts, renormalize], ensure_ascii=True)
        self.path = cache_directory() / "classes" / f"{hashlib.sha256(determined_by.encode()).hexdigest()}.npz"
        self._shape = len(texts), dim

    def read(self) -> np.ndarray | None:
        """The (classes, dim) float32 embeddings, or None where there is no sound entry."""
        try:
            # Opened here: numpy leaves a file that it cannot read to the garbage collector.
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as entry:
                found = entry["embeddings"]  # a zip member: its CRC is checked as it is read
        except FileNotFoundError:
            return None
        except DAMAGED_NPZ as error:
            _log.warning(
                "the cached class embeddings %s cannot be read (%s); embedding the classes again",
                self.path,
                error,
            )
            return None
        if found.dtype != np.float32 or found.shape != self._shape or not np.isfinite(found).all():
            _log.warning("the cached class embeddings %s are damaged; embedding the classes again", self.path)
            return None
        return found

    def write(self, embeddings: np.ndarray) -> None:
        """Writes the entry atomically; a cache that cannot be written costs time, not the result."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # No two write the same file; a kill in the midst leaves a file that nobody reads.
            temporary = self.path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.tmp")
            try:
                with temporary.open("wb") as file:
                    np.savez(file, embeddings=embeddings)
                temporary.replace(self.path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("class embeddings could not be kept in %s (%s)", self.path.parent, error)
