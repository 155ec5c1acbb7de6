"""The flat npz files in which ViT, LiT and big_vision models were published."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import ml_dtypes
import numpy as np

from lit.arrays import DAMAGED_NPZ
from lit.checkpoints.names import modernise
from lit.errors import CheckpointError, CheckpointNotFoundError

_ZIP = b"PK\x03\x04"
_WAY_ON = "fetch the file again, or check that it is the right one"


def load_npz(path: str | Path) -> dict[str, np.ndarray]:
    """Reads every array of a flat npz, plain or compressed; nothing is unpickled.

    bfloat16, which numpy stores as two nameless bytes, is recognised.  Names from before Flax Linen become those of
    today (`lit.checkpoints.names.modernise`).  Values and types are not changed.

    Returns:
      '/'-joined name -> array.

    Raises:
      CheckpointNotFoundError: there is no such file.
      CheckpointError: the file is no npz, is truncated or corrupt, or holds something other than numbers.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointNotFoundError(f"{path} is not a file; check the path.")
    with path.open("rb") as file:
        start = file.read(4)
        if start != _ZIP:
            raise CheckpointError(f"{path} is no npz: it begins with {start!r} and not with {_ZIP!r}; {_WAY_ON}.")
        file.seek(0)
        flat = _arrays(file, path)
    below = sorted(name for name in flat if any(outer in flat for outer in _above(name)))
    if below:
        raise CheckpointError(f"{path}: {below[0]} lies below a name that is a parameter itself; {_WAY_ON}.")
    return modernise(flat)


def _above(name: str) -> Iterator[str]:
    parts = name.split("/")
    return ("/".join(parts[:i]) for i in range(1, len(parts)))


def _arrays(file: BinaryIO, path: Path) -> dict[str, np.ndarray]:
    flat = {}
    name = "its table of contents"
    try:
        with np.load(file, allow_pickle=False) as arrays:
            for name in arrays.files:
                flat[name] = _numbers(arrays[name], name, path)
    except DAMAGED_NPZ as error:
        if "allow_pickle" in str(error):
            raise CheckpointError(
                f"{path}: {name} is no plain array of numbers but a pickled object, and unpickling can run code; "
                "save the checkpoint again with numeric arrays only."
            ) from error
        raise CheckpointError(
            f"{path} cannot be read as npz ({name}: {error}): truncated or corrupt; {_WAY_ON}."
        ) from error
    return flat


def _numbers(array: np.ndarray, name: str, path: Path) -> np.ndarray:
    if array.dtype.kind == "V" and array.dtype.itemsize == 2 and array.dtype.names is None:
        return array.view(ml_dtypes.bfloat16)
    if array.dtype.kind not in "fiub":
        raise CheckpointError(f"{path}: {name} is of type {array.dtype}; parameters are numbers.")
    return array
