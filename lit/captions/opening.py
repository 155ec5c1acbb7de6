"""The dataset behind a corpus, from whatever a user names; and what of it was no picture from the beginning."""

from collections.abc import Mapping
from pathlib import Path

from lit.captions.left_out import LeftOut, counted
from lit.datasets import Dataset, manifest_dataset, tfds_dataset
from lit.datasets.caption_folder import caption_folder
from lit.datasets.caption_tars import CaptionTars
from lit.datasets.manifest import SUFFIXES
from lit.datasets.open import holds_archives, is_path
from lit.datasets.webdataset import tar_paths
from lit.errors import DatasetError
from lit.images import find

#: Features of tfds that captions are looked for in, where none is named; the first is that of coco_captions.
FEATURES = ("captions/text", "captions", "caption", "texts", "text")


def open_captioned(
    source: str | Path, *, split: str | None, data_dir: str | Path | None, captions: str
) -> tuple[Dataset, LeftOut, Mapping[str, str]]:
    """Opens a dataset with captions; see `lit.captions.open_corpus`.

    Returns:
      The dataset; what is no example of it; and by id, why captions could not be read, as far as that is known by now.

    Raises:
      DatasetError: there is nothing, or nothing of the known kinds.
      MissingExtraError: a library is not installed.
    """
    if data_dir is not None or not is_path(source):
        return _prepared(str(source), split, data_dir, captions), LeftOut(), {}
    place = Path(source).expanduser()
    _refuse_choice("split", split, f"{source} is not of TensorFlow Datasets, which alone have splits")
    if place.suffix.lower() not in SUFFIXES:
        _refuse_choice("captions", captions, f"{source} is no manifest, which alone has columns to choose from")
    if place.suffix.lower() == ".tar" or (place.is_dir() and holds_archives(place)):
        if place.is_dir() and (beside := _picture_in(place)):
            raise DatasetError(
                f"{place} holds archives and pictures, such as {beside.name}: which of them is the corpus? Name "
                f"'{place}/*.tar', or put the pictures into a folder of their own."
            )
        tars = CaptionTars(tar_paths(f"{place}/*.tar" if place.is_dir() else source), name=str(source))
        return tars, counted(tars.refused()), {}
    if place.is_dir():
        folder, wrong = caption_folder(place)
        return folder, LeftOut(), wrong
    if not place.exists():
        raise DatasetError(f"there is no corpus {place}: neither a file nor a folder of this name.")
    if place.suffix.lower() not in SUFFIXES:
        raise DatasetError(
            f"{place} is no corpus: a folder of pictures with captions beside them (.txt), a manifest "
            f"({', '.join(SUFFIXES)}), archives (.tar), or a name of TensorFlow Datasets."
        )
    return manifest_dataset(place, label="", captions=captions, blanks=True), LeftOut(), {}


def _picture_in(folder: Path) -> Path | None:
    pictures = (p for p in folder.iterdir() if p.suffix.lower() in find.SUFFIXES and not p.name.startswith("."))
    return min(pictures, default=None)


def _refuse_choice(key: str, value: str | None, why: str) -> None:
    if value:
        raise DatasetError(f"{key} is {value!r}, and {why}; leave it out.")


def _prepared(name: str, split: str | None, data_dir: str | Path | None, captions: str) -> Dataset:
    """A dataset of tfds; the captions are where it is told, or in the first of `FEATURES` that holds texts."""
    if captions:
        return tfds_dataset(name, split=split, data_dir=data_dir, label="", captions=captions)
    tfds_dataset(name, split=split, data_dir=data_dir, label="")  # is it there at all?
    for feature in FEATURES:
        try:
            return tfds_dataset(name, split=split, data_dir=data_dir, label="", captions=feature)
        except DatasetError as error:
            why = error
    raise DatasetError(
        f"{name}: the feature with its captions is none of {', '.join(FEATURES)}; name it with captions=. {why}"
    )
