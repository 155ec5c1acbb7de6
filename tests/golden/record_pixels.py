"""Records what TensorFlow makes of a few JPEGs, and copies small goldens of its resize.  Needs tensorflow, Pillow.

    python tests/golden/record_pixels.py GOLDEN_DIR

Writes tests/golden/data/pixels/: *.jpg, expected.json (SHA-256 of `tf.io.decode_jpeg(..., channels=3)` with either DCT,
and of the 64-pixel resize of the default one), resize.npz (inputs, and outputs of 64 pixels) and resize_224.json.
"""

import hashlib
import io
import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

DATA = Path(__file__).parent / "data" / "pixels"
LARGE = ("224x224", "448x449", "astro384x400")


def sha256(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def jpeg(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def without_adobe(data):
    start = data.index(b"\xff\xee")
    return data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :]


def jpegs(picture):
    image = Image.fromarray(picture)
    cmyk = jpeg(image.convert("CMYK"), quality=80)
    return {
        "420": jpeg(image, quality=80, subsampling=2),
        "422": jpeg(image, quality=80, subsampling=1),
        "444": jpeg(image, quality=95, subsampling=0),
        "coarse": jpeg(image, quality=8),
        "progressive": jpeg(image, quality=80, progressive=True),
        "restart": jpeg(image, quality=80, restart_marker_rows=1),
        "grey": jpeg(image.convert("L"), quality=80),
        "odd": jpeg(image.crop((3, 5, 56, 42)), quality=80),
        "cmyk": cmyk,
        "cmyk-plain": without_adobe(cmyk),
    }


def main(golden):
    pictures, resized = np.load(golden / "pp_images.npz"), np.load(golden / "preprocess.npz")
    photo = np.load(golden / "images.npz")["img0"][60:180:1, 20:180:1]
    expected = {}
    for name, data in jpegs(photo).items():
        (DATA / f"{name}.jpg").write_bytes(data)
        default = tf.io.decode_jpeg(data, channels=3)
        accurate = tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")
        small = tf.cast(tf.image.resize(default, (64, 64)), tf.uint8)
        expected[name] = {"tf": sha256(default), "accurate": sha256(accurate), "resized": sha256(small)}
    about = {"tensorflow": tf.__version__, "jpegs": expected}
    (DATA / "expected.json").write_text(json.dumps(about, indent=1) + "\n")
    kept = {f"in/{name}": pictures[name] for name in pictures.files if name not in LARGE}
    small = {k: resized[k] for k in resized.files if "/64/" in k and k.split("/")[0] not in LARGE}
    np.savez_compressed(DATA / "resize.npz", **kept, **small)
    large = {k: sha256(resized[k]) for k in resized.files if "/224/" in k and k.split("/")[0] not in LARGE}
    (DATA / "resize_224.json").write_text(json.dumps(large, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
