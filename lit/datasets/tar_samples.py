"""Which files in a tar belong together, and where their bytes lie; from its headers alone."""

import dataclasses
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

from lit.errors import DatasetError

#: Members that are pictures.
PICTURES = ("jpg", "jpeg", "png", "webp")
#: Source: webdataset/tariterators.py, base_plus_ext: the key ends at the first dot of the member's own name.
_MEMBER = re.compile(r"((?:.*/|)[^.]+)[.]([^/]*)", re.DOTALL)
#: Source: the same file, tar_file_iterator: what the format keeps to itself.
_RESERVED = re.compile(r"__[^/]*__($|/)")


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """Files of one name: extension -> offset and size of the data in the tar."""

    tar: Path
    key: str
    members: dict[str, tuple[int, int]]


#: Why a sample is none, and the sample.
Refused = tuple[str, Sample]
NO_PICTURE, SEVERAL_PICTURES = "there is no picture", "there is more than one picture"


def samples_of(path: Path, *, refused: list[Refused] | None = None) -> list[Sample]:
    """The samples of one tar, in order.

    Args:
      path: of the tar.
      refused: takes the samples that have not exactly one picture; None: such a sample is an error.

    Raises:
      DatasetError: the tar is damaged, a sample comes twice, its files are not next to each other, or it has not
        exactly one picture.
    """
    samples: dict[str, Sample] = {}
    last = ""
    for member, offset, size in _members(path):
        match = _MEMBER.fullmatch(member)
        if not match or _RESERVED.match(member):
            continue
        key, extension = match[1], match[2].lower()
        if key in samples and extension in samples[key].members:
            raise DatasetError(f"{path}: the sample {key!r} is there twice (member {member!r}).")
        if key in samples and key != last:
            raise DatasetError(
                f"{path}: the files of sample {key!r} are not next to each other ({member!r} comes after {last!r}). "
                "Make the archive in order: tar --sort=name -cf ..."
            )
        sample = samples.setdefault(key, Sample(path, key, {}))
        sample.members[extension] = (offset, size)
        last = key
    for sample in list(samples.values()):
        pictures = [extension for extension in PICTURES if extension in sample.members]
        if len(pictures) != 1 and refused is not None:
            refused.append((SEVERAL_PICTURES if pictures else NO_PICTURE, samples.pop(sample.key)))
        elif len(pictures) != 1:
            raise DatasetError(
                f"{path}, sample {sample.key!r} has {len(pictures)} pictures; it should have one, "
                f".{' or .'.join(PICTURES)}. It consists of: {', '.join('.' + e for e in sample.members)}."
            )
    return list(samples.values())


def _members(path: Path) -> Iterator[tuple[str, int, int]]:
    """Name, offset and size of each file in a tar.

    tarfile takes a damaged or missing header for the end; so the end mark is looked for here.
    """
    last = "the beginning"
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                last = f"the member {member.name!r}"
                if member.isreg():
                    yield member.name, member.offset_data, member.size
            end = tar.offset
        with path.open("rb") as file:
            file.seek(end)
            if file.read(tarfile.BLOCKSIZE) != b"\0" * tarfile.BLOCKSIZE:
                raise DatasetError(f"{path} is cut off or damaged after {last}; copy it again.")
    except tarfile.TarError as error:
        hint = " Archives must not be compressed." if _is_compressed(path) else ""
        raise DatasetError(f"{path} is cut off or damaged at or after {last}: {error}.{hint}") from error
    except OSError as error:
        raise DatasetError(f"{path} could not be read: {error}.") from error


def _is_compressed(path: Path) -> bool:
    """Whether a file begins as gzip, bzip2, xz or Zstandard files do."""
    with path.open("rb") as file:
        return file.read(4).startswith((b"\x1f\x8b", b"BZh", b"\xfd7zX", b"\x28\xb5\x2f\xfd"))
