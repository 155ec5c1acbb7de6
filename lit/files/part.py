"""A download under way, on disk: `NAME.part`, and `NAME.part.json`, which says of what it is a part.

The order of writes makes every moment safe to be killed in: bytes are only ever appended to a part whose state names
the very version of the file that they belong to.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from lit.errors import OutputError
from lit.files.verify import write_whole


class Part:
    """The beginning of a file.

    Args:
      target: where the complete file is to land.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self._state = target.with_name(f"{target.name}.part.json")

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def resumable(self, url: str) -> tuple[int, str]:
        """How many bytes of which version of `url` are there: (size, ETag or date); (0, "") where none can be used."""
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
            version = state["version"] if state["url"] == _hashed(url) else ""
        except (OSError, ValueError, KeyError, TypeError):
            version = ""
        return (self.size, version) if version and self.size else (0, "")

    def restart(self, url: str, version: str) -> None:
        """Empties the part, then says of what it will be one; the other order could splice two versions."""
        with writing(self.target):
            self.path.write_bytes(b"")
            write_whole(self._state, json.dumps({"url": _hashed(url), "version": version}))

    def append(self) -> contextlib.AbstractContextManager[IO[bytes]]:
        """The part, open for appending, unbuffered: what was received is on disk whatever happens next."""
        return self.path.open("ab", buffering=0)

    def discard(self) -> None:
        """Forgets everything."""
        self.path.unlink(missing_ok=True)
        self._state.unlink(missing_ok=True)

    def require_room(self, remaining: int) -> None:
        """Raises unless the disk has room for so many more bytes.

        Raises:
          OutputError: it has not.
        """
        free = shutil.disk_usage(self.path.parent).free
        if free < remaining:
            raise OutputError(
                f"no room for {self.target}: {remaining:,} more bytes are needed and the disk has {free:,} left. "
                "Free some space, or set LIT_CACHE to a folder on another disk, and run the same command again."
            )

    def land(self) -> None:
        """Makes the complete part the file, in one step, on disk for good."""
        with writing(self.target):
            with self.path.open("rb+") as content:
                os.fsync(content.fileno())
            self.path.replace(self.target)
            self._state.unlink(missing_ok=True)
            if os.name == "posix":  # elsewhere a directory cannot be opened, and need not be
                folder = os.open(self.target.parent, os.O_RDONLY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)


@contextlib.contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turns a failure to write into one that says where and what to do.

    Raises:
      OutputError: the disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        what_to_do = (
            "Free some space, or set LIT_CACHE to a folder on another disk, and run the same command again: what has "
            "arrived is kept, and the download goes on from there."
            if full
            else "Set LIT_CACHE to a folder that can be written."
        )
        raise OutputError(f"{target} cannot be written: {error.strerror or error}. {what_to_do}") from error


def _hashed(url: str) -> str:
    """A URL may hold a secret; whether it is the same one can be said without it."""
    return hashlib.sha256(url.encode()).hexdigest()
