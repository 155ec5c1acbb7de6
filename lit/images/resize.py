"""One picture to `image_size` x `image_size`, with exactly the pixels that a family of models was trained on.

Two resamplers:

- bilinear without antialias is `tf.image.resize`, bit for bit: half-pixel centres, two taps along each axis whatever
  the scale, float32, along rows first.  `rounding` says how its floats become 8 bits.
- bilinear or bicubic with antialias is Pillow, whose fixed-point arithmetic rounds to 8 bits along each axis.

Crops follow the same two code bases: the smaller side goes to `image_size`, and the centre is taken.
"""

import functools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int, UInt8
from PIL import Image

from lit.arrays import Picture
from lit.config import PreprocessConfig
from lit.images.workspace import WORKSPACE

#: Output rows that are computed together, so that what they need stays in the processor's second-level cache.
#: Measured on 500 x 375 to 224: 8 rows 1.25 times the time of 32, 224 rows 1.3 times.
_BLOCK = 32


def resize(picture: Picture, config: PreprocessConfig) -> UInt8[np.ndarray, "size size 3"]:
    """Resizes as `config` says.

    Args:
      picture: (h, w, 3) uint8, at least one pixel.
      config: its `image_size`, `resize`, `kernel`, `antialias` and `rounding` are used.

    Returns:
      (image_size, image_size, 3) uint8, never a view of `picture`.
    """
    if config.antialias:
        return _with_pillow(picture, config)
    return _as_tensorflow(picture, config)


@dataclass(frozen=True)
class _Taps:
    """Where the outputs along one axis come from: `a[low] + (a[high] - a[low]) * weight`."""

    low: Int[np.ndarray, "out"]
    high: Int[np.ndarray, "out"]
    weight: Float32[np.ndarray, "out"]


def _taps(n_in: int, n_out: int, first: int, count: int) -> _Taps:
    """For outputs `first` to `first + count` of `n_out`.  Every step in float32, as in TF's resize_bilinear_op."""
    scale = np.float32(n_in) / np.float32(n_out)
    x = (np.arange(first, first + count, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    floor = np.floor(x)
    low = np.maximum(floor, 0).astype(np.intp)
    high = np.minimum(np.ceil(x), n_in - 1).astype(np.intp)
    return _Taps(low, high, x - floor)


@functools.lru_cache(maxsize=512)
def _columns(n_in: int, n_out: int, first: int, count: int) -> _Taps:
    """Taps along a row of interleaved RGB bytes."""
    taps = _taps(n_in, n_out, first, count)
    channel = np.arange(3)
    low, high = ((3 * t[:, None] + channel).ravel() for t in (taps.low, taps.high))
    return _Taps(low, high, np.repeat(taps.weight, 3))


@dataclass(frozen=True)
class _Block:
    """Some output rows, and the source rows that they need."""

    start: int
    rows: slice | Int[np.ndarray, "rows"]
    low: Int[np.ndarray, "out"]  # along `rows`, not along the picture
    high: Int[np.ndarray, "out"]
    weights: Float32[np.ndarray, "out bytes"]  # each repeated: a third faster than to broadcast


@functools.lru_cache(maxsize=32)
def _blocks(n_in: int, n_out: int, first: int, count: int) -> tuple[_Block, ...]:
    taps = _taps(n_in, n_out, first, count)
    blocks = []
    for start in range(0, count, _BLOCK):
        low, high, weight = (t[start : start + _BLOCK] for t in (taps.low, taps.high, taps.weight))
        begin, end = int(low[0]), int(high[-1]) + 1
        if end - begin <= 2 * low.size:  # neighbours share rows
            rows, low, high = slice(begin, end), low - begin, high - begin
        else:
            rows = np.stack([low, high], axis=1).ravel()
            low = np.arange(0, rows.size, 2)
            high = low + 1
        blocks.append(_Block(start, rows, low, high, np.repeat(weight[:, None], 3 * count, axis=1)))
    return tuple(blocks)


def _as_tensorflow(picture: Picture, config: PreprocessConfig) -> UInt8[np.ndarray, "size size 3"]:
    size = config.image_size
    h, w, _ = picture.shape
    (rows, top), (cols, left) = (_side(n, min(h, w), config) for n in (h, w))
    columns = _columns(w, cols, left, size)
    shape = 2 * _BLOCK, 3 * size
    taken = WORKSPACE.array("taken", shape)
    low, high, weights = (WORKSPACE.array(name, shape, np.float32) for name in ("low", "high", "weights"))
    upper, lower = (WORKSPACE.array(name, (_BLOCK, 3 * size), np.float32) for name in ("upper", "lower"))
    np.copyto(weights, columns.weight)
    out = np.empty((size, 3 * size), np.uint8)
    for block in _blocks(h, rows, top, size):
        lines = _lines(picture, block.rows)
        # mode="wrap" here and below: the indices are in range, and numpy's default checks them through a buffer.
        n = len(lines)
        np.copyto(low[:n], lines.take(columns.low, axis=1, out=taken[:n], mode="wrap"))
        np.copyto(high[:n], lines.take(columns.high, axis=1, out=taken[:n], mode="wrap"))
        wide = _interpolate(low[:n], high[:n], weights[:n])
        n = block.low.size
        wide.take(block.low, axis=0, out=upper[:n], mode="wrap")
        wide.take(block.high, axis=0, out=lower[:n], mode="wrap")
        values = _interpolate(upper[:n], lower[:n], block.weights)
        if config.rounding == "round":
            np.rint(values, out=values)
        # Values lie between the bytes that they were interpolated from, so no cast here can overflow.
        np.copyto(out[block.start : block.start + len(values)], values, casting="unsafe")
    return out.reshape(size, size, 3)


def _side(n: int, smaller: int, config: PreprocessConfig) -> tuple[int, int]:
    """Length of a resized side, and where the crop begins.  The float32 product decides ties as vit_jax does."""
    if config.resize == "stretch":
        return config.image_size, 0
    ratio = np.float32(config.image_size) / np.float32(smaller)
    length = int(np.rint(np.float32(n) * ratio))
    return length, (length - config.image_size) // 2


def _lines(picture: Picture, rows: slice | Int[np.ndarray, "rows"]) -> UInt8[np.ndarray, "rows bytes"]:
    """Some rows of a picture, each as one run of bytes."""
    h, w, _ = picture.shape
    if not picture.flags.c_contiguous:  # rotated or flipped: copy no more of it than is needed
        return picture[rows].reshape(-1, 3 * w)
    lines = picture.reshape(h, 3 * w)
    if isinstance(rows, slice):
        return lines[rows]
    return lines.take(rows, axis=0, out=WORKSPACE.array("lines", (rows.size, 3 * w)), mode="wrap")


def _interpolate(
    low: Float32[np.ndarray, "a b"], high: Float32[np.ndarray, "a b"], weight: Float32[np.ndarray, "a b"]
) -> Float32[np.ndarray, "a b"]:
    """Into `high`.  Three roundings, no fused multiply-add: exactly TF's order."""
    np.subtract(high, low, out=high)
    np.multiply(high, weight, out=high)
    return np.add(high, low, out=high)


_KERNELS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
#: A picture that is longer is cut to its middle before a crop: its ends would be resized only to be thrown away.
_LONGEST = 16


def _with_pillow(picture: Picture, config: PreprocessConfig) -> UInt8[np.ndarray, "size size 3"]:
    size, kernel = config.image_size, _KERNELS[config.kernel]
    if config.resize == "stretch":
        return np.array(_image(picture).resize((size, size), kernel))
    h, w = (min(n, _LONGEST * min(picture.shape[:2])) for n in picture.shape[:2])
    top, left = (picture.shape[0] - h) // 2, (picture.shape[1] - w) // 2
    rows, cols = (size if n == min(h, w) else int(size * n / min(h, w)) for n in (h, w))
    whole = _image(picture[top : top + h, left : left + w]).resize((cols, rows), kernel)
    # Source: torchvision's Resize (the longer side is truncated) and CenterCrop (the offset rounds half to even).
    # Pillow's `box` would compute the crop alone, but not the same values (measured: up to 23 of 255 away).
    top, left = round((rows - size) / 2), round((cols - size) / 2)
    return np.array(whole)[top : top + size, left : left + size].copy()


def _image(picture: Picture) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(picture))
