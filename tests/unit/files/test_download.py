"""Downloads from a real server that misbehaves: what arrives is the file, or an error says why."""

import hashlib
import time

import pytest

from lit.errors import CheckpointNotFoundError, ChecksumError, OutputError
from lit.files import fetch
from lit.zoo import FileRef


def leftovers(cache):
    return sorted(p.name for p in cache.iterdir() if not p.name.endswith(".lock"))


def test_a_download_lands_whole_with_its_checksum_beside_it(file, site, cache, content, quick, capsys):
    path = fetch(file, network=quick)
    assert path == cache / "weights.npz"
    assert path.read_bytes() == content
    assert (cache / "weights.npz.sha256").read_text() == f"{hashlib.sha256(content).hexdigest()}  weights.npz\n"
    assert leftovers(cache) == ["weights.npz", "weights.npz.sha256"]
    assert len(site.requests) == 1
    assert fetch(file, network=quick) == path
    assert len(site.requests) == 1
    assert capsys.readouterr().out == ""


def test_a_published_checksum_needs_no_record(known, cache, quick):
    fetch(known, network=quick)
    assert leftovers(cache) == ["weights.npz"]


def test_a_broken_connection_is_resumed_where_it_broke(file, site, content, quick):
    site.plan = [site.serve(stop_after=300_000), site.serve(stop_after=200_000)]
    assert fetch(file, network=quick).read_bytes() == content
    assert site.ranges == [None, "bytes=300000-", "bytes=500000-"]
    assert site.requests[1][1]["if-range"] == '"v1"'


def test_a_silent_server_is_asked_again(file, site, content, quick):
    site.plan = [site.serve(stop_after=131_072, stall=True)]
    assert fetch(file, network=quick).read_bytes() == content
    assert site.ranges == [None, "bytes=131072-"]


def test_the_next_run_goes_on_where_the_last_one_gave_up(file, site, cache, content, quick, refusing):
    site.plan = [site.serve(stop_after=400_000), *[refusing(503)] * 3]
    with pytest.raises(CheckpointNotFoundError, match=r"503 Service Unavailable \(3 attempts\)"):
        fetch(file, network=quick)
    assert leftovers(cache) == ["weights.npz.part", "weights.npz.part.json"]
    assert fetch(file, network=quick).read_bytes() == content
    assert site.ranges[-1] == "bytes=400000-"
    assert leftovers(cache) == ["weights.npz", "weights.npz.sha256"]


def test_a_server_without_ranges_starts_again(file, site, content, quick):
    site.plan = [site.serve(stop_after=400_000), site.serve(ranges=False)]
    assert fetch(file, network=quick).read_bytes() == content
    assert site.ranges == [None, "bytes=400000-"]


def test_without_a_version_nothing_is_resumed(file, site, content, quick):
    site.plan = [site.serve(stop_after=400_000, version=False)]
    assert fetch(file, network=quick).read_bytes() == content
    assert site.ranges == [None, None]


@pytest.mark.parametrize("heed_if_range", [True, False])
def test_a_file_that_changed_meanwhile_is_not_spliced(file, site, cache, content, quick, refusing, heed_if_range):
    site.plan = [site.serve(stop_after=400_000), *[refusing(503)] * 3]
    with pytest.raises(CheckpointNotFoundError):
        fetch(file, network=quick)
    site.etag, site.content = '"v2"', content[:200] + b"another version" + content[200:]
    site.otherwise = site.serve(heed_if_range=heed_if_range)
    assert fetch(file, network=quick).read_bytes() == site.content


def test_a_slow_line_that_breaks_often_arrives_in_the_end(file, site, content, quick):
    site.plan = [site.serve(stop_after=150_000) for _ in range(6)]
    assert fetch(file, network=quick).read_bytes() == content
    assert len(site.requests) == 7


def test_a_server_that_answers_with_another_range_is_not_believed(file, site, content, quick, refusing):
    span = {"Content-Range": f"bytes 10-{len(content) - 1}/{len(content)}", "ETag": site.etag}
    site.plan = [site.serve(stop_after=400_000), refusing(206, span, content[10:])]
    assert fetch(file, network=quick).read_bytes() == content
    assert site.ranges == [None, "bytes=400000-", None]


def test_parts_of_two_mirrors_are_not_spliced(file, site, serve_site, content, quick, refusing):
    site.plan = [site.serve(stop_after=400_000), *[refusing(503)] * 3]
    with pytest.raises(CheckpointNotFoundError):
        fetch(file, network=quick)
    other = serve_site(content[:200] + b"another version" + content[200:])
    assert other.etag == site.etag
    mirrors = (f"{other.root}/weights.npz",)
    assert fetch(FileRef(name=file.name, kind="npz", mirrors=mirrors), network=quick).read_bytes() == other.content


def test_a_complete_part_only_has_to_land(file, site, cache, content, quick):
    site.plan = [site.serve(stop_after=len(content) - 1)]
    with pytest.raises(CheckpointNotFoundError):
        fetch(file, network=type(quick)(attempts=0, read_timeout=1.0))
    with (cache / "weights.npz.part").open("ab") as part:
        part.write(content[-1:])
    assert fetch(file, network=quick).read_bytes() == content
    assert site.ranges[-1] == f"bytes={len(content)}-"


def test_a_part_longer_than_the_file_is_given_up(site, cache, content, quick):
    file = FileRef(name="weights.npz", kind="wordpiece", mirrors=(f"{site.root}/x",))  # no end to be known by
    site.plan = [site.serve(stop_after=400_000)]
    with pytest.raises(CheckpointNotFoundError):
        fetch(file, network=type(quick)(attempts=0, read_timeout=1.0))
    with (cache / "weights.npz.part").open("ab") as part:
        part.write(bytes(len(content)))
    assert fetch(file, network=quick).read_bytes() == content


def test_a_part_that_was_damaged_on_disk_is_fetched_again(known, site, cache, content, quick, refusing):
    site.plan = [site.serve(stop_after=400_000), *[refusing(503)] * 3]
    with pytest.raises(CheckpointNotFoundError):
        fetch(known, network=quick)
    part = cache / "weights.npz.part"
    part.write_bytes(b"PK" + bytes(len(part.read_bytes()) - 2))
    assert fetch(known, network=quick).read_bytes() == content
    assert site.ranges[-2:] == ["bytes=400000-", None]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again(file, site, content, quick, refusing, status):
    site.plan = [refusing(status), refusing(status, {"Retry-After": "0"})]
    assert fetch(file, network=quick).read_bytes() == content
    assert len(site.requests) == 3


def test_a_wish_to_wait_is_bounded(file, site, content, quick, refusing):
    site.plan = [refusing(429, {"Retry-After": "3600"})]
    began = time.monotonic()
    assert fetch(file, network=quick).read_bytes() == content
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(("status", "said"), [(403, "403 access denied"), (404, "404 no such file"), (401, "401 not")])
def test_a_refusal_is_not_asked_again(file, site, quick, refusing, status, said):
    site.plan = [refusing(status)]
    with pytest.raises(CheckpointNotFoundError, match=said):
        fetch(file, network=quick)
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        ({"Content-Type": "text/html; charset=utf-8"}, b"<p>Log in</p>", "not the file but a web page"),
        ({"Content-Type": "text/plain"}, b"\n<!DOCTYPE html><title>Log in</title>", "not the file but a web page"),
        ({}, b"<?xml version='1.0'?><Error/>", "not the file but a web page"),
        ({}, b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a Git LFS pointer"),
        ({}, b"BM not an archive", "not an npz file: that begins with b'PK', and this with b'BM not a'"),
        ({}, b"", "nothing at all: 0 bytes"),
        ({"Content-Encoding": "gzip"}, b"PK", "the file comes encoded as gzip"),
    ],
)
def test_what_is_not_the_file_is_not_taken_for_it(file, site, cache, content, quick, refusing, headers, body, said):
    site.plan = [site.serve(stop_after=300_000), refusing(200, headers, body)]
    with pytest.raises(CheckpointNotFoundError) as caught:
        fetch(file, network=quick)
    assert said in str(caught.value)
    assert (cache / "weights.npz.part").stat().st_size == 300_000  # and what was there is still there
    assert fetch(file, network=quick).read_bytes() == content


def test_a_sentencepiece_model_is_known_by_its_first_byte(site, quick):
    file = FileRef(name="pieces.model", kind="sentencepiece", mirrors=(f"{site.root}/pieces.model",))
    with pytest.raises(CheckpointNotFoundError, match="not a SentencePiece model"):
        fetch(file, network=quick)


def test_an_npz_cut_short_without_a_length_is_noticed(file, site, cache, quick):
    site.otherwise = site.serve(stop_after=400_000, length=False)
    with pytest.raises(CheckpointNotFoundError, match=r"cut short: 400,?000 bytes|cut short: 400000 bytes"):
        fetch(file, network=quick)
    assert leftovers(cache) == []


def test_a_file_without_a_length_arrives(file, site, content, quick):
    site.otherwise = site.serve(length=False)
    assert fetch(file, network=quick).read_bytes() == content


def test_an_answer_that_is_always_cut_short_is_given_up(file, site, cache, quick):
    site.otherwise = site.serve(stop_after=0)
    with pytest.raises(CheckpointNotFoundError, match="the connection broke"):
        fetch(file, network=quick)
    assert len(site.requests) == 3


def test_a_wrong_checksum_sends_on_to_the_next_mirror(known, serve_site, content, quick):
    bad, good = serve_site(content[:-1] + b"!"), serve_site(content)
    file = FileRef(name=known.name, kind="wordpiece", mirrors=(f"{bad.root}/w", f"{good.root}/w"), sha256=known.sha256)
    assert fetch(file, network=quick).read_bytes() == content
    assert (len(bad.requests), len(good.requests)) == (1, 1)


def test_a_wrong_checksum_everywhere_is_an_error_of_its_own(known, site, cache, content, quick):
    site.content = content + b"\0"
    file = FileRef(name=known.name, kind="wordpiece", mirrors=known.mirrors, sha256=known.sha256)
    with pytest.raises(ChecksumError) as caught:
        fetch(file, network=quick)
    got = hashlib.sha256(site.content).hexdigest()
    for part in (got, known.sha256, "published", "vocab=", "LIT_MIRRORS"):
        assert part in str(caught.value)
    assert leftovers(cache) == []


def test_what_was_recorded_at_first_use_is_held_to(file, site, cache, content, quick):
    fetch(file, network=quick).unlink()
    site.content, site.etag = content[:30] + b"!" + content[31:], '"v2"'
    with pytest.raises(ChecksumError) as caught:
        fetch(file, network=quick)
    for part in (hashlib.sha256(content).hexdigest(), "at first use", "If the file was published anew, delete"):
        assert part in str(caught.value)
    (cache / "weights.npz.sha256").unlink()
    assert fetch(file, network=quick).read_bytes() == site.content


def test_more_than_the_disk_holds_is_refused_before_it_starts(file, site, cache, quick, refusing):
    site.otherwise = refusing(200, {"Content-Length": str(10**17)}, b"PK\3\4")
    with pytest.raises(OutputError) as caught:
        fetch(file, network=quick)
    for part in ("no room", "100,000,000,000,000,000 more bytes", "LIT_CACHE"):
        assert part in str(caught.value)


def test_a_cache_that_cannot_be_written(file, tmp_path, quick):
    (tmp_path / "a file").write_text("in the way")
    with pytest.raises(OutputError) as caught:
        fetch(file, cache_dir=tmp_path / "a file" / "models", network=quick)
    assert "cannot be written" in str(caught.value)
    assert "Set LIT_CACHE" in str(caught.value)


def test_silent_when_asked_to_be(file, site, quick, capsys):
    fetch(file, network=quick, progress=False)
    assert capsys.readouterr() == ("", "")
