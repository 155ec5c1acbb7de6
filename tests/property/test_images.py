"""What holds for every picture."""

import io

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from lit.config import PreprocessConfig
from lit.errors import ImageError
from lit.images import preprocess, preprocess_batch, resize, to_range

unhurried = settings(deadline=None)  # a busy machine is no failure

sides = st.integers(1, 300)
configs = st.builds(
    lambda size, resize, resampler, rounding, low, span: PreprocessConfig(
        image_size=size,
        resize=resize,
        kernel=resampler[0],
        antialias=resampler[1],
        rounding="round" if resampler[1] else rounding,
        value_range=(low, low + span),
    ),
    st.integers(1, 80),
    st.sampled_from(["stretch", "crop"]),
    st.sampled_from([("bilinear", False), ("bilinear", True), ("bicubic", True)]),
    st.sampled_from(["truncate", "round"]),
    st.floats(-2, 2),
    st.floats(0.1, 4),
)


@st.composite
def pictures(draw, h=sides, w=sides):
    h, w, seed = draw(h), draw(w), draw(st.integers(0, 2**32 - 1))
    return np.random.default_rng(seed).integers(0, 256, (h, w, 3), dtype=np.uint8)


@unhurried
@given(pictures(), configs)
def test_shape_type_and_range(picture, config):
    small = resize(picture, config)
    assert small.dtype == np.uint8
    assert small.shape == (config.image_size, config.image_size, 3)
    pixels = to_range(small, config)
    low, high = config.value_range
    assert pixels.min() >= low - 1e-6
    assert pixels.max() <= high + 1e-6


@unhurried
@given(sides, sides, st.tuples(*[st.integers(0, 255)] * 3), configs)
def test_one_colour_stays_that_colour(h, w, colour, config):
    picture = np.broadcast_to(np.array(colour, np.uint8), (h, w, 3))
    np.testing.assert_array_equal(resize(picture, config), np.broadcast_to(colour, (config.image_size,) * 2 + (3,)))


@unhurried
@given(pictures(), st.integers(1, 80), st.sampled_from(["truncate", "round"]))
def test_bilinear_never_leaves_the_values_that_were_there(picture, size, rounding):
    small = resize(picture, PreprocessConfig(image_size=size, rounding=rounding))
    for channel in range(3):
        assert picture[..., channel].min() <= small[..., channel].min()
        assert small[..., channel].max() <= picture[..., channel].max()


@unhurried
@given(configs, st.data())
def test_own_size_changes_nothing(config, data):
    side = st.just(config.image_size)
    square = data.draw(pictures(side, side))
    np.testing.assert_array_equal(resize(square, config), square)


@unhurried
@given(pictures(), configs)
def test_channels_do_not_mix(picture, config):
    np.testing.assert_array_equal(resize(picture[..., ::-1], config), resize(picture, config)[..., ::-1])


@settings(max_examples=25, deadline=None)
@given(st.lists(pictures(), min_size=1, max_size=5), configs, st.randoms())
def test_a_picture_does_not_depend_on_its_neighbours(batch, config, random):
    order = random.sample(range(len(batch)), len(batch))
    _, pixels = preprocess_batch(batch, config, workers=2)
    _, shuffled = preprocess_batch([batch[i] for i in order], config, workers=1)
    np.testing.assert_array_equal(pixels[order], shuffled)
    np.testing.assert_array_equal(pixels[0], preprocess(batch[0], config))


def files():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 31, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    variants = [
        (image, "JPEG", {"exif": exif}),
        (image, "JPEG", {"progressive": True}),
        (image.convert("CMYK"), "JPEG", {}),
        (image.convert("RGBA"), "PNG", {"exif": exif}),
        (image.convert("P"), "PNG", {"transparency": 3}),
        (image, "GIF", {"save_all": True, "append_images": [image.rotate(90)]}),
        (image, "WEBP", {}),
        (image, "TIFF", {"compression": "tiff_lzw"}),
        (image, "BMP", {}),
        (image, "PPM", {}),
        (image, "ICO", {}),
        (image, "JPEG2000", {}),
        (image, "TGA", {"compression": "tga_rle"}),
    ]
    for variant, kind, options in variants:
        buffer = io.BytesIO()
        variant.save(buffer, kind, **options)
        yield buffer.getvalue()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(list(files())),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    st.floats(0, 1),
    st.booleans(),
)
def test_a_damaged_file_is_a_picture_or_an_image_error(data, changes, end, cut):
    damaged = bytearray(data)
    for place, value in changes:
        damaged[int(place**2 * (len(data) - 1))] = value  # squared: most of it in the header
    if cut:
        del damaged[int(end * len(data)) :]
    try:
        picture = preprocess(bytes(damaged), PreprocessConfig(image_size=8))
    except ImageError:
        return
    assert picture.shape == (8, 8, 3)
