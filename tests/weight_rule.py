"""Parameters of the golden models: drawn by name, so that no file has to carry them."""

import hashlib
from collections.abc import Mapping

import numpy as np


def weights(shapes: Mapping[str, tuple[int, ...]], *, std: float = 0.02) -> dict[str, np.ndarray]:
    """Name -> float32 array.

    Normal values times `std`, from a generator that the SHA-256 of the name seeds; a scale has 1 added; `t` is ln 10
    and `b` is -10.
    """
    return {name: _weight(name, shape, std) for name, shape in shapes.items()}


def _weight(name: str, shape: tuple[int, ...], std: float) -> np.ndarray:
    if name in ("t", "b"):
        return np.full(shape, {"t": np.log(10), "b": -10}[name], np.float32)
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    values = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32) * np.float32(std)
    return values + np.float32(1) if name.endswith("scale") else values
