"""Input that a caller prepared for the towers: checked, because JAX would compute nonsense from it without a word."""

from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from lit.arrays import TokenIds
from lit.errors import InputError


def checked_pixels(images: Any, size: int) -> Float32[np.ndarray, "images h w 3"] | UInt8[np.ndarray, "images h w 3"]:
    """float32 in the model's value range, or uint8, which the engine maps to it."""
    images = np.asarray(images)
    if images.dtype.kind not in "fu" or images.shape[1:] != (size, size, 3) or not len(images):
        raise InputError(
            f"images has type {images.dtype} and shape {images.shape}; apply takes what preprocess returns, float32 of "
            f"shape (images, {size}, {size}, 3), at least one row. embed_images takes pictures as they are."
        )
    return images if images.dtype == np.uint8 else images.astype(np.float32, copy=False)


def checked_tokens(tokens: Any, vocab_size: int) -> TokenIds:
    """int32 ids that the text tower knows; for others JAX makes NaN, or another id's embedding, without a word."""
    tokens = np.asarray(tokens)
    if tokens.dtype.kind not in "iu" or tokens.ndim != 2 or not tokens.size:
        raise InputError(
            f"tokens has type {tokens.dtype} and shape {tokens.shape}; apply takes what tokenize returns, int32 of "
            "shape (texts, context_length), at least one row. embed_texts takes texts as they are."
        )
    low, high = tokens.min(), tokens.max()
    if low < 0 or high >= vocab_size:
        raise InputError(f"the ids in tokens run from {low} to {high}; this model's run from 0 to {vocab_size - 1}.")
    return tokens.astype(np.int32, copy=False)
