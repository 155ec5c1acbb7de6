"""What a labelled dataset is to lit: named examples in a fixed order."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """One picture and what is known about it.

    Attributes:
      id: names it for people: a file name, a path, a tfds id.  Two may share one; nothing is found or joined by it, but
        by position and content.
      image: as it is stored: encoded bytes, a path, or (h, w, 3) or (h, w) uint8 where the dataset stores pixels.
      labels: positions in the dataset's `label_names`, or numbers where it has no names.  Empty: unlabelled.  More than
        one: each of them is right.
      texts: captions.
    """

    id: str
    image: bytes | Path | np.ndarray
    labels: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()


@runtime_checkable
class Dataset(Protocol):
    """A split that can be read, again and again, in the same order.

    Attributes:
      name: for people, with version where there is one ("cifar10:3.0.2").
      split: as the dataset calls it ("test").
      label_names: the dataset's own, in label order; None where it has none.
      fingerprint: changes when the stored files do (names, sizes, times); computed without reading a picture.
      description: what can move a figure, in plain words ("reader" -> "tf.data 2.21"), with its "source": "tfds" or
        "local files".
    """

    name: str
    split: str
    label_names: tuple[str, ...] | None
    fingerprint: str
    description: Mapping[str, str]

    @property
    def content_key(self) -> str:
        """The fingerprint's like without times and places: copies of the same files on two machines have the same one.

        Other examples (names, sizes, labels that are known without reading pictures) have another.
        """
        ...

    def __len__(self) -> int: ...

    def examples(self, shard: int = 0, shards: int = 1) -> Iterator[Example]:
        """The examples of one shard in order: positions `shard`, `shard + shards`, ...  Closing it frees everything."""
        ...


@runtime_checkable
class RandomAccess(Protocol):
    """A dataset whose examples can be read in any order, from several threads; unless its files turn out not to."""

    @property
    def random_access(self) -> bool:
        """Whether `example` can."""
        ...

    def example(self, position: int) -> Example:
        """What `examples()` yields there.

        Raises:
          DatasetError: it cannot be read, or only in order.
        """
        ...
