"""What changes when stored files do, without reading them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def fingerprint(files: Iterable[tuple[str, int, int]], **what: Any) -> str:
    """A SHA-256 over files and what is read from them.

    Args:
      files: (name, size in bytes, time of the last change in any unit), in the order of the dataset.
      what: further things that decide the examples; anything that JSON can write.
    """
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode())
    for name, size, changed in files:
        digest.update(f"\0{len(name)} {name} {size} {changed}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def content_key(files: Iterable[tuple[str, int, int]], **what: Any) -> str:
    """The same without the times, which differ between copies; names should be relative to the root."""
    return fingerprint(((name, size, 0) for name, size, _ in files), **what)


def local_file(path: Path, name: str) -> tuple[str, int, int]:
    """A file of this machine, as `fingerprint` takes it.

    Raises:
      OSError: there is no such file.
    """
    status = path.stat()
    return name, status.st_size, status.st_mtime_ns


def versions(*distributions: str) -> Mapping[str, str]:
    """The installed versions of those distributions that are there."""
    found = {}
    for name in distributions:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
