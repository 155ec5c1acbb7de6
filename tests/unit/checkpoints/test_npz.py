"""Files as published, and files that are not."""

import ml_dtypes
import numpy as np
import pytest

from lit.checkpoints import flatten, load_npz, unflatten
from lit.checkpoints.names import modernise, natural
from lit.errors import CheckpointError, CheckpointNotFoundError

ARRAYS = {"img/cls": np.arange(6, dtype=np.float32).reshape(1, 1, 6), "t": np.ones(1, np.float32)}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
def test_plain_and_compressed_in_every_precision(tmp_path, save, dtype):
    path = tmp_path / "model.npz"
    save(path, **{name: array.astype(dtype) for name, array in ARRAYS.items()})
    flat = load_npz(path)
    assert set(flat) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert flat[name].dtype == dtype
        np.testing.assert_array_equal(flat[name].astype(np.float32), array)


def test_objects_are_not_unpickled(tmp_path):
    path = tmp_path / "model.npz"
    np.savez(path, **ARRAYS, opt=np.array([{"step": 1}], dtype=object))
    with pytest.raises(CheckpointError, match=r"model\.npz: opt is no plain array.*unpickling can run code"):
        load_npz(path)


def test_text_is_no_parameter(tmp_path):
    path = tmp_path / "model.npz"
    np.savez(path, note=np.array("hello"))
    with pytest.raises(CheckpointError, match="note is of type <U5; parameters are numbers"):
        load_npz(path)


@pytest.mark.parametrize("keep", [4, 100, 5_000, -1])
def test_truncated(tmp_path, keep):
    path = tmp_path / "model.npz"
    np.savez(path, a=np.random.default_rng(0).normal(size=1000), b=np.ones(10))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"model\.npz cannot be read as npz .*truncated or corrupt; fetch"):
        load_npz(path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_one_wrong_byte(tmp_path, save):
    path = tmp_path / "model.npz"
    save(path, a=np.random.default_rng(0).normal(size=1000).astype(np.float32))
    content = bytearray(path.read_bytes())
    content[2000] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"cannot be read as npz \(a: .*corrupt"):
        load_npz(path)


@pytest.mark.parametrize("flag", [1, 32])  # encrypted; patched
def test_a_wrong_bit_in_the_archive_itself(tmp_path, flag):
    path = tmp_path / "model.npz"
    np.savez(path, a=np.ones(3, np.float32))
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] ^= flag
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"cannot be read as npz \(a: .*corrupt"):
        load_npz(path)


def test_a_parameter_below_a_parameter(tmp_path):
    path = tmp_path / "model.npz"
    np.savez(path, **{"img/cls": np.ones(3), "img/cls/bias": np.ones(2)})
    with pytest.raises(CheckpointError, match="img/cls/bias lies below a name that is a parameter itself"):
        load_npz(path)


def test_a_web_page_a_lone_array_and_nothing(tmp_path):
    page, array = tmp_path / "page.npz", tmp_path / "array.npz"
    page.write_text("<html>403 Forbidden</html>" * 100)
    with pytest.raises(CheckpointError, match=r"page\.npz is no npz: it begins with b'<htm'.*fetch the file again"):
        load_npz(page)
    with array.open("wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(CheckpointError, match="is no npz: it begins with"):
        load_npz(array)

    array.write_bytes(b"")
    with pytest.raises(CheckpointError, match="is no npz: it begins with b''"):
        load_npz(array)


def test_no_such_file(tmp_path):
    with pytest.raises(CheckpointNotFoundError, match=r"absent\.npz is not a file"):
        load_npz(tmp_path / "absent.npz")
    with pytest.raises(CheckpointNotFoundError, match="is not a file"):
        load_npz(tmp_path)


def test_a_missing_block_stays_missing():
    """Blocks are numbered by hand; closing the gap would give every later block another one's name."""
    flat = {f"Transformer/encoderblock_{i}/LayerNorm_0/bias": np.ones(2) for i in (0, 2, 10)}
    assert modernise(flat) == flat


def test_nested_and_back():
    assert unflatten(flatten(unflatten(ARRAYS))).keys() == {"img", "t"}
    assert flatten(unflatten(ARRAYS)) == ARRAYS


def test_natural_order():
    assert sorted(["b_10", "b_9", "B_2", "b", "2"], key=natural) == ["2", "B_2", "b", "b_9", "b_10"]
