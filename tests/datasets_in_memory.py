"""A dataset of pictures in memory, for tests, that counts what is taken from it."""

import io

import numpy as np
from PIL import Image
from tiny import pictures

from lit.datasets import Example


def jpegs(n):
    """Small JPEGs, no two alike; the first n of any larger number."""
    out = []
    for i in range(n):
        buffer = io.BytesIO()
        Image.fromarray(pictures(1, seed=i)[0]).save(buffer, "JPEG")
        out.append(buffer.getvalue())
    return out


class Pictures:
    """A split of pictures, labelled in turn 0, 1, 2."""

    label_names = ("a", "b", "c")
    name = "pictures:1.0.0"

    def __init__(self, images, *, split="test", fingerprint="f", says=None, breaks_at=None, ids=None):
        self.images, self.split, self.fingerprint = images, split, fingerprint
        self.content_key = f"{split} {len(images)}"
        self.description = {"reader": "memory"}
        self.taken, self.closed = 0, False
        self._says, self._breaks_at = says or len(images), breaks_at
        self._ids = ids or [f"{split}/{i}" for i in range(len(images))]

    def __len__(self):
        return self._says

    def examples(self, shard=0, shards=1):
        try:
            for i in range(shard, len(self.images), shards):
                if i == self._breaks_at:
                    raise RuntimeError("the disk is gone")
                self.taken += 1
                yield Example(self._ids[i], self.images[i], (i % 3,), (f"caption {i}",))
        finally:
            self.closed = True


def noise(n):
    """Random digests."""
    return np.random.default_rng(0).integers(0, 256, (n, 32), dtype=np.uint8)
