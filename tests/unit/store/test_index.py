"""What a dataset holds is remembered exactly, or not at all."""

import dataclasses
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit.store import DatasetIndex, digest_of, index_key


def index_of(n=3, **changes):
    fields = {
        "ids": tuple(f"größe/{i}\n.jpg" for i in range(n)),
        "digests": np.random.default_rng(0).integers(0, 256, (n, 32), dtype=np.uint8),
        "labels": tuple(tuple(range(i)) for i in range(n)),
        "texts": tuple(("a 猫", "") for _ in range(n)),
        "positions": np.arange(n, dtype=np.int64) * 7,
        "excluded": (("bad", "it is empty"),),
    }
    return DatasetIndex(**{**fields, **changes})


def same(a, b):
    return all(
        np.array_equal(getattr(a, f.name), getattr(b, f.name))
        if isinstance(getattr(a, f.name), np.ndarray)
        else getattr(a, f.name) == getattr(b, f.name)
        for f in dataclasses.fields(a)
    )


@pytest.mark.parametrize("n", [0, 1, 3])
def test_there_and_back(tmp_path, n):
    index_of(n).write(tmp_path, "key")
    assert same(DatasetIndex.read(tmp_path, "key"), index_of(n))
    assert DatasetIndex.read(tmp_path, "other") is None
    assert [p.suffix for p in (tmp_path / "datasets").iterdir()] == [".index"]


def test_a_name_that_is_not_valid_unicode(tmp_path):
    name = os.fsdecode(b"caf\xe9.jpg")
    index_of(1, ids=(name,)).write(tmp_path, "key")
    found = DatasetIndex.read(tmp_path, "key")
    assert found is not None
    assert found.ids == (name,)


def test_cut_off_anywhere_or_damaged_it_is_not_there(tmp_path, caplog):
    index_of().write(tmp_path, "key")
    (path,) = (tmp_path / "datasets").iterdir()
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert DatasetIndex.read(tmp_path, "key") is None
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        path.write_bytes(damaged)
        found = DatasetIndex.read(tmp_path, "key")
        assert found is None or same(found, index_of())
    assert "reading the dataset again" in caplog.text


@pytest.mark.parametrize("other", [b"lit-dataset-index-1", b"lit-dataset-index-12"])
def test_another_version_is_no_damage(tmp_path, caplog, other):
    index_of().write(tmp_path, "key")
    (path,) = (tmp_path / "datasets").iterdir()
    content = path.read_bytes()
    path.write_bytes(content.replace(b"lit-dataset-index-2", other))
    assert path.read_bytes() != content
    assert DatasetIndex.read(tmp_path, "key") is None
    assert not caplog.records


def test_an_unwritable_place_is_a_warning(tmp_path, caplog):
    (tmp_path / "datasets").touch()
    index_of().write(tmp_path, "key")
    assert "could not be kept" in caplog.text


def test_keys():
    assert index_key(a=1, b=None) == index_key(b=None, a=1)
    assert index_key(a=1, b=None) != index_key(a=1, b=0)


@settings(deadline=None)
@given(st.binary(min_size=2, max_size=40))
def test_digests_of_pixels_depend_on_type_and_shape(content):
    flat = np.frombuffer(content, np.uint8)
    shapes = [flat, flat[None], flat[:, None], flat.astype(np.int16)]
    assert len({digest_of(content), *map(digest_of, shapes)}) == 5
    assert digest_of(np.asfortranarray(flat.repeat(2).reshape(-1, 2))) == digest_of(flat.repeat(2).reshape(-1, 2))
