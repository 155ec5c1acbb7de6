"""numpy arrays as 8-bit RGB."""

from typing import Any

import numpy as np
from jaxtyping import UInt8

from lit.arrays import Picture
from lit.errors import ImageError

#: How far beyond [0, 1] a float may lie: what a resize or a colour conversion in float32 leaves behind.
_SLACK = 1e-5


def from_array(array: np.ndarray, *, item: str) -> Picture:
    """Shapes and types as in the table of `lit.images`.

    Returns:
      (h, w, 3) uint8; `array` itself where nothing had to be done.

    Raises:
      ImageError: no pixels, an odd shape or type, values out of range, NaN.
    """
    _check_shape(array.shape, item)
    pixels = _to_8_bits(array, item)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.shape[-1] == 4:
        return over_white(pixels)
    return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels


def over_white(rgba: UInt8[np.ndarray, "h w 4"]) -> Picture:
    """Lays a picture with straight (not premultiplied) alpha over white; rounds to nearest."""
    rgb, alpha = rgba[..., :3], rgba[..., 3:].astype(np.uint16)
    if alpha.min() == 255:
        return np.ascontiguousarray(rgb)
    return ((rgb * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _check_shape(shape: tuple[int, ...], item: str) -> None:
    def refuse(why: str) -> ImageError:
        return ImageError(f"{why}; expected (h, w), (h, w, 1), (h, w, 3) or (h, w, 4).", item=item)

    if 0 in shape:
        raise refuse(f"it has no pixels: its shape is {shape}")
    if len(shape) == 4:
        raise refuse(f"its shape {shape} is that of several pictures; hand in list(array)")
    if len(shape) not in (2, 3):
        raise refuse(f"its shape is {shape}")
    if len(shape) == 3 and shape[-1] not in (1, 3, 4):
        if shape[0] in (1, 3, 4):
            raise refuse(f"its shape {shape} has channels first; hand in array.transpose(1, 2, 0)")
        raise refuse(f"its shape {shape} has {shape[-1]} channels")


def _to_8_bits(array: np.ndarray, item: str) -> UInt8[np.ndarray, "..."]:
    kind: Any = array.dtype.type
    if kind is np.uint8:
        return array
    if kind is np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if kind is np.uint16:
        # Rounds v / 257 to nearest: 65535 is 255 * 257, so both ends are exact and 8-bit values scaled up come back.
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if np.issubdtype(kind, np.integer):
        low, high = array.min(), array.max()
        if low < 0 or high > 255:
            raise ImageError(
                f"its {array.dtype} values run from {low} to {high}; expected 0 to 255, or uint16 for 0 to 65535.",
                item=item,
            )
        return array.astype(np.uint8)
    if kind in (np.float16, np.float32, np.float64):
        return _from_floats(array, item)
    raise ImageError(f"its type is {array.dtype}; expected uint8, bool, uint16 or floats in [0, 1].", item=item)


def _from_floats(array: np.ndarray, item: str) -> UInt8[np.ndarray, "..."]:
    low, high = float(array.min()), float(array.max())
    if np.isnan(low) or np.isinf([low, high]).any():
        bad = int(array.size - np.isfinite(array).sum())
        raise ImageError(f"{bad} of its {array.size} values are NaN or infinite; expected floats in [0, 1].", item=item)
    if low < -_SLACK or high > 1 + _SLACK:
        hint = "scale them to [0, 1]"
        if low >= 0 and high <= 255:
            hint = "divide by 255, or hand in array.astype('uint8')"
        elif low >= -1 and high <= 1 + _SLACK:
            hint = "if [-1, 1] is meant, hand in (array + 1) / 2"
        raise ImageError(
            f"its floats run from {low:.6g} to {high:.6g}; expected [0, 1] (black to white): {hint}.", item=item
        )
    wide = array.astype(np.float64 if array.dtype == np.float64 else np.float32)
    return np.rint(np.clip(wide, 0, 1) * 255).astype(np.uint8)
