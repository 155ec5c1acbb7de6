"""The best classes of many images, fast, and with the same answers as `lit.ZeroShotClassifier.similarity_of`."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import Float32, Float64, Int, Shaped

from lit.errors import InputError

#: Scores in memory at one time.  One large product meets the threads of the BLAS once: with many small ones each
#: thread waits for the others at every one, on a busy machine for ten times as long as the sums take (measured).
_SCORES = 2**23
#: Scores that are ranked together: they stay in the processor's second-level cache.
_RANKED = 2**18


def scores_top_k(
    zimg: Float32[np.ndarray, "images dim"],
    class_embeddings: Float32[np.ndarray, "classes dim"],
    k: int,
    *,
    logit_scale: float,
) -> tuple[Int[np.ndarray, "images ranks"], Float32[np.ndarray, "images"]]:
    """Ranks classes by inner product.

    The order is that of products summed in float64 and rounded to float32; of equal scores the first class wins.
    Products are taken in float32, and again in float64 for those images (a few in a hundred) whose ranks float32 cannot
    tell apart: there, of two equal classes, the second could win.

    Args:
      zimg, class_embeddings: any norms.
      k: ranks.
      logit_scale: multiplies an inner product to make a logit; a bias would not change a softmax.

    Returns:
      Positions of the k best classes, best first; and the softmax probability of the first (its relative error is about
      1e-7 times the logit scale).

    Raises:
      InputError: k is less than 1 or more than there are classes.
    """
    classes, dim = class_embeddings.shape
    if not 1 <= k <= classes:
        raise InputError(f"k is {k}; with {classes} classes it must be between 1 and {classes}.")
    top, confidence = np.empty((len(zimg), k), np.int64), np.empty(len(zimg), np.float32)
    # Two sums may change places if they are nearer than twice the error of one: (dim + 2) roundings of at most
    # |a| |b| 2^-24, in any order of summation.  Source: Higham, Accuracy and Stability, 3.1.
    margins = (2.01 * (dim + 2) * 2.0**-24 * _norms(class_embeddings).max() * _norms(zimg)).astype(np.float32)
    unclear = np.zeros(len(zimg), bool)

    def rank(scores: Float32[np.ndarray, "some classes"], first: int) -> None:
        rows = slice(first, first + len(scores))
        exponents = scores.copy()
        best, values = _best(scores, min(k + 1, classes))
        exponents -= values[:, :1]
        exponents *= np.float32(logit_scale)
        top[rows], confidence[rows] = best[:, :k], 1 / np.exp(exponents, out=exponents).sum(axis=1)
        unclear[rows] = (values[:, :-1] - values[:, 1:] <= margins[rows, None]).any(axis=1)

    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="lit-ranks") as pool:
        for part in _parts(len(zimg), max(1, _SCORES // classes)):
            scores = zimg[part] @ class_embeddings.T
            some = _parts(len(scores), max(1, _RANKED // classes))
            list(pool.map(rank, (scores[s] for s in some), (part.start + s.start for s in some)))
    exact, again = _Exact(class_embeddings), np.flatnonzero(unclear)
    for part in _parts(len(again), max(1, _SCORES // classes)):
        top[again[part]] = _best(exact.scores(zimg[again[part]]), k)[0]
    return top, confidence


def _norms(rows: Float32[np.ndarray, "rows dim"]) -> Float64[np.ndarray, "rows"]:
    # A twentieth of the time of numpy.linalg.norm, which squares into an array of its own.
    return np.sqrt(np.einsum("ij,ij->i", rows, rows).astype(np.float64))


def _parts(n: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


class _Exact:
    """Products summed in float64 and rounded to float32; equal classes get equal scores, to the last bit."""

    def __init__(self, class_embeddings: Float32[np.ndarray, "classes dim"]) -> None:
        self._classes = class_embeddings.astype(np.float64)
        seen: dict[bytes, int] = {}
        self._first = np.asarray([seen.setdefault(row.tobytes(), i) for i, row in enumerate(class_embeddings)])
        self._all_differ = len(seen) == len(class_embeddings)

    def scores(self, zimg: Float32[np.ndarray, "images dim"]) -> Float32[np.ndarray, "images classes"]:
        scores = (zimg.astype(np.float64) @ self._classes.T).astype(np.float32)
        return scores if self._all_differ else scores[:, self._first]


def _best(
    scores: Float32[np.ndarray, "images classes"], k: int
) -> tuple[Int[np.ndarray, "images ranks"], Shaped[np.ndarray, "images ranks"]]:
    """Positions and values of the k largest, the first of equals first.  Overwrites the scores.

    For a few ranks k passes are a tenth of the time of a partial sort.
    """
    image, best = np.arange(len(scores)), np.empty((len(scores), k), np.int64)
    values = np.empty((len(scores), k), np.float32)
    for rank in range(k):
        best[:, rank] = scores.argmax(axis=1)
        values[:, rank] = scores[image, best[:, rank]]
        scores[image, best[:, rank]] = -np.inf
    return best, values
