"""A web server that misbehaves as told, and an environment without anybody's settings."""

import hashlib
import io
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from lit.files import Network
from lit.zoo import FileRef

#: A self-signed certificate for 127.0.0.1 and its key, made for these tests and used for nothing else.
CERTIFICATE = Path(__file__).parent / "loopback.pem"

Step = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        site = self.server.site  # type: ignore[attr-defined]
        with site.lock:
            site.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            step = site.plan.pop(0) if site.plan else site.otherwise
        step(self)

    def log_message(self, *_: object) -> None: ...


class Site:
    """What the server has, what it is to do with the next requests, and what it was asked.

    `plan` holds a step for each of the next requests; after these, `otherwise` answers.
    """

    def __init__(self, content: bytes) -> None:
        self.content, self.etag = content, '"v1"'
        self.plan: list[Step] = []
        self.otherwise: Step = self.serve()
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.lock = threading.Lock()
        self.root = ""

    @property
    def ranges(self) -> list[str | None]:
        """The Range header of each request."""
        return [headers.get("range") for _, headers in self.requests]

    def serve(
        self,
        *,
        stop_after: int | None = None,
        ranges: bool = True,
        heed_if_range: bool = True,
        version: bool = True,
        length: bool = True,
        pace: float = 0.0,
        stall: bool = False,
        extra: dict[str, str] | None = None,
    ) -> Step:
        """Serves the content, perhaps cutting the connection after some bytes of the body."""

        def step(handler: Handler) -> None:
            start, asked = 0, handler.headers.get("Range")
            fresh = not heed_if_range or handler.headers.get("If-Range") == self.etag
            if asked and ranges and fresh:
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
                if start >= len(self.content):
                    return refuse(416, {"Content-Range": f"bytes */{len(self.content)}"})(handler)
            body = self.content[start:]
            handler.send_response(206 if start else 200)
            if length:
                handler.send_header("Content-Length", str(len(body)))
            else:
                handler.send_header("Connection", "close")
            if start:
                handler.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
            if version:
                handler.send_header("ETag", self.etag)
            for name, value in (extra or {}).items():
                handler.send_header(name, value)
            handler.end_headers()
            _send(handler, body if stop_after is None else body[:stop_after], pace)
            if stop_after is not None:
                handler.close_connection = True
                if stall:
                    time.sleep(1.0)
            return None

        return step


def refuse(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Step:
    """An answer with a status, and nothing of the file."""

    def step(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return step


def _send(handler: Handler, body: bytes, pace: float) -> None:
    try:
        for at in range(0, len(body), 1 << 15):
            handler.wfile.write(body[at : at + (1 << 15)])
            if pace:
                time.sleep(pace)
        handler.wfile.flush()
    except (BrokenPipeError, ConnectionResetError):
        handler.close_connection = True


def start(content: bytes, *, tls: bool = False) -> tuple[Site, ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients are killed in these tests
    site = server.site = Site(content)  # type: ignore[attr-defined]
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    site.root = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return site, server


@pytest.fixture
def serve_site() -> Iterator[Callable[..., Site]]:
    servers = []

    def one(content: bytes, *, tls: bool = False) -> Site:
        site, server = start(content, tls=tls)
        servers.append(server)
        return site

    yield one
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def content() -> bytes:
    """An npz file of about a megabyte."""
    stream = io.BytesIO()
    np.savez(stream, w=np.random.default_rng(0).standard_normal(130_000))
    return stream.getvalue()


@pytest.fixture
def site(serve_site: Callable[..., Site], content: bytes) -> Site:
    return serve_site(content)


@pytest.fixture
def file(site: Site) -> FileRef:
    """A file that nothing is known of but its name and one mirror."""
    return FileRef(name="weights.npz", kind="npz", mirrors=(f"{site.root}/weights.npz",))


@pytest.fixture
def known(file: FileRef, content: bytes) -> FileRef:
    """The same with a published checksum."""
    return FileRef(name=file.name, kind="npz", mirrors=file.mirrors, sha256=hashlib.sha256(content).hexdigest())


@pytest.fixture
def quick() -> Network:
    return Network(attempts=3, backoff=0.01, longest_wait=0.05, connect_timeout=2.0, read_timeout=0.4)


@pytest.fixture
def refusing() -> Callable[..., Step]:
    return refuse


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, an empty cache, no settings and no proxies."""
    for name in ("LIT_MIRRORS", "LIT_CONFIG", "LIT_OFFLINE", "HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("LIT_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def cache(home: Path) -> Path:
    """Where models land."""
    return home / "cache" / "models"
