"""A corpus: pictures with at least one caption each, read by number."""

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from lit.captions.left_out import LeftOut, counted
from lit.captions.opening import open_captioned
from lit.captions.pairs import key_of
from lit.datasets import Dataset, Example, RandomAccess
from lit.datasets.caption_tars import CaptionTars
from lit.errors import DatasetError
from lit.prompts import canonicalize

NO_CAPTION = "it has no caption"


def open_corpus(
    source: str | Path, *, split: str | None = None, data_dir: str | Path | None = None, captions: str = ""
) -> "Corpus":
    """Opens a corpus; no picture is decoded.

    | source                                     | captions                                                       |
    |--------------------------------------------|----------------------------------------------------------------|
    | a folder                                   | the lines of the `.txt` beside a picture: `cat.jpg`, `cat.txt` |
    | `.csv`, `.tsv`, `.jsonl`, `.parquet`       | columns "image" and "text"; several rows or a list: several    |
    | `.tar`, `a-{0..9}.tar`, `*.tar`, their folder | `.txt`, else "caption" in `.json`, as img2dataset writes them |
    | a name of tfds                             | the feature `captions`; "": as in coco_captions, for example   |

    Args:
      source: a path, or a name of tfds.
      split, data_dir: of tfds; see `lit.datasets.tfds_dataset`.
      captions: the feature, or a manifest's column; "": the usual ones.

    Raises:
      DatasetError: it is not there, or cannot be read; or `split` or `captions` are given to what has none to choose
        from.
      MissingExtraError: a library is not installed.
    """
    dataset, left_out, wrong = open_captioned(source, split=split, data_dir=data_dir, captions=captions)
    return Corpus(dataset, left_out=left_out, wrong=wrong)


class Corpus:
    """Pictures with captions; `open_corpus` opens one.

    The captions are read when they are first asked for: at once from a list, in a pass over the files of tfds.

    Args:
      dataset: where they come from.
      left_out: what was no example of it from the beginning.
      wrong: by id, why captions could not be read.

    Raises (from all but `dataset`, `name` and `random_access`):
      DatasetError: the dataset cannot be read, or not one of its images has a caption.
    """

    def __init__(self, dataset: Dataset, *, left_out: LeftOut | None = None, wrong: Mapping[str, str] | None = None):
        self.dataset, self._refused, self._wrong = dataset, left_out or LeftOut(), wrong or {}

    def __repr__(self) -> str:
        return f"<lit Corpus {self.name}>"

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def name(self) -> str:
        """For people."""
        return self.dataset.name

    @property
    def random_access(self) -> bool:
        """Whether `read` can; else the pictures have to be embedded first (`lit.training.cache`)."""
        return isinstance(self.dataset, RandomAccess) and self.dataset.random_access

    @property
    def ids(self) -> tuple[str, ...]:
        """Names of the images with captions, for people."""
        return self._scan[0]

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """Their captions, at least one each, stripped, each with more than punctuation."""
        return self._scan[1]

    @property
    def positions(self) -> Int64[np.ndarray, "images"]:
        """Where they are in the dataset."""
        return self._scan[2]

    @property
    def left_out(self) -> LeftOut:
        """Images without a picture or a caption, and why."""
        return self._scan[3]

    @functools.cached_property
    def key(self) -> str:
        """SHA-256 (hex) over what is known of the pairs without reading pictures; a checkpoint is bound to it."""
        return key_of(self.texts, self.dataset.content_key.encode(), self.positions.tobytes())

    def read(self, index: int) -> Example:
        """One of them, with all its captions.

        Raises:
          DatasetError: it cannot be read at all, or only in order.
        """
        if not isinstance(self.dataset, RandomAccess) or not self.random_access:
            raise DatasetError(f"{self.name} can be read in order only. Prepare it as array_record, or embed it first.")
        return self.dataset.example(int(self.positions[index]))

    def sorted_out(self, names: Iterable[str], texts: Iterable[tuple[str, ...]]) -> tuple[list[int], LeftOut]:
        """Which of some images of the dataset have a caption.

        Args:
          names, texts: their ids, and their captions as the dataset gives them.

        Returns:
          Positions in `names`; and what is left out, beginning with what was no example at all.
        """
        good, without, blank = [], [], 0
        for position, (name, captions) in enumerate(zip(names, texts, strict=True)):
            some = stripped(captions)
            blank += len(captions) - len(some)
            if some:
                good.append(position)
            else:
                without.append(name)
        why = self.dataset.wrong if without and isinstance(self.dataset, CaptionTars) else self._wrong
        shown = (f"{name}: {why[name]}" if name in why else name for name in without)
        left_out = self._refused + counted(((NO_CAPTION, name) for name in shown), blank)
        if not good:
            raise DatasetError(
                f"{self.name}: not one image has a caption; {left_out}. A folder needs cat.txt beside cat.jpg, a "
                "manifest a column 'text', an archive .txt or .json, tfds a feature with the captions."
            )
        return good, left_out

    @functools.cached_property
    def _scan(self) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], Int64[np.ndarray, "images"], LeftOut]:
        if isinstance(self.dataset, CaptionTars):
            found = [(name, texts) for name, texts, _ in self.dataset.captions]
        else:
            found = [(example.id, example.texts) for example in self.dataset.examples()]
        good, left_out = self.sorted_out([name for name, _ in found], [texts for _, texts in found])
        ids, texts = zip(*((found[at][0], stripped(found[at][1])) for at in good), strict=True)
        return ids, texts, np.array(good, np.int64), left_out


def stripped(texts: Iterable[str]) -> tuple[str, ...]:
    """Captions without the white space around them, and without those that are nothing else, or nothing but ASCII
    punctuation: `canonicalize` leaves nothing of "...", and a text of no words is right for every picture.
    """
    return tuple(text.strip() for text in texts if canonicalize(text))
