"""What each kind of input becomes: the table of `lit.images`, row by row."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from lit.config import PreprocessConfig
from lit.images import decode

CONFIG = PreprocessConfig()
PHOTO = np.random.default_rng(0).integers(0, 256, (12, 17, 3), dtype=np.uint8)


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(image, kind, config=CONFIG, **options):
    return decode(encoded(image, kind, **options), config)


def test_path_bytes_and_file_object_are_the_same_picture(tmp_path):
    data = encoded(Image.fromarray(PHOTO), "PNG")
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    with path.open("rb") as file:
        sources = [path, str(path), data, bytearray(data), memoryview(data), io.BytesIO(data), file]
        for source in sources:
            np.testing.assert_array_equal(decode(source, CONFIG), PHOTO)


def test_suffix_does_not_matter(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(Image.fromarray(PHOTO), "PNG"))
    np.testing.assert_array_equal(decode(path, CONFIG), PHOTO)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "TGA", "GIF", "WEBP"])
def test_lossless_formats(kind):
    image = Image.fromarray(PHOTO)
    if kind == "GIF":
        image = image.quantize(255)
    options = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(decoded(image, kind, **options), np.asarray(image.convert("RGB")))


def test_grey_becomes_three_equal_channels():
    grey = PHOTO[..., 0]
    want = np.repeat(grey[..., None], 3, axis=2)
    np.testing.assert_array_equal(decoded(Image.fromarray(grey), "PNG"), want)
    np.testing.assert_array_equal(decode(grey, CONFIG), want)
    np.testing.assert_array_equal(decode(grey[..., None], CONFIG), want)


def test_one_bit_is_black_and_white():
    bits = PHOTO[..., 0] > 127
    want = np.where(bits, 255, 0)[..., None].repeat(3, 2)
    np.testing.assert_array_equal(decoded(Image.fromarray(bits), "PNG"), want)
    np.testing.assert_array_equal(decode(bits, CONFIG), want)


def test_sixteen_bit_grey_is_scaled_not_clipped():
    deep = np.array([[0, 127, 128, 129, 256, 257, 32767, 65407, 65535]], np.uint16)
    want = np.rint(deep / 257).astype(np.uint8)
    for pixels in (decode(deep, CONFIG), decoded(Image.fromarray(deep), "PNG"), decoded(Image.fromarray(deep), "TIFF")):
        np.testing.assert_array_equal(pixels, want[..., None].repeat(3, 2))
    pgm = b"P5 9 1 65535\n" + deep.astype(">u2").tobytes()
    np.testing.assert_array_equal(decode(pgm, CONFIG)[..., 0], want)


def test_alpha_is_laid_over_white():
    rgba = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 0, 0, 128], [200, 100, 0, 51]]], np.uint8)
    want = [[[10, 20, 30], [255, 255, 255], [127, 127, 127], [244, 224, 204]]]
    assert decode(rgba, CONFIG).tolist() == want
    assert decoded(Image.fromarray(rgba), "PNG").tolist() == want
    grey = Image.fromarray(rgba).convert("LA")
    assert decoded(grey, "PNG")[0, 1].tolist() == [255, 255, 255]
    premultiplied = Image.fromarray(rgba).convert("RGBa")
    assert decode(premultiplied, CONFIG)[0, 1].tolist() == [255, 255, 255]


def test_transparent_palette_colour_is_white():
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8)).convert("P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    for kind in ("PNG", "GIF"):
        assert decoded(image, kind, transparency=1).tolist() == [[[255, 0, 0], [255, 255, 255], [0, 0, 255]]]
    alphas = bytes([255, 0, 128])  # one for each colour
    assert decoded(image, "PNG", transparency=alphas).tolist() == [[[255, 0, 0], [255, 255, 255], [127, 127, 255]]]


def test_transparent_colour_of_an_rgb_png_is_white():
    image = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
    assert decoded(image, "PNG", transparency=(1, 2, 3)).tolist() == [[[255, 255, 255], [4, 5, 6]]]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_animations_give_their_first_frame(kind):
    frames = [Image.new("RGB", (5, 4), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels = decoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    np.testing.assert_array_equal(pixels, np.full((4, 5, 3), (255, 0, 0)))


def test_pil_image_at_its_current_frame():
    frames = [Image.new("RGB", (5, 4), colour) for colour in ("red", "lime")]
    image = Image.open(io.BytesIO(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])))
    image.seek(1)
    assert decode(image, CONFIG)[0, 0].tolist() == [0, 255, 0]


@pytest.mark.parametrize("mode", ["YCbCr", "HSV", "CMYK", "P", "RGBX"])
def test_pil_modes_that_pillow_converts(mode):
    image = Image.fromarray(PHOTO).convert(mode)
    np.testing.assert_array_equal(decode(image, CONFIG), np.asarray(image.convert("RGB")))


def test_floats_in_0_1():
    exact = (PHOTO / 255).astype(np.float32)
    for array in (exact, exact.astype(np.float64), exact * np.float32(1.000001)):
        np.testing.assert_array_equal(decode(array, CONFIG), PHOTO)
    assert np.abs(decode(exact.astype(np.float16), CONFIG).astype(int) - PHOTO).max() <= 1
    assert decode(np.array([[0.0, 0.5, 1.0]]), CONFIG)[0, :, 0].tolist() == [0, 128, 255]
    tiff = decoded(Image.fromarray(exact[..., 0]), "TIFF")
    np.testing.assert_array_equal(tiff[..., 0], PHOTO[..., 0])


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint32", "uint64", ">i4"])
def test_other_integers_in_0_255(dtype):
    array = (PHOTO // 2).astype(dtype)
    np.testing.assert_array_equal(decode(array, CONFIG), PHOTO // 2)


def test_big_endian_and_strided_arrays():
    deep = (PHOTO.astype(np.uint16) * 257).astype(">u2")
    np.testing.assert_array_equal(decode(deep, CONFIG), PHOTO)
    np.testing.assert_array_equal(decode(PHOTO[::-2, ::3, ::-1], CONFIG), PHOTO[::-2, ::3, ::-1].copy())


def test_other_arrays_are_taken_by_their_array_protocol():
    import jax.numpy as jnp

    np.testing.assert_array_equal(decode(jnp.asarray(PHOTO), CONFIG), PHOTO)


# Where EXIF orientation 1 to 8 puts the upright picture's rows and columns.
STORED = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: p.transpose(1, 0, 2)[::-1],
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: p.transpose(1, 0, 2)[:, ::-1],
}


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", STORED)
def test_exif_orientation(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](PHOTO)))
    options = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(decoded(stored, kind, exif=exif, **options), PHOTO)


@pytest.mark.parametrize("orientation", STORED)
def test_exif_orientation_of_jpeg_is_what_pillow_reads(orientation):
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x010F] = "a maker's name"
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(PHOTO), "JPEG", exif=exif)
    image = Image.open(io.BytesIO(data))
    accurate, as_stored = PreprocessConfig(jpeg="accurate"), PreprocessConfig(jpeg="accurate", exif=False)
    np.testing.assert_array_equal(decode(data, accurate), np.asarray(ImageOps.exif_transpose(image)))
    np.testing.assert_array_equal(decode(data, as_stored), np.asarray(image))
    # A PIL image straight from a file is that file; one made from it is the pixels that its maker wants.
    np.testing.assert_array_equal(decode(Image.open(io.BytesIO(data)), accurate), decode(data, accurate))
    np.testing.assert_array_equal(decode(image.convert("RGB"), accurate), np.asarray(image))


@pytest.mark.parametrize(
    "start", [b"MM\0*\0\0\0\x08\0\x01", b"II*\0\xff\xff\xff\xff", b"", b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03"]
)
def test_damaged_exif_is_no_exif(start):
    data = encoded(Image.fromarray(PHOTO), "JPEG")
    segment = b"Exif\0\0" + start
    with_exif = data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]
    np.testing.assert_array_equal(decode(with_exif, CONFIG), decode(data, CONFIG))


def test_stray_bytes_between_jpeg_segments_are_skipped_as_tensorflow_does():
    data = encoded(Image.fromarray(PHOTO), "JPEG")
    scan = data.index(b"\xff\xda")
    np.testing.assert_array_equal(decode(data[:scan] + b"\x00\x01\x02" + data[scan:], CONFIG), decode(data, CONFIG))
    np.testing.assert_array_equal(decode(data + b"trailing bytes", CONFIG), decode(data, CONFIG))


def test_jpeg_decoders_differ_a_little():
    smooth = Image.fromarray(PHOTO).resize((64, 64))
    difference = decoded(smooth, "JPEG").astype(int) - decoded(smooth, "JPEG", PreprocessConfig(jpeg="accurate"))
    assert 0 < np.abs(difference).mean() < 1.5


def test_icc_profiles_are_ignored():
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    np.testing.assert_array_equal(decoded(Image.fromarray(PHOTO), "PNG", icc_profile=profile), PHOTO)


def test_pillow_warnings_stay_inside():
    before = list(warnings.filters)
    big = Image.new("1", (10_000, 9_000))  # more than Pillow warns of, fewer than it refuses
    assert decoded(big, "PNG").shape == (9_000, 10_000, 3)
    assert list(warnings.filters) == before
