"""A folder of pictures with their captions beside them: `cat.jpg`, and `cat.txt` with a caption in each line."""

from pathlib import Path

from lit.datasets.fingerprint import content_key, fingerprint, local_file
from lit.datasets.listed import LOCAL, ListedDataset
from lit.datasets.record import Example
from lit.errors import DatasetError, InputError
from lit.images import find_images


def caption_folder(path: str | Path) -> tuple[ListedDataset, dict[str, str]]:
    """Opens a folder, to any depth (see `lit.images.find_images`).  A picture's id is its path below the folder.

    Returns:
      The pictures, with the lines of their text file, blank ones included; none where there is no such file.  A line
      ends where editors end one (LF, CR LF, CR), and not at the further characters of `str.splitlines`.
      And by id what is wrong with a text file: it is not UTF-8, or cannot be read.

    Raises:
      DatasetError: there are no pictures.
    """
    root = Path(path).expanduser()
    try:
        pictures = find_images(root)
    except InputError as error:
        raise DatasetError(str(error)) from error
    listed, files, wrong = [], [], {}
    for picture in pictures:
        name, beside = picture.relative_to(root).as_posix(), picture.with_suffix(".txt")
        texts: tuple[str, ...] = ()
        try:
            files.append(local_file(picture, name))
            if beside.is_file():
                files.append(local_file(beside, beside.relative_to(root).as_posix()))
                texts = tuple(beside.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n"))
        except UnicodeDecodeError as error:
            wrong[name] = f"{beside.name} is not UTF-8: {error}"
        except OSError as error:
            wrong[name] = f"it could not be read: {error}"
        listed.append(Example(name, picture, (), texts))
    texts_too = [(example.id, example.texts) for example in listed]
    dataset = ListedDataset(
        name=root.resolve().name,
        label_names=None,
        fingerprint=fingerprint(files, kind="caption folder"),
        content_key=content_key(files, kind="caption folder", rows=texts_too),
        description={
            "dataset": f"folder {root.resolve().name!r}",
            "source": LOCAL,
            "storage": "pictures with captions in .txt beside them",
        },
        listed=listed,
    )
    return dataset, wrong
