"""JPEG through libjpeg-turbo, by way of simplejpeg: the decoder's settings decide the pixels.

`tf.io.decode_jpeg` uses the fast DCT and smooth ("fancy") chroma upsampling unless it is told otherwise, and published
LiT figures were made with it; Pillow and TF's INTEGER_ACCURATE use the accurate DCT.  simplejpeg reaches both, bit for
bit, and is about a quarter faster than TF on a small photograph.
"""

from typing import Literal

import numpy as np
import simplejpeg

from lit.arrays import Picture
from lit.errors import ImageError
from lit.images import pillow
from lit.images.orientation import JpegHeader, read_jpeg_header, upright
from lit.images.workspace import Workspace

#: libjpeg's warnings that cost no pixel; every other one means lost or invented pixels.
_HARMLESS = ("extraneous bytes", "unknown JFIF revision", "Unknown Adobe", "Invalid SOS parameters", "ICC profile")


def is_jpeg(data: bytes | memoryview) -> bool:
    """By its first three bytes."""
    return bytes(data[:3]) == b"\xff\xd8\xff"


def decode_jpeg(
    data: bytes | memoryview,
    *,
    dct: Literal["tf", "accurate"],
    exif: bool,
    item: str,
    workspace: Workspace | None = None,
) -> Picture:
    """Decodes a JPEG.

    Args:
      data: the file's content.
      dct: "tf" is the fast DCT, "accurate" the accurate one.
      exif: turn the picture upright.
      item: for messages.
      workspace: where the pixels are written, until it is asked again; None for a new array.

    Raises:
      ImageError: it is cut off, damaged or too large.
    """
    header = read_jpeg_header(data)
    if header.stray:  # every decoder skips these, but simplejpeg takes them for damage
        data = _without(data, header.stray)
    try:
        picture = _decode(data, header, dct, item, workspace)
    except ImageError:
        raise
    except (ValueError, LookupError) as error:  # LookupError: a colour space that simplejpeg has no name for
        reason = str(error)
        if "remature end" in reason or "Corrupt" in reason:
            raise ImageError(f"the JPEG is cut off or damaged ({reason}); get the file again.", item=item) from error
        # A layout that simplejpeg does not know (odd chroma subsampling, arithmetic coding): Pillow may.
        return pillow.decode_bytes(data, exif=exif, item=item)
    return upright(picture, header.orientation) if exif else picture


def _decode(data: bytes | memoryview, header: JpegHeader, dct: str, item: str, workspace: Workspace | None) -> Picture:
    rows, columns, colours, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    height, width = int(rows), int(columns)
    pillow.check_size(width, height, item)
    four = colours in ("CMYK", "YCCK")
    if four and dct == "accurate":
        return pillow.decode_bytes(data, exif=False, item=item)
    shape = height, width, 4 if four else 3
    buffer = np.empty(shape, np.uint8) if workspace is None else workspace.array("jpeg", shape)
    settings = {"colorspace": "CMYK" if four else "RGB", "fastdct": dct == "tf", "buffer": buffer}
    try:
        pixels = simplejpeg.decode_jpeg(data, strict=True, **settings)
    except ValueError as error:
        if not any(warning in str(error) for warning in _HARMLESS):
            raise
        pillow.decode_bytes(data, exif=False, item=item)  # strict decoding stopped early; Pillow reads to the end
        pixels = simplejpeg.decode_jpeg(data, strict=False, **settings)
    return _from_cmyk(pixels, inverted=header.adobe) if four else pixels


def _from_cmyk(pixels: np.ndarray, *, inverted: bool) -> Picture:
    """RGB as TF makes it, bit for bit: ink times ink, integer division.  Adobe stores ink inverted."""
    light = pixels.astype(np.uint16) if inverted else 255 - pixels.astype(np.uint16)
    return (light[..., :3] * light[..., 3:] // 255).astype(np.uint8)


def _without(data: bytes | memoryview, ranges: tuple[tuple[int, int], ...]) -> bytes:
    kept, place = [], 0
    for start, end in ranges:
        kept.append(bytes(data[place:start]))
        place = end
    return b"".join([*kept, bytes(data[place:])])
