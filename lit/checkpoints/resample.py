"""Position embeddings for another image size."""

import math

import numpy as np
from jaxtyping import Float32

PosEmbedding = Float32[np.ndarray, "1 tokens features"]
#: Most class tokens that a position embedding carries beside its grid.
_EXTRA = (0, 1)


def resample(embedding: PosEmbedding, tokens: int) -> Float32[np.ndarray, "1 tokens2 features"]:
    """Resamples a square grid of position embeddings linearly, corner to corner.

    The first and the last row and column keep their values: new position `i` lies at `i * (old - 1) / (new - 1)` of
    the old grid.  The entry of a class token, which comes first, is kept as it is.

    Args:
      embedding: `n * n` positions, or one more.
      tokens: how many positions there are to be: `m * m`, or one more where `embedding` has one.

    Raises:
      ValueError: the two are not square grids with equally many class tokens.

    Source: vit_jax, checkpoint.py, interpolate_posembed, which calls scipy.ndimage.zoom with order 1; this is the
    same interpolation without scipy.
    """
    old_grid, new_grid, extra = _grids(embedding.shape[1], tokens)
    if old_grid == new_grid:
        return embedding
    kept, grid = embedding[:, :extra], embedding[0, extra:].reshape(old_grid, old_grid, -1)
    # In float64, as scipy computes: what is rounded to float32 at the end is then the same.
    weights = _linear(old_grid, new_grid)
    new = np.einsum("ai,bj,ijd->abd", weights, weights, grid.astype(np.float64), optimize=True)
    return np.concatenate([kept, new.reshape(1, new_grid**2, -1).astype(np.float32)], axis=1)


def can_resample(old: int, new: int) -> bool:
    """Whether `old` positions can be resampled to `new`: two square grids with equally many class tokens."""
    return any(_is_square(old - extra) and _is_square(new - extra) for extra in _EXTRA)


def _grids(old: int, new: int) -> tuple[int, int, int]:
    for extra in _EXTRA:
        if _is_square(old - extra) and _is_square(new - extra):
            return math.isqrt(old - extra), math.isqrt(new - extra), extra
    raise ValueError(f"{old} and {new} positions are not two square grids with equally many class tokens")


def _is_square(n: int) -> bool:
    return n > 0 and math.isqrt(n) ** 2 == n


def _linear(old: int, new: int) -> np.ndarray:
    """(new, old) weights of a linear interpolation that keeps the corners."""
    at = np.zeros(1) if new == 1 else np.arange(new) * ((old - 1) / (new - 1))
    low = np.clip(np.floor(at).astype(int), 0, max(old - 2, 0))
    weights = np.zeros((new, old))
    weights[np.arange(new), low] = 1 - (at - low)
    weights[np.arange(new), np.minimum(low + 1, old - 1)] += at - low
    return weights
