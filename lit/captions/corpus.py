"""A corpus: pictures with at least one caption each, read by number."""

from pathlib import Path

from lit.captions.left_out import LeftOut
from lit.datasets import Dataset, Example


class Corpus:
    """Pictures with captions; `open_corpus` opens one.

    Attributes:
      dataset: where they come from.
      name: for people.
      random_access: whether `read` can; else the pictures have to be embedded first (`lit.training.cache`).
      key: SHA-256 (hex) over what is known of the pairs without reading pictures; a checkpoint is bound to it.
      ids: names for people.
      texts: the captions of each image, at least one, stripped.
      left_out: images without a caption, and why.
    """

    dataset: Dataset
    name: str
    random_access: bool
    key: str
    ids: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    left_out: LeftOut

    def __len__(self) -> int:
        raise NotImplementedError

    def read(self, index: int) -> Example:
        """One of them, with all its captions.

        Raises:
          DatasetError: it cannot be read at all, or only in order.
        """
        raise NotImplementedError


def open_corpus(
    source: str | Path, *, split: str | None = None, data_dir: str | Path | None = None, captions: str = ""
) -> Corpus:
    """Opens a corpus; no picture is decoded.

    Raises:
      DatasetError: it is not there, or has no captions.
    """
    raise NotImplementedError
