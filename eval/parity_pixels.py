"""Resized pixels against recorded outputs of the original preprocessing, all of them.

    python eval/parity_pixels.py --golden DIR

DIR/pp_images.npz and DIR/preprocess.npz hold pictures and what vit_jax made of them, DIR/images.npz and
DIR/model_images_preprocessed.npz those of the model goldens.  Prints differing values, which must be none, and exits
with 1 if there is one.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from lit.config import PreprocessConfig
from lit.images import resize

MODES = {"nocrop": "stretch", "crop": "crop"}


def cases(golden):
    """Yields (name, picture, expected, size, mode)."""
    pictures, resized = np.load(golden / "pp_images.npz"), np.load(golden / "preprocess.npz")
    for key in resized.files:
        name, size, mode = key.split("/")
        yield key, pictures[name], resized[key], int(size), MODES[mode]
    pictures, resized = np.load(golden / "images.npz"), np.load(golden / "model_images_preprocessed.npz")
    for key in resized.files:
        size, mode = key.split("/")
        for i, expected in enumerate(resized[key]):
            yield f"img{i}/{key}", pictures[f"img{i}"], expected, int(size), MODES[mode]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--golden", type=Path, required=True)
    differing = values = 0
    for name, picture, expected, size, mode in cases(parser.parse_args().golden):
        wrong = int((resize(picture, PreprocessConfig(image_size=size, resize=mode)) != expected).sum())
        if wrong:
            print(f"{name}: {wrong} of {expected.size} values differ")
        differing, values = differing + wrong, values + expected.size
    print(f"{differing} of {values:,} values differ")
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())
