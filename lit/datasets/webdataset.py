"""WebDataset archives: tar files whose members belong together by name, `0001.jpg 0001.cls 0001.txt`.

Read with the standard library: it gives lengths and positions, so shards are exact and nothing is read twice, and it
says which member is broken.  The library of that name streams, knows no length, and would be a dependency for a format
that a paragraph describes.
"""

import functools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from glob import glob
from pathlib import Path
from typing import BinaryIO

from lit.datasets.fingerprint import content_key, fingerprint, local_file
from lit.datasets.listed import LOCAL, class_names_beside, label_number
from lit.datasets.record import Example
from lit.datasets.tar_content import captions_in, decoded, labels_in, opened, parsed, read_member
from lit.datasets.tar_samples import PICTURES, Sample, samples_of
from lit.errors import DatasetError

_BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}|\{([^{}]*,[^{}]*)\}")


def webdataset(pattern: str | Path | Sequence[str | Path]) -> "TarDataset":
    """Opens tar files.

    A sample is a picture (`PICTURES`) with a label (`.cls`, a number; or `.json`, {"label": number or name}) and
    captions (`.txt`; or `.json`, "caption", "text", or lists of these).  Its id is the tar's name and the key.  Label
    names are the lines of `classnames.txt`, beside the tars or one folder up.

    Args:
      pattern: a file; several by `{000..009}` or by `*`; or a list of files.

    Raises:
      DatasetError: there is no such file.
    """
    paths = tar_paths(pattern)
    return TarDataset(paths, name=str(pattern) if isinstance(pattern, str | Path) else f"{len(paths)} tar files")


def tar_paths(pattern: str | Path | Sequence[str | Path]) -> list[Path]:
    """The files that a pattern names; see `webdataset`.

    Raises:
      DatasetError: there is no such file.
    """
    paths = _expanded(pattern)
    missing = [str(path) for path in paths if not path.is_file()]
    if missing or not paths:
        what = f"{len(missing)} of {len(paths)} are missing: {', '.join(missing[:3])}" if missing else "there is none"
        raise DatasetError(f"{pattern} should name tar files: {what}.")
    return paths


def braces_expanded(pattern: str) -> list[str]:
    """`{000..009}` counts, with as many digits as it is written with; `{a,b}` lists."""
    match = _BRACES.search(pattern)
    if not match:
        return [pattern]
    first, last, listed = match.groups()
    if listed is not None:
        parts = listed.split(",")
    else:
        step = 1 if int(first) <= int(last) else -1
        parts = [f"{n:0{len(first)}d}" for n in range(int(first), int(last) + step, step)]
    return [
        whole for part in parts for whole in braces_expanded(pattern[: match.start()] + part + pattern[match.end() :])
    ]


def _expanded(pattern: str | Path | Sequence[str | Path]) -> list[Path]:
    if not isinstance(pattern, str | Path):
        return [Path(path).expanduser() for path in pattern]
    found: list[Path] = []
    for one in braces_expanded(str(Path(pattern).expanduser())):
        is_glob = any(sign in one for sign in "*?[") and not Path(one).exists()
        found += map(Path, sorted(glob(one))) if is_glob else [Path(one)]  # noqa: PTH207
    return found


class TarDataset:
    """The samples of tar files; `webdataset` opens them.  See `lit.datasets.Dataset`."""

    def __init__(self, paths: Sequence[Path], *, name: str) -> None:
        self._paths = tuple(paths)
        unique = len({path.name for path in paths}) == len(paths)
        self._shown = {path: path.name if unique else path.as_posix() for path in paths}
        self.name, self.split = name, "all"
        folder = paths[0].parent
        self.label_names = class_names_beside(folder, folder.parent)
        files = [local_file(path, shown) for path, shown in self._shown.items()]
        self.fingerprint = fingerprint(files, kind="webdataset", label_names=self.label_names)
        self.description: Mapping[str, str] = {
            "dataset": f"WebDataset {Path(name).name!r}",
            "source": LOCAL,
            "storage": f"{len(paths)} tar files",
        }

    def __repr__(self) -> str:
        return f"<lit TarDataset {self.name}, {len(self._paths)} tar files>"

    def __len__(self) -> int:
        return len(self._samples)

    @functools.cached_property
    def _samples(self) -> list[Sample]:
        """All samples; from the tars' headers alone."""
        samples = [sample for path in self._paths for sample in samples_of(path)]
        if not samples:
            raise DatasetError(f"{self.name}: there are no samples in {len(self._paths)} tar files.")
        return samples

    @property
    def content_key(self) -> str:
        """From the tars' headers: names and sizes of all members; see `lit.datasets.Dataset`."""
        return self._content_key

    @functools.cached_property
    def _content_key(self) -> str:
        root = os.path.commonpath([path.absolute().parent for path in self._paths])
        tars = {path: os.path.relpath(path, root) for path in self._paths}
        members = (
            (f"{tars[sample.tar]}/{sample.key}.{extension}", size, 0)
            for sample in self._samples
            for extension, (_, size) in sample.members.items()
        )
        return content_key(members, kind="webdataset", label_names=self.label_names)

    def examples(self, shard: int = 0, shards: int = 1) -> Iterator[Example]:
        """The examples of one shard in order; see `lit.datasets.Dataset`.

        Raises:
          DatasetError: a tar is damaged, or a sample is not as it should be; which member.
        """
        path, file = None, None
        try:
            for position in range(shard, len(self._samples), shards):
                sample = self._samples[position]
                if sample.tar != path:
                    if file is not None:
                        file.close()
                    path, file = sample.tar, opened(sample.tar)
                assert file is not None
                yield self._example(file, sample)
        finally:
            if file is not None:
                file.close()

    random_access = True

    def example(self, position: int) -> Example:
        """See `lit.datasets.RandomAccess`."""
        sample = self._samples[position]
        with opened(sample.tar) as file:
            return self._example(file, sample)

    def _example(self, file: BinaryIO, sample: Sample) -> Example:
        where = f"{sample.tar}, sample {sample.key!r}"
        picture = next(extension for extension in PICTURES if extension in sample.members)
        labels, texts = [], []
        if "cls" in sample.members:
            said = read_member(file, sample, "cls").strip()
            if not re.fullmatch(rb"-?\d+", said):
                raise DatasetError(f"{where}: .cls is {said[:40]!r}; it should be a whole number.")
            labels = [int(said)]
        if "txt" in sample.members:
            texts = [decoded(read_member(file, sample, "txt"), f"{where}: .txt").strip()]
        if "json" in sample.members:
            said = parsed(read_member(file, sample, "json"), where)
            of_json, captions = labels_in(said, where), captions_in(said, where)
            labels, texts = labels or of_json, texts or captions
        numbers = tuple(label_number(label, self.label_names, where) for label in labels)
        return Example(self._id(sample), read_member(file, sample, picture), numbers, tuple(texts))

    def _id(self, sample: Sample) -> str:
        return f"{self._shown[sample.tar]}/{sample.key}"
