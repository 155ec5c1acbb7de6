"""The finished files: what other programs read from them, and that they come whole or not at all."""

import hashlib
import json
import os
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest

from lit.cli import embeddings
from lit.cli.partial import MadeBy
from lit.errors import MissingExtraError, OutputError

BY = MadeBy(model="tiny", precision="float32", fingerprint="a" * 64, dim=3)
PATHS = ["a.jpg", "größe/猫 1.jpg", "bad\udcff.jpg"]
DIGESTS = [hashlib.sha256(p.encode("utf-8", "surrogateescape")).digest() for p in PATHS]
ROWS = np.arange(9, dtype=np.float32).reshape(3, 3)


def rows(digests):
    return ROWS[[DIGESTS.index(d) for d in digests]]


def test_npz_is_plain_numpy(tmp_path):
    embeddings.write(tmp_path / "a.npz", BY, PATHS, DIGESTS, rows)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        np.testing.assert_array_equal(found["embeddings"], ROWS)
        assert found["embeddings"].dtype == np.float32
        assert found["paths"].tolist() == ["a.jpg", "größe/猫 1.jpg", r"bad\udcff.jpg"]
        assert found["sha256"].tolist() == [d.hex() for d in DIGESTS]
        assert json.loads(found["made_by"].item())["fingerprint"] == "a" * 64


def test_parquet_is_plain_pandas(tmp_path):
    embeddings.write(tmp_path / "a.parquet", BY, PATHS, DIGESTS, rows)
    found = pd.read_parquet(tmp_path / "a.parquet")
    np.testing.assert_array_equal(np.stack(found["embedding"].tolist()), ROWS)
    assert found["path"].tolist() == ["a.jpg", "größe/猫 1.jpg", r"bad\udcff.jpg"]
    schema = pyarrow.parquet.read_schema(tmp_path / "a.parquet")
    assert json.loads(schema.metadata[b"lit"])["model"] == "tiny"
    assert str(schema.field("embedding").type) == "fixed_size_list<element: float>[3]"


@pytest.mark.parametrize("suffix", [".npz", ".parquet", ".NPZ"])
def test_read_gives_back_what_was_written(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(embeddings, "_ROWS", 2)  # several parts
    embeddings.write(tmp_path / f"a{suffix}", BY, PATHS, DIGESTS, rows)
    found = embeddings.read(tmp_path / f"a{suffix}")
    assert found is not None
    assert found[0] == BY.fingerprint
    parts = list(found[1])
    assert [d for digests, _ in parts for d in digests] == DIGESTS
    np.testing.assert_array_equal(np.concatenate([r for _, r in parts]), ROWS)


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_the_same_twice_is_the_same_bytes(tmp_path, suffix):
    for name in ("a", "b"):
        embeddings.write(tmp_path / f"{name}{suffix}", BY, PATHS, DIGESTS, rows)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def _array(path):
    with path.open("wb") as file:
        np.save(file, ROWS)


def _foreign_parquet(path):
    pd.DataFrame({"x": [1]}).to_parquet(path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.npz", lambda path: path.write_bytes(b"")),
        ("a.npz", lambda path: path.write_bytes(b"notes")),
        ("a.npz", _array),
        ("a.npz", lambda path: np.savez(path, x=ROWS)),
        ("a.parquet", lambda path: path.write_bytes(b"notes")),
        ("a.parquet", _foreign_parquet),
    ],
)
def test_files_of_others_are_told_apart(tmp_path, name, write):
    write(tmp_path / name)
    assert embeddings.read(tmp_path / name) is None


@pytest.mark.parametrize("name", ["a.npz", "a.parquet"])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, name):
    (tmp_path / name).write_text("old")

    def full(_):
        raise OSError(28, os.strerror(28))

    with pytest.raises(OutputError, match="No space left on device.*Nothing half-written"):
        embeddings.write(tmp_path / name, BY, PATHS, DIGESTS, full)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "old"


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lit-jax\[parquet\]'"):
        embeddings.require_writer(tmp_path / "a.parquet")
    embeddings.require_writer(tmp_path / "a.npz")


@pytest.mark.slow
def test_every_flipped_bit_of_a_finished_file_is_answered(tmp_path):
    """The rows, None for a file that is not ours any more, or an OutputError: never a traceback."""
    embeddings.write(tmp_path / "a.npz", BY, PATHS, DIGESTS, rows)
    whole = (tmp_path / "a.npz").read_bytes()
    refused = 0
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        (tmp_path / "b.npz").write_bytes(damaged)
        try:
            refused += embeddings.read(tmp_path / "b.npz") is None
        except OutputError:
            refused += 1
    assert refused > len(whole) // 2
