"""A folder of class folders: the folder says what its pictures show."""

from pathlib import Path

from lit.datasets.fingerprint import content_key, fingerprint, local_file
from lit.datasets.listed import LOCAL, ListedDataset
from lit.datasets.record import Example
from lit.errors import DatasetError, InputError
from lit.images import SUFFIXES, find_images


def folder_dataset(path: str | Path) -> ListedDataset:
    """Opens `path/<class>/.../<picture>`.

    The label names are the folders' names, in order of their code points.  A picture's id is its path below `path`.
    Hidden files and folders are passed over, and so are files that are no pictures (see `lit.images.find_images`).

    Raises:
      DatasetError: there are no class folders; one has no pictures; or a picture lies beside them.
    """
    root = Path(path).expanduser()
    try:
        entries = sorted(entry for entry in root.iterdir() if not entry.name.startswith("."))
        folders = [entry for entry in entries if entry.is_dir()]
    except OSError as error:
        raise DatasetError(f"the folder {root} cannot be read: {error.strerror}.") from error
    loose = [entry.name for entry in entries if entry not in folders and entry.suffix.lower() in SUFFIXES]
    if loose or not folders:
        beside = f"{len(loose)} pictures lie in it directly ({loose[0]!r} first)" if loose else "it has no folders"
        raise DatasetError(f"{root} is no folder of class folders, {root}/<class>/<picture>: {beside}.")
    listed, files = [], []
    for label, folder in enumerate(folders):
        try:
            pictures = find_images(folder)
        except InputError as error:
            raise DatasetError(
                f"the class folder {folder.name!r} of {root}: {error} Remove it if it is no class."
            ) from error
        for picture in pictures:
            name = picture.relative_to(root).as_posix()
            listed.append(Example(name, picture, (label,)))
            files.append(local_file(picture, name))
    names = tuple(folder.name for folder in folders)
    return ListedDataset(
        name=root.resolve().name,
        label_names=names,
        fingerprint=fingerprint(files, kind="folder", label_names=names),
        content_key=content_key(files, kind="folder", label_names=names),
        description={
            "dataset": f"folder {root.resolve().name!r}",
            "source": LOCAL,
            "storage": f"{len(names)} class folders",
        },
        listed=listed,
    )
