"""Pictures that were embedded once, with their captions: what the training of a text tower alone reads."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from typing import Literal

import numpy as np
from jaxtyping import Float32, UInt8

from lit.captions.left_out import LeftOut


def key_of(texts: Iterable[tuple[str, ...]], *said: bytes) -> str:
    """SHA-256 (hex) over what is known of pictures, and their captions, one after the other: as one text, millions
    would take their memory several times again.
    """
    digest = hashlib.sha256(b"".join(said))
    for captions in texts:
        digest.update(json.dumps(captions).encode())
    return digest.hexdigest()


@dataclasses.dataclass(frozen=True, kw_only=True)
class CachedPairs:
    """Usable images of a corpus in its order; columns of equal length.

    Attributes:
      name: of the corpus, for people.
      key: SHA-256 (hex) over the pairs: pictures, the weights that embedded them, and captions; a checkpoint is bound
        to it.
      ids: names for people.
      texts: the captions of each image, at least one.
      vectors: (images, width) float32, in memory: what the locked part of the image side gives.
      kind: what they are: "zimg", embeddings of unit norm, or "features" of a tower, for a head that learns.
      digests: (images, 32) SHA-256 of the pictures as stored; equal ones are one picture.
      left_out: what was not embedded, or has no caption.
      computed, reused: images that went through the tower, and that were in the store.
      seconds: the whole of it took so long.
    """

    name: str
    key: str
    ids: tuple[str, ...] = dataclasses.field(repr=False)
    texts: tuple[tuple[str, ...], ...] = dataclasses.field(repr=False)
    vectors: Float32[np.ndarray, "images width"] = dataclasses.field(repr=False)
    digests: UInt8[np.ndarray, "images 32"] = dataclasses.field(repr=False)
    kind: Literal["zimg", "features"] = "zimg"
    left_out: LeftOut = dataclasses.field(default_factory=LeftOut)
    computed: int = 0
    reused: int = 0
    seconds: float = 0.0

    def __len__(self) -> int:
        return len(self.ids)
