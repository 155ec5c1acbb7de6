"""Is this the file?  Its first bytes, its end, its checksum."""

import hashlib
import os
import re
import zipfile
from pathlib import Path

from lit.zoo import FileRef


class FailedError(Exception):
    """An address that does not give the file; the message says why.  Never leaves `lit.files`."""


def complaint_about(first: bytes, file: FileRef) -> str:
    """What is wrong with a file that begins so; "" where nothing is.

    Servers answer with pages where files should be: login forms, error pages, captive portals.
    """
    if not first:
        return "not the file but nothing at all: 0 bytes"
    text = first[:512].lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head", b"<error")):
        return "not the file but a web page"
    if text.startswith(b"version https://git-lfs"):
        return "not the file but a Git LFS pointer to it"
    if file.kind == "npz" and first[:2] != b"PK"[: len(first)]:
        return f"not an npz file: that begins with b'PK', and this with {first[:8]!r}"
    if file.kind == "sentencepiece" and not first.startswith(b"\n"):
        return f"not a SentencePiece model: that begins with b'\\n', and this with {first[:8]!r}"
    return ""


def complaint_about_end(path: Path, file: FileRef) -> str:
    """What is wrong with a file that seems complete; "" where nothing is.

    A zip archive's directory stands at its end: one cut short has none.
    """
    if file.kind == "npz" and not zipfile.is_zipfile(path):
        return f"an npz file that is cut short: {path.stat().st_size:,} bytes without the directory at its end"
    return ""


def checksum(path: Path) -> str:
    """SHA-256, 64 hex digits."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def record_of(target: Path) -> Path:
    """Where the checksum of a file is kept that has no published one; `sha256sum --check` reads it."""
    return target.with_name(f"{target.name}.sha256")


def held(target: Path) -> str | None:
    """The checksum at first use, or None where there was none."""
    try:
        content = record_of(target).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    found = re.match(r"[0-9a-f]{64}\b", content)
    return found[0] if found else None


def hold(target: Path, digest: str) -> None:
    """Records a checksum, whole or not at all."""
    write_whole(record_of(target), f"{digest}  {target.name}\n")


def write_whole(path: Path, text: str) -> None:
    """Writes a small file so that no moment shows half of it."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def judge(path: Path, file: FileRef, target: Path) -> tuple[str, str]:
    """The SHA-256 of a file, and what is wrong with it, "" where nothing is.

    Args:
      path: the file.
      target: its place in the cache, beside which the checksum of the first use is kept.
    """
    got = checksum(path)
    expected = file.sha256 or held(target)
    if expected in (None, got):
        return got, ""
    called = "published" if file.sha256 else "at first use"
    return got, f"its SHA-256 is {got}, and {called} it was {expected}"
