"""Archives of pictures with captions, as img2dataset writes them, where a sample may have failed."""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from lit.datasets.fingerprint import fingerprint
from lit.datasets.record import Example
from lit.datasets.tar_content import captions_in, decoded, opened, parsed, read_member
from lit.datasets.tar_samples import PICTURES, Refused, Sample, samples_of
from lit.datasets.webdataset import TarDataset
from lit.errors import DatasetError


class CaptionTars(TarDataset):
    """The samples of tar files that have one picture; see `webdataset` for what a caption is.

    Labels are not read.  Where `.txt` is blank, `.json` is asked.  A caption that cannot be read is none.

    Source: github.com/rom1504/img2dataset, img2dataset/writer.py: `KEY.jpg`, `KEY.txt` with the caption ("" where it
    is null), `KEY.json` with "caption", "status" and more.
    """

    def __init__(self, paths: Sequence[Path], *, name: str) -> None:
        super().__init__(paths, name=name)
        self.label_names: tuple[str, ...] | None = None
        self.fingerprint = fingerprint([], kind="captions", of=self.fingerprint)

    @functools.cached_property
    def _both(self) -> tuple[list[Sample], list[Refused]]:
        """Samples with a picture, and those without, or with several."""
        refused: list[Refused] = []
        samples = [sample for path in self._paths for sample in samples_of(path, refused=refused)]
        if not samples:
            raise DatasetError(
                f"{self.name}: there are no pictures in {len(self._paths)} tar files, and {len(refused)} samples "
                "without one, or with several."
            )
        return samples, refused

    @functools.cached_property
    def _samples(self) -> list[Sample]:
        return self._both[0]

    def refused(self) -> Iterator[tuple[str, str]]:
        """Of samples that are no examples, why, and their id."""
        return ((why, self._id(sample)) for why, sample in self._both[1])

    @functools.cached_property
    def captions(self) -> list[tuple[str, tuple[str, ...], str]]:
        """Id, captions and what is wrong with them, of each example; no picture is read.

        Raises:
          DatasetError: a tar is cut off, or cannot be read.
        """
        return list(self._read_captions())

    @functools.cached_property
    def wrong(self) -> dict[str, str]:
        """Id -> why captions could not be read, where they could not."""
        return {name: why for name, _, why in self.captions if why}

    def _read_captions(self) -> Iterator[tuple[str, tuple[str, ...], str]]:
        path, file = None, None
        try:
            for sample in self._samples:
                if sample.tar != path:
                    if file is not None:
                        file.close()
                    path, file = sample.tar, opened(sample.tar)
                assert file is not None
                yield (self._id(sample), *_captions(file, sample))
        finally:
            if file is not None:
                file.close()

    def _example(self, file: BinaryIO, sample: Sample) -> Example:
        picture = next(extension for extension in PICTURES if extension in sample.members)
        texts, _ = _captions(file, sample)
        return Example(self._id(sample), read_member(file, sample, picture), (), texts)


def _captions(file: BinaryIO, sample: Sample) -> tuple[tuple[str, ...], str]:
    """Captions, blank ones included, and what is wrong with them."""
    held = {
        extension: read_member(file, sample, extension) for extension in ("txt", "json") if extension in sample.members
    }
    where = f"{sample.tar}, sample {sample.key!r}"
    try:
        text = decoded(held["txt"], f"{where}: .txt") if "txt" in held else ""
        if text.strip() or "json" not in held:
            return (text,) if "txt" in held else (), ""
        return tuple(captions_in(parsed(held["json"], where), where)) or ("",), ""
    except DatasetError as error:
        return (), str(error)
