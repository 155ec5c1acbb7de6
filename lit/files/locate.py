"""Finds a published file: in the cache, or at the first address that gives it.

Written on urllib3 rather than taken from pooch, huggingface_hub or fsspec: none of them has resumption, checksums held
from the first use and an ordered list of mirrors together, and each brings what this package would have to work around.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from lit.errors import CheckpointError, CheckpointNotFoundError, ChecksumError
from lit.files.addresses import Address, parse
from lit.files.part import Part, writing
from lit.files.settings import Network, cache_directory, config_path, offline_because, switched_on, user_mirrors
from lit.files.verify import FailedError, complaint_about, complaint_about_end, held, hold, judge, record_of
from lit.zoo import BUCKET, BUCKET_NOTE, FileRef

_PATIENT = Network()


class _WrongChecksumError(FailedError):
    """An address that gives another file than the published one, or the one of the first use."""


def cached(file: FileRef, *, cache_dir: Path | None = None) -> Path | None:
    """Where a file lies in the cache, or None; looks at nothing but whether it is there."""
    target = _target(file, cache_dir)
    return target if target.is_file() else None


def fetch(
    file: FileRef,
    *,
    offline: bool | None = None,
    cache_dir: Path | None = None,
    progress: bool = True,
    network: Network = _PATIENT,
) -> Path:
    """A published file on this machine, complete and with the right checksum.

    Args:
      file: from `lit.zoo`.
      offline: True never touches the network; None asks LIT_OFFLINE.
      cache_dir: instead of `cache_directory() / "models"`.
      progress: show downloads on standard error.
      network: patience.

    Raises:
      CheckpointNotFoundError: no place has it; the message lists every place tried, and the ways on.
      ChecksumError: the file is not the published one, or not the one of the first use.
      ConfigError: LIT_MIRRORS or the configuration file cannot be understood.
      OutputError: the cache cannot be written; what has arrived is kept for the next attempt.
    """
    target = _target(file, cache_dir)
    if target.is_file():  # before any lock: a cache may be complete and read-only
        return _from_cache(target, file)
    offline_reason = offline_because(offline)
    tried = [(str(target), "not there")]
    wrong_checksum = False
    for address in _addresses(file):
        try:
            if address.local is not None:
                return _from_disk(address.local, file, target)
            _require_online(address, offline_reason)
            return _from_network(address, file, target, network=network, progress=progress)
        except FailedError as failed:
            denied = "403" in str(failed) and address.shown.startswith(BUCKET)
            tried.append((address.shown, f"{failed} ({BUCKET_NOTE})" if denied else str(failed)))
            wrong_checksum |= isinstance(failed, _WrongChecksumError)
    raise _nowhere(file, target, tried, wrong_checksum)


def _target(file: FileRef, cache_dir: Path | None) -> Path:
    return (cache_directory() / "models" if cache_dir is None else cache_dir) / file.name


def _addresses(file: FileRef) -> list[Address]:
    """The user's mirrors, then the table's, each once."""
    unique: dict[tuple[Path | None, str], Address] = {}
    for address in [*user_mirrors(file.name), *(parse(mirror, said_in=file.name) for mirror in file.mirrors)]:
        unique.setdefault((address.local, address.url), address)
    return list(unique.values())


def _require_online(address: Address, offline_reason: str) -> None:
    if not offline_reason and address.hub and switched_on("HF_HUB_OFFLINE"):
        offline_reason = "HF_HUB_OFFLINE is set"
    if offline_reason:
        raise FailedError(f"not tried: {offline_reason}")


def _from_cache(target: Path, file: FileRef) -> Path:
    """A file that was fetched before.  It is hashed at every use, which takes under a second per gigabyte."""
    digest, wrong = judge(target, file, target)
    if wrong:
        keep = (
            f"pass it as {_argument(file)}= if it is the one that you want"
            if file.sha256
            else f"delete {record_of(target)} if the present content is the right one"
        )
        raise ChecksumError(
            f"{target} is not what it was: {wrong}. "
            f"Delete {target} and run the same command again to fetch it anew, or {keep}."
        )
    if file.sha256 is None and held(target) is None:
        # A kill came between landing and recording, or somebody put the file here; a read-only cache stays as it is.
        with contextlib.suppress(OSError):
            hold(target, digest)
    return target


def _from_disk(path: Path, file: FileRef, target: Path) -> Path:
    """A file in a folder of the user's: used where it lies, and held to what is known of it."""
    if not path.is_file():
        raise FailedError("not there")
    try:
        with path.open("rb") as content:
            complaint = complaint_about(content.read(512), file)
        complaint = complaint or complaint_about_end(path, file)
        wrong = judge(path, file, target)[1]
    except OSError as error:
        raise FailedError(f"it cannot be read: {error.strerror or error}") from error
    if complaint:
        raise FailedError(complaint)
    if wrong:
        raise _WrongChecksumError(wrong)
    return path


def _from_network(address: Address, file: FileRef, target: Path, *, network: Network, progress: bool) -> Path:
    with _locked(target, progress):
        if target.is_file():  # another process was faster
            return _from_cache(target, file)
        part = Part(target)
        resumed = part.resumable(address.url)[0] > 0
        try:
            digest = _complete(address, file, part, network, progress)
        except FailedError:
            if part.size or not resumed:
                raise
            # What lay on the disk may have been at fault, not the server: once more from the beginning.
            digest = _complete(address, file, part, network, progress)
        part.land()
        if file.sha256 is None:
            with writing(target):
                hold(target, digest)
    return target


def _complete(address: Address, file: FileRef, part: Part, network: Network, progress: bool) -> str:
    """Downloads the whole into the part and judges it; what is wrong is discarded.  Returns the checksum."""
    from lit.files.download import download  # with urllib3, which nobody needs whose files are in the cache

    download(address, part, complaint=lambda first: complaint_about(first, file), network=network, progress=progress)
    if complaint := complaint_about_end(part.path, file):
        part.discard()
        raise FailedError(complaint)
    digest, wrong = judge(part.path, file, part.target)
    if wrong:
        part.discard()
        raise _WrongChecksumError(wrong)
    return digest


@contextlib.contextmanager
def _locked(target: Path, progress: bool) -> Iterator[None]:
    """One process at a time per file; the system takes the lock from a process that was killed."""
    import filelock  # slow to import, and a complete cache needs no lock

    lock = filelock.FileLock(target.with_name(f"{target.name}.lock"))
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            if progress:
                print(f"another process is downloading {target.name}; waiting for it", file=sys.stderr, flush=True)
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _argument(file: FileRef) -> str:
    return "weights" if file.kind == "npz" else "vocab"


def _nowhere(file: FileRef, target: Path, tried: list[tuple[str, str]], wrong_checksum: bool) -> CheckpointError:
    """Every place and why it failed, then the ways on."""
    places = ";\n".join(f"  {place}: {why}" for place, why in tried)
    ways_on = (
        f"Two ways on: pass the file, if you have it, as {_argument(file)}=; or name a place that has it, "
        f"LIT_MIRRORS=<folder or address> or [mirrors] in {config_path()}."
    )
    if not wrong_checksum:
        return CheckpointNotFoundError(f"{file.name} is in none of {len(tried)} places:\n{places}.\n{ways_on}")
    if file.sha256 is None:
        ways_on += f" If the file was published anew, delete {record_of(target)}."
    return ChecksumError(f"{file.name} was found, but not with its checksum:\n{places}.\n{ways_on}")
