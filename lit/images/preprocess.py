"""From a picture of any kind to what an image tower takes."""

import numpy as np
from jaxtyping import Float32, UInt8

from lit.arrays import Picture
from lit.config import PreprocessConfig
from lit.images.decode import ImageInput, decode
from lit.images.resize import resize
from lit.images.workspace import WORKSPACE


def preprocess(image: ImageInput, config: PreprocessConfig) -> Picture:
    """Decodes and resizes.

    Returns:
      (image_size, image_size, 3) uint8; `to_range` maps it to the tower's value range.

    Raises:
      ImageError: it cannot be used; the error names it.
    """
    return resize(decode(image, config, workspace=WORKSPACE), config)


def to_range(pixels8: UInt8[np.ndarray, "*any"], config: PreprocessConfig) -> Float32[np.ndarray, "*any"]:
    """`low + (u / 255) * (high - low)`, each operation in float32: the order of vit_jax's `-1 + (u / 255) * 2`."""
    low, high = config.value_range
    pixels = pixels8.astype(np.float32)
    pixels /= np.float32(255)
    pixels *= np.float32(high - low)
    pixels += np.float32(low)
    return pixels
