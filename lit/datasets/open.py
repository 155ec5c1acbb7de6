"""The dataset behind whatever a user names."""

from pathlib import Path

from lit.datasets.folder import folder_dataset
from lit.datasets.manifest import SUFFIXES, manifest_dataset
from lit.datasets.record import Dataset
from lit.datasets.tfds import Reader, tfds_dataset
from lit.datasets.webdataset import braces_expanded, webdataset
from lit.errors import DatasetError


def open_dataset(
    source: str | Path,
    *,
    split: str | None = None,
    data_dir: str | Path | None = None,
    reader: Reader = "auto",
    image: str = "image",
    label: str = "label",
    identity: str = "",
    captions: str = "",
) -> Dataset:
    """Opens a dataset of tfds by name, or what lies at a path.

    Args:
      source: a `Path`, or a text that is the path of something there, or ends or looks like an archive, a manifest or a
        folder ("./photos", "photos/"): see `local_dataset`.  Any other text, or any text with `data_dir`, is a name of
        tfds: see `tfds_dataset`.
      split, data_dir, reader, image, label, identity, captions: of tfds; a local dataset has no use for them.

    Raises:
      DatasetError: see there.
      MissingExtraError: a library is not installed.
    """
    if data_dir is None and is_path(source):
        return local_dataset(source)
    return tfds_dataset(
        str(source),
        split=split,
        data_dir=data_dir,
        reader=reader,
        image=image,
        label=label,
        identity=identity,
        captions=captions,
    )


def local_dataset(path: str | Path) -> Dataset:
    """Opens a folder of class folders, a manifest (CSV, TSV, JSON lines, Parquet) or WebDataset archives.

    Args:
      path: a folder; a file with the suffix of its kind; for archives also `shards-{000..009}.tar`, `shards-*.tar`, or
        a folder with nothing but them.

    Raises:
      DatasetError: there is nothing, or nothing of these kinds.
      MissingExtraError: a library is not installed.
    """
    place = Path(path).expanduser()
    if place.is_dir():
        return webdataset(f"{place}/*.tar") if holds_archives(place) else folder_dataset(place)
    if place.suffix.lower() == ".tar":
        return webdataset(path)
    if place.suffix.lower() in SUFFIXES:
        if not place.exists():
            raise DatasetError(f"there is no file {place}.")
        return manifest_dataset(place)
    kinds = f"a folder of class folders, a manifest ({', '.join(SUFFIXES)}), or archives (.tar)"
    what = "is none of these" if place.exists() else "is not there"
    raise DatasetError(f"{place} {what}: {kinds}.")


def holds_archives(folder: Path) -> bool:
    """Whether there are tar files in a folder, and no folders."""
    folders = (entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    return any(folder.glob("*.tar")) and not any(folders)


def is_path(source: str | Path) -> bool:
    """Whether it names something on this machine, rather than a dataset of tfds; see `open_dataset`."""
    if isinstance(source, Path):
        return True
    ends = Path(source).suffix.lower() in (".tar", *SUFFIXES)
    looks = source.startswith((".", "~", "/")) or source.endswith("/") or braces_expanded(source) != [source]
    return ends or looks or Path(source).exists()
