"""A picture seen a little differently in each epoch."""

import numpy as np

from lit.arrays import Picture
from lit.captions.draws import draws, uniform
from lit.config import PreprocessConfig
from lit.images import ImageInput, decode, resize
from lit.images.workspace import WORKSPACE

#: Share of the picture's area that is kept at least: a caption speaks of the whole picture, so little is cut off.
#: Source: github.com/mlfoundations/open_clip, transform.py, scale (0.9, 1.0) of its random resized crop.
LEAST = 0.9


def crop_flip(image: ImageInput, config: PreprocessConfig, *, seed: int, epoch: int, row: int) -> Picture:
    """A random part of a picture, resized, and mirrored half of the time; a function of `seed`, `epoch` and `row`.

    Mirroring makes "left" right and turns writing round: not for corpora whose captions speak of these.

    Returns:
      (image_size, image_size, 3) uint8.

    Raises:
      ImageError: the picture cannot be used.
    """
    area, side, top, left, mirror = uniform(draws(seed, "crop", epoch, np.arange(5) + 5 * row)).tolist()
    picture = decode(image, config, workspace=WORKSPACE)
    h, w, _ = picture.shape
    area = LEAST + area * (1 - LEAST)
    # The area is cut off at one side, at the other, or somewhat at both: it always fits, and no shape comes out odd.
    high, wide = max(round(h * area**side), 1), max(round(w * area ** (1 - side)), 1)
    y, x = int(top * (h - high + 1)), int(left * (w - wide + 1))
    pixels = resize(picture[y : y + high, x : x + wide], config)
    return np.ascontiguousarray(pixels[:, ::-1]) if mirror < 0.5 else pixels
