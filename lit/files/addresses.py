"""Addresses of files: what a user or the table writes, and where it leads."""

import base64
import dataclasses
import ipaddress
import os
import re
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit
from urllib.request import url2pathname

from lit.errors import ConfigError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_FORMS = "https://, http://, gs://bucket/path, hf://owner/repository[@revision]/path, file:// or a path"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Address:
    """Where a file may lie: on this machine (`local`) or behind a URL.

    Attributes:
      shown: for messages; without passwords and query strings, which may be secrets.
      local: a path on this machine, or None.
      url: http or https; "" for a local file.
      authorization: value of the header, for this URL's own host alone; "" for none.
      hub: it is an `hf://` address.
    """

    shown: str
    local: Path | None = None
    url: str = ""
    authorization: str = dataclasses.field(default="", repr=False)
    hub: bool = False


def below(root: str, name: str) -> str:
    """The address of a file in a root; a query string stays at the end."""
    if not _SCHEME.match(root):
        return str(Path(root) / name)
    parts = urlsplit(root)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def parse(text: str, *, said_in: str = "", home: Path | None = None) -> Address:
    """Understands an address.

    Args:
      text: as written.
      said_in: where, for messages.
      home: what a relative path is relative to; the working directory by default.

    Raises:
      ConfigError: it is none of the known forms.
    """
    where = f"{said_in}: " if said_in else ""
    scheme = _SCHEME.match(text)
    if scheme is None:
        path = Path(text).expanduser()
        return Address(shown=str(path), local=(home or Path()) / path)
    try:
        parts = urlsplit(text)
        _ = parts.port  # checked by urllib as it is asked for
    except ValueError as error:
        raise ConfigError(f"{where}{text!r} is not an address ({error}).") from error
    match scheme[1].lower():
        case "file":
            if parts.netloc not in ("", "localhost"):
                raise ConfigError(f"{where}{text!r} names the host {parts.netloc!r}; a file:// address has none.")
            return Address(shown=text, local=Path(url2pathname(parts.path)))
        case "http" | "https":
            return _web(parts, where)
        case "gs":
            return _bucket(parts, where)
        case "hf":
            return _hub(parts, where)
        case _:
            raise ConfigError(f"{where}{text!r} is of an unknown kind; lit reads {_FORMS}.")


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this very machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def shown(url: str) -> str:
    """A URL without what may be secret."""
    parts = urlsplit(url)
    query = "..." if parts.query else ""
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query, fragment=""))


def _web(parts: SplitResult, where: str) -> Address:
    if not parts.hostname:
        raise ConfigError(f"{where}{urlunsplit(parts)!r} names no host.")
    login, _, netloc = parts.netloc.rpartition("@")
    url = urlunsplit(parts._replace(netloc=netloc, fragment=""))
    basic = base64.b64encode(unquote(login).encode()).decode()
    return Address(shown=shown(url), url=url, authorization=f"Basic {basic}" if login else "")


def _bucket(parts: SplitResult, where: str) -> Address:
    segments = _segments(parts, where, least=1)
    return Address(
        shown=urlunsplit(parts), url=f"https://storage.googleapis.com/{'/'.join([_quoted(parts.netloc), *segments])}"
    )


def _hub(parts: SplitResult, where: str) -> Address:
    """hf://[datasets/|spaces/]owner/repository[@revision]/path, as the hub's own library writes it."""
    segments = [_quoted(parts.netloc), *_segments(parts, where, least=2)]
    space = [segments.pop(0)] if segments[0] in ("datasets", "spaces") else []
    if len(segments) < 3:
        raise ConfigError(f"{where}{urlunsplit(parts)!r} lacks a part; write hf://owner/repository[@revision]/path.")
    owner, repository, *path = segments
    repository, _, revision = repository.partition("%40")
    endpoint = os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or "https://huggingface.co"
    if urlsplit(endpoint).scheme not in ("http", "https"):
        raise ConfigError(f"HF_ENDPOINT is {endpoint!r}; it must begin with https://.")
    url = "/".join([endpoint, *space, owner, repository, "resolve", revision or "main", *path])
    token = os.environ.get("HF_TOKEN", "").strip()
    # A token never travels in the clear, except to this very machine.
    may_send = bool(token) and (url.startswith("https://") or is_loopback(url))
    return Address(shown=urlunsplit(parts), url=url, authorization=f"Bearer {token}" if may_send else "", hub=True)


def _segments(parts: SplitResult, where: str, *, least: int) -> list[str]:
    segments = [unquote(s) for s in parts.path.strip("/").split("/")]
    if not parts.netloc or len(segments) < least or any(s in ("", ".", "..") for s in segments):
        raise ConfigError(f"{where}{urlunsplit(parts)!r} is not a complete address; lit reads {_FORMS}.")
    return [_quoted(s) for s in segments]


def _quoted(segment: str) -> str:
    return quote(segment, safe="")
