"""WebDataset archives."""

import json
import shutil
import tarfile

import pytest
from prepared import jpeg, png, write_tar

from lit.datasets import Dataset, webdataset
from lit.datasets.webdataset import braces_expanded
from lit.errors import DatasetError


def samples(start, n):
    for i in range(start, start + n):
        yield f"{i:04d}.png", png(i)
        yield f"{i:04d}.cls", b"%d\n" % (i % 3)
        yield f"{i:04d}.txt", f" a picture, {i} ".encode()


@pytest.fixture
def shards(tmp_path):
    for s in range(3):
        write_tar(tmp_path / "test" / f"shard-{s:03d}.tar", samples(4 * s, 4))
    return tmp_path / "test"


@pytest.mark.parametrize("pattern", ["shard-{000..002}.tar", "shard-*.tar", "shard-00{0,1,2}.tar", "shard-00?.tar"])
def test_shards(shards, pattern):
    (shards.parent / "classnames.txt").write_text("zebra\nape\ncat\n")
    data = webdataset(f"{shards}/{pattern}")
    assert isinstance(data, Dataset)
    assert (data.label_names, len(data)) == (("zebra", "ape", "cat"), 12)
    assert data.description["source"] == "local files"
    found = list(data.examples())
    assert [e.id for e in found] == [f"shard-{i // 4:03d}.tar/{i:04d}" for i in range(12)]
    assert [e.image for e in found] == [png(i) for i in range(12)]
    assert [e.labels for e in found] == [(i % 3,) for i in range(12)]
    assert found[7].texts == ("a picture, 7",)
    for n in (2, 5, 13):
        assert [[e.id for e in data.examples(s, n)] for s in range(n)] == [
            [e.id for e in found[s::n]] for s in range(n)
        ]


def test_braces():
    assert braces_expanded("a{08..10}b{x,y}") == [f"a{n}b{c}" for n in ("08", "09", "10") for c in "xy"]
    assert braces_expanded("{2..0}") == ["2", "1", "0"]
    assert braces_expanded("plain{}") == ["plain{}"]


def test_a_list_whose_names_repeat(tmp_path):
    paths = [write_tar(tmp_path / part / "0.tar", samples(0, 1)) for part in ("a", "b")]
    assert [e.id for e in webdataset(paths).examples()] == [f"{path.as_posix()}/0000" for path in paths]
    assert webdataset(paths).fingerprint != webdataset(paths[::-1]).fingerprint


def test_members_are_grouped_as_the_format_says(tmp_path):
    """Source: what webdataset 1.0 makes of these names (tariterators.py)."""
    members = [
        ("__meta__", b""),
        ("__reserved__/9.jpg", b""),
        ("./dir.d/.hidden.jpg", b""),
        ("./dir.d/a.JPG", jpeg(1)),
        ("./dir.d/a.seg.png", png(2)),
        ("./dir.d/a.json", json.dumps({"label": [2, 0], "caption": "one", "size": 3}).encode()),
        ("b.c.d/e.webp", b"webp"),
        ("b.c.d/e.json", json.dumps({"label": 1, "captions": ["two", "three"]}).encode()),
        ("b.c.d/e.txt", b"first"),
        ("f.png", png(3)),
    ]
    found = list(webdataset(write_tar(tmp_path / "a.tar", members)).examples())
    assert [(e.id, e.labels, e.texts) for e in found] == [
        ("a.tar/./dir.d/a", (2, 0), ("one",)),
        ("a.tar/b.c.d/e", (1,), ("first",)),
        ("a.tar/f", (), ()),
    ]
    assert [e.image for e in found] == [jpeg(1), b"webp", png(3)]


def test_label_by_name(tmp_path):
    members = [("a.png", png()), ("a.json", b'{"label": "ape"}')]
    path = write_tar(tmp_path / "a.tar", members)
    with pytest.raises(DatasetError, match=r"a.tar, sample 'a': the label 'ape' is a name, and no classnames.txt"):
        list(webdataset(path).examples())
    (tmp_path / "classnames.txt").write_text("zebra\nape\n")
    assert [e.labels for e in webdataset(path).examples()] == [(1,)]


@pytest.mark.parametrize(
    ("members", "says"),
    [
        (
            [("a.png", b"x"), ("b.png", b"y"), ("a.cls", b"0")],
            "files of sample 'a' are not next to each other .*--sort=name",
        ),
        ([("a.png", b"x"), ("a.PNG", b"y")], "the sample 'a' is there twice"),
        ([("a.cls", b"1")], "sample 'a' has 0 pictures.*consists of: .cls"),
        ([("a.png", b"x"), ("a.jpg", b"y")], "sample 'a' has 2 pictures"),
        ([("a.png", b"x"), ("a.cls", b"dog")], "sample 'a': .cls is b'dog'; it should be a whole number"),
        ([("a.png", b"x"), ("a.cls", b"-1")], "label -1 is out of range"),
        ([("a.png", b"x"), ("a.json", b"{")], "sample 'a': .json is damaged"),
        ([("a.png", b"x"), ("a.json", b'{"label": 0.5}')], "the label in .json is 0.5"),
        ([("a.png", b"x"), ("a.json", b'{"captions": [1]}')], "the captions in .json"),
        ([("a.png", b"x"), ("a.txt", b"\xff")], "sample 'a': .txt is not UTF-8"),
        ([], "there are no samples"),
    ],
)
def test_what_is_wrong_is_told_with_its_sample(tmp_path, members, says):
    with pytest.raises(DatasetError, match=says):
        list(webdataset(write_tar(tmp_path / "a.tar", members)).examples())


def test_a_torn_tar_is_never_a_shorter_dataset(tmp_path):
    whole = write_tar(tmp_path / "whole.tar", [(f"{i}.png", png(i, side=30)) for i in range(3)]).read_bytes()
    with tarfile.open(tmp_path / "whole.tar") as tar:
        last = tar.getmembers()[-1]
    end = -(-(last.offset_data + last.size) // 512) * 512
    torn = tmp_path / "torn.tar"
    for size in (
        100,
        512,
        last.offset - 1,
        last.offset,
        last.offset + 100,
        last.offset_data,
        last.offset_data + 5,
        end,
    ):
        torn.write_bytes(whole[:size])
        with pytest.raises(DatasetError, match=r"torn.tar is cut off or damaged (at or )?after"):
            len(webdataset(torn))
    torn.write_bytes(whole[:end])
    with pytest.raises(DatasetError, match="after the member '2.png'"):
        len(webdataset(torn))
    torn.write_bytes(whole[: last.offset] + b"rubbish" * 100 + whole[last.offset + 700 :])
    with pytest.raises(DatasetError, match="after the member '1.png'"):
        len(webdataset(torn))
    torn.write_bytes(whole[: end + 512])
    assert len(webdataset(torn)) == 3


def test_a_tar_that_shrinks_while_it_is_read(tmp_path):
    path = write_tar(tmp_path / "a.tar", samples(0, 2))
    data = webdataset(path)
    assert len(data) == 2
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(DatasetError, match=r"a.tar is cut off in the member '0000\.(cls|txt|png)': \d+ of \d+ bytes"):
        list(data.examples())


def test_files_that_are_not_there_or_compressed(tmp_path):
    write_tar(tmp_path / "s-0.tar", samples(0, 1))
    with pytest.raises(DatasetError, match=r"2 of 3 are missing: .*s-1.tar"):
        webdataset(f"{tmp_path}/s-{{0..2}}.tar")
    with pytest.raises(DatasetError, match="there is none"):
        webdataset(f"{tmp_path}/x-*.tar")
    write_tar(tmp_path / "z.tar", samples(0, 1), "w:gz")
    with pytest.raises(DatasetError, match="must not be compressed"):
        len(webdataset(tmp_path / "z.tar"))


def test_copies_have_the_same_content_key(shards, tmp_path):
    copy = shutil.copytree(shards, tmp_path / "copy", copy_function=shutil.copyfile)
    keys = [webdataset(f"{shards}/*.tar").content_key, webdataset(f"{shards}/*[01].tar").content_key]
    assert webdataset(f"{copy}/*.tar").content_key == keys[0]
    (shards / "shard-000.tar").rename(copy / "shard-003.tar")
    keys.append(webdataset(f"{copy}/*.tar").content_key)
    write_tar(copy / "shard-003.tar", [*list(samples(0, 4))[:-1], ("0003.txt", b"another")])
    keys.append(webdataset(f"{copy}/*.tar").content_key)
    (copy / "again").mkdir()
    (copy / "shard-000.tar").rename(copy / "again" / "shard-001.tar")
    same_names = [copy / "shard-001.tar", copy / "again" / "shard-001.tar"]
    keys.append(webdataset(same_names).content_key)
    assert webdataset(shutil.copytree(copy, tmp_path / "third") / "{,again/}shard-001.tar").content_key == keys[-1]
    assert len(set(keys)) == 5
