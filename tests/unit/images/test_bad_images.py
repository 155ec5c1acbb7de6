"""Every way a picture can be unusable: its own message, which names the item."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from lit.config import PreprocessConfig
from lit.errors import ImageError, InputError
from lit.images import decode, preprocess
from lit.images.pillow import MAX_PIXELS

CONFIG = PreprocessConfig(image_size=32)
PHOTO = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def encoded(kind, image=PHOTO, **options):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()


def refused(image):
    with pytest.raises(ImageError) as caught:
        preprocess(image, CONFIG)
    assert isinstance(caught.value, InputError)
    assert str(caught.value) == f"{caught.value.item}: {caught.value.reason}"
    return caught.value


def test_missing_file(tmp_path):
    error = refused(tmp_path / "nothing.jpg")
    assert error.item == str(tmp_path / "nothing.jpg")
    assert "no such file" in error.reason
    assert "download it first" in refused("https://example.org/cat.jpg").reason


def test_folder(tmp_path):
    assert refused(tmp_path).reason == "it is a folder; lit.images.find_images lists the pictures in it."


def test_device():
    assert refused("/dev/null").reason == "it is a device or a socket, not a file."


def test_unreadable_file(tmp_path, monkeypatch):
    from pathlib import Path

    def deny(self):
        raise PermissionError(13, "Permission denied", str(self))

    (tmp_path / "secret.jpg").write_bytes(encoded("JPEG"))
    monkeypatch.setattr(Path, "read_bytes", deny)  # the tests may run as root, whom no mode stops
    assert "permission denied" in refused(tmp_path / "secret.jpg").reason


def test_path_that_cannot_be(tmp_path):
    with pytest.raises(ImageError, match=r"^'a\\x00b\.jpg': it cannot be read"):
        preprocess("a\0b.jpg", CONFIG)
    with pytest.raises(ImageError, match="^'': there is no such file"):
        preprocess("", CONFIG)
    assert "cannot be read" in refused("x" * 5000).reason


def test_bytes_of_any_shape_are_the_same_bytes():
    rows = memoryview(PHOTO[:8])
    error = refused(rows)
    assert error.item == "<1,920 bytes>"
    assert f"begins with {rows.tobytes()[:8]!r}" in error.reason
    assert error.reason == refused(memoryview(np.asfortranarray(PHOTO[:8]))).reason


def test_empty_file(tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    error = refused(tmp_path / "empty.png")
    assert error.item.endswith("empty.png")
    assert "empty (0 bytes)" in error.reason
    assert "empty (0 bytes)" in refused(b"").reason


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("part", [0.3, 0.7, 0.98])
def test_truncated_file(kind, part):
    data = encoded(kind)
    error = refused(data[: int(len(data) * part)])
    assert "cut off" in error.reason or "no picture of a known format" in error.reason


def test_damaged_jpeg():
    data = bytearray(encoded("JPEG"))
    scan = data.index(b"\xff\xda")
    data[scan + 200 : scan + 202] = b"\xff\xd0"  # a restart marker where none belongs
    assert "cut off or damaged" in refused(bytes(data)).reason


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"this is a letter", "no picture of a known format"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"<svg width='3'/>", "SVG"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "PostScript"),
        (b"PK\x03\x04....", "ZIP"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64), "HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0" + bytes(64), "video"),
    ],
)
def test_what_is_no_picture(data, what):
    assert what in refused(data).reason


def png_header(width, height):
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    pixels = b"IDAT" + zlib.compress(b"\0" * 100)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk
        + struct.pack(">I", len(pixels) - 4) + pixels + struct.pack(">I", zlib.crc32(pixels))
    )  # fmt: skip


def test_decompression_bomb():
    assert "too large" in refused(png_header(60_000, 60_000)).reason
    jpeg = bytearray(encoded("JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 65_500, 65_500)
    error = refused(bytes(jpeg))
    assert "65500 x 65500" in error.reason
    assert f"{MAX_PIXELS:,}" in error.reason


@pytest.mark.parametrize(
    ("array", "what"),
    [
        (np.zeros((0, 5, 3), np.uint8), "no pixels"),
        (np.zeros((5, 0), np.uint8), "no pixels"),
        (np.zeros((3, 20, 30), np.uint8), "transpose(1, 2, 0)"),
        (np.zeros((20, 30, 2), np.uint8), "2 channels"),
        (np.zeros((20, 30, 7), np.uint8), "7 channels"),
        (np.zeros((2, 20, 30, 3), np.uint8), "list(array)"),
        (np.zeros(20, np.uint8), "its shape is (20,)"),
        (np.float32(3), "its shape is ()"),
        (np.full((4, 4, 3), np.nan), "48 of its 48 values are NaN"),
        (np.where(np.eye(4) > 0, np.inf, 0.5), "4 of its 16 values are NaN or infinite"),
        (np.full((4, 4, 3), 254.0, np.float32), "divide by 255"),
        (np.linspace(-1, 1, 16).reshape(4, 4), "(array + 1) / 2"),
        (np.full((4, 4), 1e9), "scale them to [0, 1]"),
        (np.full((4, 4), 256, np.int64), "run from 256 to 256; expected 0 to 255"),
        (np.full((4, 4), -1, np.int8), "run from -1 to -1"),
        (np.zeros((4, 4), np.complex64), "its type is complex64"),
        (np.zeros((4, 4), object), "its type is object"),
    ],
)
def test_odd_arrays(array, what):
    assert what in refused(array).reason


@pytest.mark.parametrize("thing", [None, 3, [[1, 2], [3, 4]], {"path": "a.jpg"}])
def test_what_cannot_be_a_picture(thing):
    assert "hand in a path, bytes, a file object, a PIL image or an array" in refused(thing).reason


def test_odd_pil_images():
    assert "no pixels" in refused(Image.new("RGB", (0, 5))).reason
    closed = Image.open(io.BytesIO(encoded("PNG")))
    closed.close()
    assert "damaged, cut off" in refused(closed).reason
    lazy = Image.open(io.BytesIO(encoded("PNG")[:2000]))
    assert "cut off" in refused(lazy).reason
    assert "expected 0 to 65535" in refused(Image.fromarray(np.full((4, 4), -5, np.int32))).reason
    assert "[0, 1]" in refused(Image.fromarray(np.full((4, 4), 7.5, np.float32))).reason


def test_odd_file_objects(tmp_path):
    (tmp_path / "photo.png").write_bytes(encoded("PNG"))
    with (tmp_path / "photo.png").open(encoding="latin-1") as text:
        error = refused(text)
    assert "mode 'rb'" in error.reason
    assert error.item == str(tmp_path / "photo.png")
    closed = io.BytesIO(b"")
    closed.close()
    assert "closed file" in refused(closed).reason


def test_pillow_plugin_errors_are_image_errors():
    """A PNG whose text chunk unpacks to a bomb of its own."""
    text = b"zTXtComment\0\0" + zlib.compress(b"\0" * 2**27)
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    data = encoded("PNG")
    end = data.index(b"IDAT") - 4
    assert "the decoder says" in refused(data[:end] + chunk + data[end:]).reason


def test_decode_reads_files_at_their_full_size():
    assert decode(encoded("PNG"), CONFIG).shape == PHOTO.shape
