"""The EXIF orientation: where a JPEG keeps it, and how a picture is turned upright.

Source: CIPA DC-008 (Exif 2.32), tag 0x0112; JPEG's segments: ITU-T T.81, annex B.
"""

import struct
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from lit.arrays import Picture

_EXIF = b"Exif\0\0"
_ORIENTATION = 0x0112
#: Start of scan, end of image.
_LAST = (0xDA, 0xD9)
#: Markers without a length: TEM, RST0 to RST7, SOI.
_BARE = (0x01, *range(0xD0, 0xD9))


@dataclass(frozen=True)
class JpegHeader:
    """What the segments before the pixels say.

    Attributes:
      orientation: 1 (upright) to 8.
      adobe: an Adobe segment is there, and so CMYK is stored inverted.
      stray: (start, end) of bytes between segments that belong to none.
    """

    orientation: int = 1
    adobe: bool = False
    stray: tuple[tuple[int, int], ...] = ()


def read_jpeg_header(data: bytes | memoryview) -> JpegHeader:
    """Walks the segments up to the first scan; a damaged header simply ends the walk."""
    orientation, adobe, stray = 1, False, []
    place = 2
    while place + 4 <= len(data):
        begin = place
        while place + 4 <= len(data) and not (data[place] == 0xFF and data[place + 1] not in (0x00, 0xFF)):
            place += 1
        if any(byte != 0xFF for byte in data[begin:place]):  # 0xFF may fill the space before a marker
            stray.append((begin, place))
        marker = data[place + 1]
        if marker in _LAST:
            break
        if marker in _BARE:
            place += 2
            continue
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        segment = bytes(data[place + 4 : place + 2 + length]) if marker in (0xE1, 0xEE) else b""
        if segment.startswith(_EXIF) and orientation == 1:
            orientation = _from_tiff(segment[len(_EXIF) :])
        adobe = adobe or segment.startswith(b"Adobe")
        place += 2 + length
    return JpegHeader(orientation, adobe, tuple(stray))


def _from_tiff(tiff: bytes) -> int:
    """Orientation from the first directory of a TIFF structure; 1 where there is none."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, start)
        for i in range(entries):
            tag, kind, count, value = struct.unpack_from(order + "HHIH", tiff, start + 2 + 12 * i)
            if tag == _ORIENTATION:
                return value if kind == 3 and count == 1 and 1 <= value <= 8 else 1
    except struct.error:  # cut off: no orientation can be read
        return 1
    return 1


def upright(picture: Picture, orientation: int) -> UInt8[np.ndarray, "rows columns 3"]:
    """Turns and mirrors a stored picture as its orientation says; a view."""
    if orientation in (5, 6, 7, 8):
        picture = picture.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    return picture
