"""Redirects, authorisation, TLS and proxies, over real sockets."""

import pytest

from lit.errors import CheckpointNotFoundError
from lit.files import fetch
from lit.zoo import FileRef


def to(url):
    def step(handler):
        handler.send_response(302)
        handler.send_header("Location", url)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return step


def with_login(site):
    return FileRef(name="weights.npz", kind="npz", mirrors=(f"{site.root.replace('://', '://me:secret@')}/start",))


def test_another_host_never_sees_the_authorisation(site, serve_site, content, quick):
    other = serve_site(content)
    site.plan = [to("/here"), to(f"{other.root}/there")]
    assert fetch(with_login(site), network=quick).read_bytes() == content
    assert [(path, "authorization" in headers) for path, headers in site.requests] == [
        ("/start", True),
        ("/here", True),
    ]
    assert [(path, "authorization" in headers) for path, headers in other.requests] == [("/there", False)]


def test_a_redirected_download_is_resumed(site, serve_site, content, quick):
    other = serve_site(content)
    site.otherwise = to(f"{other.root}/there")
    other.plan = [other.serve(stop_after=300_000)]
    assert fetch(with_login(site), network=quick).read_bytes() == content
    assert other.ranges == [None, "bytes=300000-"]


def test_redirects_in_a_circle_end(file, site, quick):
    site.otherwise = to("/again")
    with pytest.raises(CheckpointNotFoundError, match="it redirects more than 5 times"):
        fetch(file, network=quick)
    assert len(site.requests) == 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_out_of_the_web_is_refused(file, site, quick, target):
    site.otherwise = to(target)
    with pytest.raises(CheckpointNotFoundError, match=f"it redirects from http to {target}"):
        fetch(file, network=quick)


@pytest.fixture
def secure(serve_site, content):
    return serve_site(content, tls=True)


@pytest.fixture
def trusted(monkeypatch, request):
    monkeypatch.setenv("SSL_CERT_FILE", str(request.path.parent / "loopback.pem"))


def test_https(secure, content, quick, trusted):
    file = FileRef(name="weights.npz", kind="npz", mirrors=(f"{secure.root}/x",))
    assert fetch(file, network=quick).read_bytes() == content


def test_https_that_leads_to_http_is_refused_before_it_is_asked(secure, site, quick, trusted):
    secure.otherwise = to(f"{site.root}/plain")
    with pytest.raises(CheckpointNotFoundError, match="it redirects from https to http"):
        fetch(FileRef(name="weights.npz", kind="npz", mirrors=(f"{secure.root}/x",)), network=quick)
    assert site.requests == []


def test_an_untrusted_certificate_is_refused_at_once(secure, quick):
    with pytest.raises(CheckpointNotFoundError, match="its certificate or TLS was refused"):
        fetch(FileRef(name="weights.npz", kind="npz", mirrors=(f"{secure.root}/x",)), network=quick)
    assert secure.requests == []


def test_a_proxy_is_used_where_the_environment_names_one(serve_site, content, quick, monkeypatch):
    proxy = serve_site(content)
    monkeypatch.setenv("http_proxy", proxy.root)
    mirror = "http://weights.invalid/x"
    assert fetch(FileRef(name="weights.npz", kind="npz", mirrors=(mirror,)), network=quick).read_bytes() == content
    assert [path for path, _ in proxy.requests] == [mirror]
    monkeypatch.setenv("no_proxy", "weights.invalid")
    with pytest.raises(CheckpointNotFoundError, match="it cannot be reached"):
        fetch(FileRef(name="other.npz", kind="npz", mirrors=(mirror,)), network=quick)


def test_a_proxy_that_is_not_there(quick, monkeypatch):
    monkeypatch.setenv("http_proxy", "127.0.0.1:1")
    with pytest.raises(CheckpointNotFoundError, match="it cannot be reached"):
        fetch(FileRef(name="weights.npz", kind="npz", mirrors=("http://weights.invalid/x",)), network=quick)
