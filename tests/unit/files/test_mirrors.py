"""Where a file is looked for, in which order, and what is said when it is nowhere."""

import re
import socket
import time

import pytest

from lit.errors import CheckpointNotFoundError, ChecksumError, ConfigError, UnknownNameError
from lit.files import cache_directory, cached, fetch
from lit.zoo import FileRef


@pytest.fixture
def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def folder(tmp_path, content):
    place = tmp_path / "my weights"
    place.mkdir()
    (place / "weights.npz").write_bytes(content)
    return place


@pytest.fixture
def config(home):
    path = home / "config" / "lit-jax" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


def nowhere(file, quick, **options):
    with pytest.raises(CheckpointNotFoundError) as caught:
        fetch(file, network=quick, **options)
    return str(caught.value)


def test_every_place_is_listed_with_its_reason_and_the_ways_on(site, cache, quick, refusing, monkeypatch, closed_port):
    monkeypatch.setenv("LIT_MIRRORS", f"/nonexistent, http://127.0.0.1:{closed_port}/lit ,{site.root}/a?key=SECRET")
    mirrors = (f"{site.root}/b", "http://nothing.invalid/weights.npz")
    site.plan = [refusing(403), refusing(404)]
    began = time.monotonic()
    said = nowhere(FileRef(name="weights.npz", kind="npz", mirrors=mirrors), quick)
    assert time.monotonic() - began < 30
    lines = said.splitlines()
    assert lines[0] == "weights.npz is in none of 6 places:"
    assert lines[1] == f"  {cache / 'weights.npz'}: not there;"
    assert lines[2] == "  /nonexistent/weights.npz: not there;"
    assert lines[3].startswith(f"  http://127.0.0.1:{closed_port}/lit/weights.npz: it cannot be reached (")
    assert "refused" in lines[3]
    assert "attempts" not in said  # what cannot be reached is not asked again
    assert lines[4] == f"  {site.root}/a/weights.npz?...: 403 access denied;"
    assert lines[5] == f"  {site.root}/b: 404 no such file;"
    assert re.match(r"  http://nothing.invalid/weights.npz: it cannot be reached \(.*resolve.*\)\.", lines[6])
    assert "weights=" in lines[7]
    assert "LIT_MIRRORS" in lines[7]
    assert "config.toml" in lines[7]
    assert "SECRET" not in said
    assert site.requests[0][0] == "/a/weights.npz?key=SECRET"
    assert not (cache / "weights.npz").exists()


def test_the_users_mirrors_come_before_the_tables(file, site, serve_site, content, quick, monkeypatch):
    mine = serve_site(content)
    monkeypatch.setenv("LIT_MIRRORS", f"{mine.root}/some/folder/")
    fetch(file, network=quick)
    assert [path for path, _ in mine.requests] == ["/some/folder/weights.npz"]
    assert site.requests == []


def test_a_folder_is_used_where_it_is(file, site, folder, cache, quick, monkeypatch):
    monkeypatch.setenv("LIT_MIRRORS", str(folder))
    assert fetch(file, network=quick) == folder / "weights.npz"
    monkeypatch.setenv("LIT_MIRRORS", (folder).as_uri())
    assert fetch(file, network=quick) == folder / "weights.npz"
    assert site.requests == []
    assert not cache.exists()


@pytest.mark.parametrize(("damage", "said"), [(lambda b: b[:9000], "cut short"), (lambda b: b"<html>", "a web page")])
def test_a_bad_file_in_a_folder_is_passed_over(file, folder, content, cache, quick, monkeypatch, damage, said):
    (folder / "weights.npz").write_bytes(damage(content))
    monkeypatch.setenv("LIT_MIRRORS", str(folder))
    assert fetch(file, network=quick) == cache / "weights.npz"
    (cache / "weights.npz").unlink()
    assert said in nowhere(FileRef(name="weights.npz", kind="npz"), quick)


def test_a_folder_is_held_to_a_published_checksum(known, folder, content, quick, monkeypatch):
    (folder / "weights.npz").write_bytes(content[:40] + b"!" + content[41:])
    monkeypatch.setenv("LIT_MIRRORS", str(folder))
    with pytest.raises(
        ChecksumError, match=r"my weights/weights\.npz: its SHA-256 is [0-9a-f]{64}, and published it was"
    ):
        fetch(FileRef(name="weights.npz", kind="npz", sha256=known.sha256), network=quick)


def test_the_configuration_file(file, site, serve_site, content, quick, config, monkeypatch):
    monkeypatch.setattr("lit.files.settings.FILES", {"weights.npz": file})
    single, root = serve_site(content), serve_site(content)
    config.write_text(
        f'[mirrors]\nroots = ["{root.root}/lit"]\n[mirrors.files]\n"weights.npz" = "{single.root}/another-name"\n'
    )
    fetch(file, network=quick).unlink()
    assert [path for path, _ in single.requests] == ["/another-name"]
    config.write_text(f'[mirrors]\nroots = ["not-there", "{root.root}/lit"]\n')
    fetch(file, network=quick)
    assert [path for path, _ in root.requests] == ["/lit/weights.npz"]
    assert site.requests == []


def test_a_relative_folder_in_the_configuration_file_lies_beside_it(file, content, quick, config):
    (config.parent / "mine").mkdir()
    (config.parent / "mine" / "weights.npz").write_bytes(content)
    config.write_text('[mirrors]\nroots = ["mine"]\n')
    assert fetch(file, network=quick) == config.parent / "mine" / "weights.npz"


def test_another_configuration_file(file, folder, quick, tmp_path, monkeypatch):
    monkeypatch.setenv("LIT_CONFIG", str(tmp_path / "other.toml"))
    with pytest.raises(ConfigError, match=r"LIT_CONFIG names .*other\.toml, which is not a file"):
        fetch(file, network=quick)
    (tmp_path / "other.toml").write_text(f'[mirrors]\nroots = ["{folder}"]\n')
    assert fetch(file, network=quick) == folder / "weights.npz"


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("mirrors = [", ConfigError, "config.toml cannot be read"),
        ("mirror = []", ConfigError, "unknown entry 'mirror'; it may have mirrors"),
        ("mirrors = []", ConfigError, "mirrors is []; it must be a table"),
        ("[mirrors]\nroot = []", ConfigError, "unknown entry 'mirrors.root'; it may have mirrors.roots, mirrors.files"),
        ("[mirrors]\nroots = [3]", ConfigError, "mirrors.roots is [3]; it must be a list of addresses"),
        ("[mirrors]\nfiles = 3", ConfigError, "mirrors.files is 3; it must be a table"),
        ('[mirrors.files]\n"LiT-B16.npz" = "/x"', UnknownNameError, "Did you mean 'LiT-B16B.npz'?"),
        (
            '[mirrors]\nroots = ["s3://bucket"]',
            ConfigError,
            "'s3://bucket/weights.npz' is of an unknown kind; lit reads https",
        ),
        ('[mirrors]\nroots = ["hf://owner"]', ConfigError, "'hf://owner/weights.npz' is not a complete address"),
        ('[mirrors]\nroots = ["hf://datasets/owner"]', ConfigError, "lacks a part; write hf://owner/repository[@"),
        ('[mirrors]\nroots = ["hf://owner/repo/../.."]', ConfigError, "is not a complete address"),
        ('[mirrors]\nroots = ["file://host/x"]', ConfigError, "names the host 'host'"),
        ('[mirrors]\nroots = ["https://host:port/x"]', ConfigError, "is not an address"),
        ('[mirrors]\nroots = ["https:///x"]', ConfigError, "names no host"),
    ],
)
def test_a_configuration_that_cannot_be_understood(file, quick, config, text, error, said):
    config.write_text(text)
    with pytest.raises(error) as caught:
        fetch(file, network=quick)
    assert said in str(caught.value)
    assert "config.toml" in str(caught.value)


def test_an_unknown_kind_of_mirror_in_the_environment(file, quick, monkeypatch):
    monkeypatch.setenv("LIT_MIRRORS", "ftp://host/lit")
    with pytest.raises(ConfigError, match=r"LIT_MIRRORS: 'ftp://host/lit/weights\.npz' is of an unknown kind"):
        fetch(file, network=quick)


@pytest.mark.parametrize("how", ["argument", "LIT_OFFLINE"])
def test_offline_asks_nobody_and_still_looks_on_this_machine(file, site, folder, cache, quick, monkeypatch, how):
    if how != "argument":
        monkeypatch.setenv(how, "1")
    offline = True if how == "argument" else None
    said = nowhere(file, quick, offline=offline)
    assert f"{site.root}/weights.npz: not tried: {'offline=True' if offline else 'LIT_OFFLINE is set'}" in said
    assert site.requests == []
    assert not cache.exists()
    monkeypatch.setenv("LIT_MIRRORS", str(folder))
    assert fetch(file, network=quick, offline=offline) == folder / "weights.npz"


def test_offline_is_content_with_the_cache(file, site, quick):
    path = fetch(file, network=quick)
    assert fetch(file, network=quick, offline=True) == path
    assert cached(file) == path
    assert len(site.requests) == 1


def test_the_argument_outranks_the_environment(file, site, quick, monkeypatch):
    monkeypatch.setenv("LIT_OFFLINE", "yes")
    fetch(file, network=quick, offline=False)
    assert len(site.requests) == 1


def test_a_switch_that_says_neither_yes_nor_no(file, quick, monkeypatch):
    monkeypatch.setenv("LIT_OFFLINE", "perhaps")
    with pytest.raises(ConfigError, match="LIT_OFFLINE is 'perhaps'; set it to 1 or 0"):
        fetch(file, network=quick)


def test_the_hub(site, content, quick, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"{site.root}/")
    monkeypatch.setenv("HF_TOKEN", "hf_SECRET")
    monkeypatch.setenv("LIT_MIRRORS", "hf://me/lit weights@refs%2Fpr%2F1/npz")
    assert fetch(FileRef(name="weights.npz", kind="npz"), network=quick).read_bytes() == content
    path, headers = site.requests[0]
    assert path == "/me/lit%20weights/resolve/refs%2Fpr%2F1/npz/weights.npz"
    assert headers["authorization"] == "Bearer hf_SECRET"


def test_the_hubs_own_switch(site, quick, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", site.root)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    mirrors = ("hf://datasets/me/lit/weights.npz", f"{site.root}/weights.npz")
    fetch(FileRef(name="weights.npz", kind="npz", mirrors=mirrors), network=quick)
    assert [path for path, _ in site.requests] == ["/weights.npz"]


def test_the_cache_is_where_it_is_said_to_be(home, monkeypatch, tmp_path):
    assert cache_directory() == home / "cache"
    monkeypatch.setenv("LIT_CACHE", "~/elsewhere")
    assert cache_directory() == home / "home" / "elsewhere"
    monkeypatch.delenv("LIT_CACHE")
    assert cache_directory().name == "lit-jax"
