"""One file over http(s), into a `Part`: resumed, retried, checked for length."""

import itertools
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

import urllib3
from urllib3.exceptions import InvalidHeader

from lit.files.addresses import Address
from lit.files.part import Part, writing
from lit.files.settings import Network
from lit.files.verify import FailedError
from lit.files.web import InterruptedTransferError, answer, errors_told
from lit.progress import progress as show_progress

_CHUNK = 1 << 17
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
_MEANING = {401: "not authorised", 403: "access denied", 404: "no such file", 410: "gone"}


def download(
    address: Address, part: Part, *, complaint: Callable[[bytes], str], network: Network, progress: bool
) -> None:
    """Leaves the whole file in `part`, which stays where it is, ready to be resumed, when this fails.

    Args:
      address: with a URL.
      part: perhaps not empty; it goes on where it ends if the server still has that version.
      complaint: given the first bytes, says what is wrong with them, or "".
      network: patience.
      progress: show it on standard error.

    Raises:
      FailedError: the address does not give the file.
      OutputError: the part cannot be written.
    """
    fruitless, arrived = 0, False
    while True:
        before = part.size
        try:
            _attempt(address, part, complaint, network, progress)
            return
        except InterruptedTransferError as interrupted:
            gained = part.size > before
            arrived |= gained
            fruitless = 0 if gained else fruitless + 1
            # A server that cannot be reached at all: the next mirror is a better second try than the same one.
            hopeless = interrupted.unreachable and not arrived
            if hopeless or fruitless >= network.attempts:
                after = f" ({fruitless} attempts)" if fruitless > 1 else ""
                raise FailedError(f"{interrupted}{after}") from interrupted
            pause = network.backoff * 2 ** max(fruitless - 1, 0) if interrupted.wait is None else interrupted.wait
            time.sleep(min(pause, network.longest_wait))


def _attempt(address: Address, part: Part, complaint: Callable[[bytes], str], network: Network, progress: bool) -> None:
    offset, version = part.resumable(address.url)
    asked = {"Range": f"bytes={offset}-", "If-Range": version} if offset else {}
    with errors_told(), answer(address, asked, network) as response:
        if response.status == 416:
            _require_complete(response, part, offset)
            return
        _require_success(response)
        start, total = _extent(response)
        if start and (start != offset or _version_of(response) not in ("", version)):
            part.discard()
            raise InterruptedTransferError("the file changed on the server", wait=0.0)
        part.require_room((total or 0) - part.size)
        chunks = response.stream(_CHUNK, decode_content=False)
        first = next(chunks, b"")
        if not start:  # before anything that is here is given up for it
            if wrong := complaint(first):
                raise FailedError(wrong)
            part.restart(address.url, _version_of(response))
        _receive(itertools.chain([first], chunks), part, start=start, total=total, progress=progress)
    if total is not None and part.size != total:
        raise InterruptedTransferError(f"{part.size:,} of {total:,} bytes arrived")


def _receive(chunks: Iterable[bytes], part: Part, *, start: int, total: int | None, progress: bool) -> None:
    what = f"downloading {part.target.name}"
    with writing(part.target), part.append() as out, show_progress(what, total, enabled=progress, unit="bytes") as done:
        done(start)
        for chunk in chunks:
            _write_all(out, chunk)
            done(len(chunk))


def _write_all(out: Any, chunk: bytes) -> None:
    """An unbuffered write may take less than it is given, on a disk that is about to be full."""
    rest = memoryview(chunk)
    while rest:
        rest = rest[out.write(rest) :]


def _require_success(response: urllib3.BaseHTTPResponse) -> None:
    status = response.status
    if status in _TRANSIENT:
        raise InterruptedTransferError(f"{status} {response.reason or ''}".strip(), wait=_asked_to_wait(response))
    if status not in (200, 206):
        raise FailedError(f"{status} {_MEANING.get(status, response.reason or '')}".strip())
    if "text/html" in response.headers.get("Content-Type", ""):
        raise FailedError("not the file but a web page")
    if response.headers.get("Content-Encoding", "identity") not in ("", "identity"):
        raise FailedError(f"the file comes encoded as {response.headers['Content-Encoding']}")


def _require_complete(response: urllib3.BaseHTTPResponse, part: Part, offset: int) -> None:
    """416, no such range: either all of it is here already, or the server's file is a shorter one by now."""
    if response.headers.get("Content-Range", "").strip() != f"bytes */{offset}":
        part.discard()
        raise InterruptedTransferError("the file changed on the server", wait=0.0)


def _asked_to_wait(response: urllib3.BaseHTTPResponse) -> float | None:
    try:
        seconds = urllib3.Retry().get_retry_after(response)
    except InvalidHeader:
        return None
    return None if seconds is None else float(seconds)


def _extent(response: urllib3.BaseHTTPResponse) -> tuple[int, int | None]:
    """Where the body begins in the file, and how long the whole file is, None where the server does not say."""
    if response.status == 206:
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
        if span is None:
            raise FailedError("a part of the file came that does not say which part it is")
        return int(span[1]), None if span[2] == "*" else int(span[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _version_of(response: urllib3.BaseHTTPResponse) -> str:
    """What If-Range may hold: a strong ETag, or a date; "" means that the download cannot be resumed."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
