"""Every format but JPEG, and PIL images."""

import io
import struct

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from lit.arrays import Picture
from lit.errors import ImageError
from lit.images.arrays import from_array, over_white
from lit.images.orientation import upright
from lit.images.quiet import quiet

#: Pixels; a file that claims more is refused before anything is allocated.  Pillow's own limit for an error.
MAX_PIXELS = 178_956_970

#: What Pillow's plugins raise on damaged files, as found by feeding them such files.
_DECODER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    Image.DecompressionBombError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)

#: First bytes -> what it is, and what to do.  Pillow would hand EPS to an interpreter of PostScript.
_NOT_PICTURES = {
    b"%PDF": "a PDF; render a page to PNG first",
    b"%!PS": "PostScript, not pixels; render it to PNG first",
    b"\xc5\xd0\xd3\xc6": "EPS, not pixels; render it to PNG first",
    b"\x1f\x8b": "compressed (gzip); unpack it first",
    b"PK\x03\x04": "a ZIP archive; unpack it first",
    b"\x1aE\xdf\xa3": "a video; extract a frame first",
}
_HEIF = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_VIDEO = (b"isom", b"iso2", b"mp41", b"mp42", b"M4V ", b"qt  ", b"avc1")


def check_size(width: int, height: int, item: str) -> None:
    """Refuses a file that would fill the memory.

    Raises:
      ImageError: more than `MAX_PIXELS`.
    """
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"it claims {width} x {height} pixels, more than {MAX_PIXELS:,}; if that is true, shrink it first, or open "
            "it yourself and hand in the pixels.",
            item=item,
        )


def decode_bytes(data: bytes | memoryview, *, exif: bool, item: str) -> Picture:
    """Decodes a file's content: its first frame, turned upright if `exif`.

    Raises:
      ImageError: not a picture, a format that Pillow does not read, damaged, cut off, too large.
    """
    _refuse_what_is_no_picture(data, item)
    try:
        with quiet(), Image.open(io.BytesIO(data)) as image:
            check_size(*image.size, item)
            return _decode(image, exif=exif, item=item)
    except UnidentifiedImageError as error:
        raise ImageError(f"it is {_what(data)}.", item=item) from error
    except ImageError:
        raise
    except _DECODER_ERRORS as error:
        raise _damaged(error, item) from error


def from_image(image: Image.Image, *, exif: bool, item: str) -> Picture:
    """The pixels of a PIL image, at its current frame.

    It is turned upright only where it comes straight from a file: what was made from another image holds the pixels
    that its maker wants, though it may carry the old tag along.

    Raises:
      ImageError: it is closed, damaged, empty, or in a mode without a defined colour.
    """
    if 0 in image.size:
        raise ImageError(f"it has no pixels: its size is {image.size}.", item=item)
    try:
        with quiet():
            return _decode(image, exif=exif and isinstance(image, ImageFile.ImageFile), item=item)
    except ImageError:
        raise
    except _DECODER_ERRORS as error:
        raise _damaged(error, item) from error


def _decode(image: Image.Image, *, exif: bool, item: str) -> Picture:
    image.load()
    turn = _orientation(image) if exif else 1  # after load: it already turns a TIFF, and forgets the tag
    return upright(_to_rgb(image, item), turn)


def _to_rgb(image: Image.Image, item: str) -> Picture:
    mode = image.mode
    if mode in ("La", "RGBa"):  # premultiplied
        image = image.convert(mode.upper())
    see_through = "transparency" in image.info and mode in ("1", "L", "P", "RGB")
    if see_through or mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        return over_white(np.asarray(image.convert("RGBA")))
    if mode in ("1", "L", "F") or mode.startswith("I;16"):
        return from_array(np.asarray(image), item=item)
    if mode == "I":  # 16-bit grey in 32 bits, as Pillow reads PGM
        return from_array(_16_bits(np.asarray(image), item), item=item)
    return np.asarray(image.convert("RGB"))


def _16_bits(values: np.ndarray, item: str) -> np.ndarray:
    if values.min() < 0 or values.max() > 65_535:
        raise ImageError(
            f"its 32-bit values run from {values.min()} to {values.max()}; expected 0 to 65535. Scale them, or hand in "
            "a float array in [0, 1].",
            item=item,
        )
    return values.astype(np.uint16)


def _orientation(image: Image.Image) -> int:
    try:
        turn = image.getexif().get(0x0112, 1)
    except _DECODER_ERRORS:  # damaged EXIF beside sound pixels
        return 1
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1


def _refuse_what_is_no_picture(data: bytes | memoryview, item: str) -> None:
    head = bytes(data[:1024])
    if not head:
        raise ImageError("it is empty (0 bytes).", item=item)
    for start, what in _NOT_PICTURES.items():
        if head.startswith(start):
            raise ImageError(f"it is {what}.", item=item)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<?xml", b"<svg", b"<!doctype svg")) and b"<svg" in text:
        raise ImageError("it is SVG, a drawing without pixels; render it to PNG first.", item=item)
    if text.startswith((b"<!doctype html", b"<html")):
        raise ImageError("it is a web page, not a picture; perhaps a download that failed.", item=item)


def _what(data: bytes | memoryview) -> str:
    brand = bytes(data[8:12]) if bytes(data[4:8]) == b"ftyp" else b""
    if brand in _HEIF:
        return (
            "HEIC, which Pillow does not read by itself; convert it to JPEG, or install pillow-heif and call "
            "pillow_heif.register_heif_opener()"
        )
    if brand in _VIDEO:
        return "a video; extract a frame first"
    return f"no picture of a known format (it begins with {bytes(data[:8])!r}); convert it to JPEG or PNG"


def _damaged(error: BaseException, item: str) -> ImageError:
    if isinstance(error, Image.DecompressionBombError):
        return ImageError(f"it is too large: {error}", item=item)
    said = str(error) or type(error).__name__
    return ImageError(f"it is damaged, cut off or of an unknown kind (the decoder says: {said}).", item=item)
