"""A drawing as pixels: on white, in the middle of a square, stored as WebP."""

import io
import math

import numpy as np
from PIL import Image, ImageChops

SIDE = 224
#: Lossy WebP of this quality is a third of a PNG, and its errors are invisible beside those of resizing.
QUALITY = 90
#: A picture with no channel of a pixel below this shows nothing.
_FAINTEST = 240
#: A drawing that fills less of its page, along either side, is drawn again so many times larger at most.
_SMALL = 0.8
_FINEST = 4


class RenderError(ValueError):
    """What cannot be drawn."""


def rendered(source: str | bytes, side: int = SIDE, *, trim: bool = False) -> Image.Image:
    """The picture (RGB, side x side).

    Args:
      source: an SVG document, or the bytes of a raster picture.
      side: in pixels.
      trim: without the empty part of a page.

    Raises:
      RenderError: the SVG is broken or empty, or nothing is to be seen.
    """
    picture = _opened(source, side)
    if trim and (box := _ink(picture)):
        share = max((box[2] - box[0]) / picture.width, (box[3] - box[1]) / picture.height)
        if isinstance(source, str) and share < _SMALL:  # draw it again, as large as it should be
            picture = _opened(source, side * math.ceil(min(1 / share, _FINEST)))
            box = _ink(picture)
        picture = picture.crop(box)
    scale = side / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    canvas = Image.new("RGBA", (side, side), "white")
    canvas.alpha_composite(picture, ((side - size[0]) // 2, (side - size[1]) // 2))
    flat = canvas.convert("RGB")
    if np.asarray(flat).min() > _FAINTEST:
        raise RenderError("nothing is to be seen")
    return flat


def _opened(source: str | bytes, side: int) -> Image.Image:
    return Image.open(io.BytesIO(_png(source, side) if isinstance(source, str) else source)).convert("RGBA")


def _ink(picture: Image.Image) -> tuple[int, int, int, int] | None:
    """The box around what is not white; None where all is."""
    page = Image.new("RGBA", picture.size, "white")
    return ImageChops.difference(Image.alpha_composite(page, picture).convert("RGB"), page.convert("RGB")).getbbox()


def encoded(picture: Image.Image) -> bytes:
    """WebP."""
    out = io.BytesIO()
    picture.save(out, format="WEBP", quality=QUALITY, method=4)
    return out.getvalue()


def _png(svg: str, side: int) -> bytes:
    """Without fonts, which differ from machine to machine: letters that are no paths are not drawn."""
    import resvg_py  # here: the tests of all else do without it

    def draw(**size: int) -> bytes:
        return bytes(resvg_py.svg_to_bytes(svg_string=svg, dpi=96, skip_system_fonts=True, **size))

    try:
        png = draw(width=side)
        width, height = Image.open(io.BytesIO(png)).size
        return png if height <= width else draw(height=side)
    except ValueError as error:
        raise RenderError(str(error)) from error
