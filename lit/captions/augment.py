"""A picture seen a little differently in each epoch."""

import math

import numpy as np

from lit.arrays import Picture
from lit.captions.draws import draws, uniform
from lit.config import PreprocessConfig
from lit.images import ImageInput, decode, resize
from lit.images.workspace import WORKSPACE

#: Share of the picture's area that is kept, and width over height of the part.  A caption speaks of the whole picture,
#: so little is cut off.  Source: github.com/mlfoundations/open_clip, transform.py (scale); torchvision,
#: RandomResizedCrop (ratio, and ten attempts).
AREA = 0.9, 1.0
RATIO = 3 / 4, 4 / 3
_ATTEMPTS = 10


def crop_flip(image: ImageInput, config: PreprocessConfig, *, seed: int, epoch: int, row: int) -> Picture:
    """A random part of a picture, resized, and mirrored half of the time; a function of `seed`, `epoch` and `row`.

    Mirroring makes "left" right and turns writing round: not for corpora whose captions speak of these.

    Returns:
      (image_size, image_size, 3) uint8.

    Raises:
      ImageError: the picture cannot be used.
    """
    numbers = draws(seed, "crop", epoch, np.arange(32) + 32 * row)
    lots = uniform(numbers).tolist()
    picture = decode(image, config, workspace=WORKSPACE)
    top, left, h, w = _part(picture.shape[0], picture.shape[1], lots)
    pixels = resize(picture[top : top + h, left : left + w], config)
    return np.ascontiguousarray(pixels[:, ::-1]) if lots[-1] < 0.5 else pixels


def _part(h: int, w: int, lots: list[float]) -> tuple[int, int, int, int]:
    """Top, left, height and width; the whole picture where no attempt fits, as in a very long one."""
    for attempt in range(_ATTEMPTS):
        area = h * w * (AREA[0] + lots[2 * attempt] * (AREA[1] - AREA[0]))
        ratio = RATIO[0] * (RATIO[1] / RATIO[0]) ** lots[2 * attempt + 1]
        wide, high = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < wide <= w and 0 < high <= h:
            return int(lots[-2] * (h - high + 1)), int(lots[-3] * (w - wide + 1)), high, wide
    return 0, 0, h, w
