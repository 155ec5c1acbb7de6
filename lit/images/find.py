"""Pictures in folders."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from lit.errors import InputError

#: What `find_images` looks for, in any case.
SUFFIXES = (
    ".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm",
    ".ppm", ".tga", ".tif", ".tiff", ".webp",
)  # fmt: skip


def find_images(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Lists pictures.

    Args:
      paths: files, taken whatever their suffix; and folders, walked to any depth for files with one of `SUFFIXES`.
        Hidden files and folders are passed over, a folder that links lead to twice is walked once.

    Returns:
      Paths in the order given, those of a folder sorted by name; none twice.

    Raises:
      InputError: a path does not exist (all such paths are listed), a folder cannot be read, or nothing was found.
    """
    given = [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(p) for p in paths]
    missing = [str(p) for p in given if not p.exists()]
    if missing:
        raise InputError(f"no such file or folder: {', '.join(missing)}.")
    walked: set[tuple[int, int]] = set()
    found: dict[Path, None] = {}
    for path in given:
        found.update(dict.fromkeys(_walk(path, walked) if path.is_dir() else [path]))
    if not found:
        where = ", ".join(map(str, given)) or "an empty list of paths"
        raise InputError(f"no images in {where}; looked for files that end in {' '.join(SUFFIXES)}.")
    return list(found)


def _walk(folder: Path, walked: set[tuple[int, int]]) -> Iterator[Path]:
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in walked:
            return
        walked.add((status.st_dev, status.st_ino))
        entries = [(entry, entry.is_dir()) for entry in sorted(folder.iterdir())]
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be read: {error.strerror}.") from error
    for entry, is_folder in entries:
        if entry.name.startswith("."):
            continue
        if is_folder:
            yield from _walk(entry, walked)
        elif entry.suffix.lower() in SUFFIXES:
            yield entry
