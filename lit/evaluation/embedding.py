"""A dataset's images as embeddings: from the store where it has all of them, else in one pass over the dataset."""

import dataclasses
import hashlib
import time
from contextlib import nullcontext
from importlib.metadata import version

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from lit.datasets import Dataset
from lit.errors import ConfigError, DatasetError
from lit.evaluation.one_pass import OnePass, unusable
from lit.image_embedder import ImageEmbedder
from lit.report.report import Excluded, Timing
from lit.store import DatasetIndex, EmbeddingStore, index_key


@dataclasses.dataclass(frozen=True, kw_only=True)
class EmbeddedDataset:
    """The usable images of a dataset, or of one shard, in its order; columns of equal length.

    Attributes:
      ids: the dataset's names.
      digests: (images, 32) SHA-256 of the stored content.
      labels, texts: as the dataset gives them.
      zimg: (images, dim) float32, rows of unit norm.
      positions: (images,) in the dataset.
      excluded: images that cannot be used, and why.
      timing: where the time went; `text` and `score` are 0.
    """

    ids: tuple[str, ...]
    digests: UInt8[np.ndarray, "images 32"]
    labels: tuple[tuple[int, ...], ...]
    texts: tuple[tuple[str, ...], ...]
    zimg: Float32[np.ndarray, "images dim"]
    positions: Int64[np.ndarray, "images"]
    excluded: tuple[Excluded, ...]
    timing: Timing


def embed_dataset(
    model: ImageEmbedder,
    dataset: Dataset,
    *,
    keep: bool = True,
    batch_size: int | None = None,
    skip_bad: bool = False,
    shard: int = 0,
    shards: int = 1,
    limit: int | None = None,
    progress: bool = False,
) -> EmbeddedDataset:
    """Embeds a dataset, or one shard of it, in bounded memory beside the result.

    Each batch is stored as soon as it is there: however a run ends, the next one computes only what is missing.  Once
    a pass was complete, the next one reads no image at all.

    Args:
      model: from `lit.load`.
      dataset: one split.
      keep: take embeddings from the store, and keep them there.
      batch_size: images per batch, see `Model.embed_images`; another size can move the last bits of an embedding, so
        the store keeps them apart.
      skip_bad: exclude images that cannot be used; else the first one is an error.
      shard, shards: this process's share: positions `shard`, `shard + shards`, ...
      limit: only the first so many images of the dataset, all shards together.
      progress: show it on standard error.

    Raises:
      ImageError: an image cannot be used, and `skip_bad` is False; it names the image by the dataset's id.
      DatasetError: the dataset does not hold what it said, or not one image can be used.
      OutputError: the disk is full; what was done is kept.
    """
    began, size = time.perf_counter(), model.image_batch(batch_size)
    if limit is not None and limit < 1:
        raise ConfigError(f"limit is {limit}; it must be at least 1, or None for all images.")
    share = range(shard, len(dataset) if limit is None else min(limit, len(dataset)), shards)
    with EmbeddingStore.open(image_fingerprint(model, size), model.dim) if keep else nullcontext() as store:
        key = _index_key(dataset, share)
        index = None if store is None else DatasetIndex.read(store.directory, key)
        zimg = None if store is None or index is None else _stored(store, index)
        if index is None or zimg is None:
            work = OnePass(model, dataset, share, store, skip_bad)
            index, zimg = work.run(size, progress)
            timing = work.timing(began)
            # A file that could not be read today may be readable tomorrow; what cannot be decoded stays so.
            if store is not None and store.writable and work.all_read:
                index.write(store.directory, key)
        else:
            timing = Timing(
                wall=time.perf_counter() - began,
                read=0.0, decode=0.0, tower=0.0, text=0.0, score=0.0, computed=0, reused=len(zimg),
            )  # fmt: skip
    if index.excluded and not skip_bad:
        raise unusable(*index.excluded[0])
    if index.excluded and len(index.excluded) == len(dataset):
        raise DatasetError(
            f"{dataset.name}: not one of {len(dataset):,} images can be used; the first is {index.excluded[0][0]}: "
            f"{index.excluded[0][1]}"
        )
    columns = {field.name: getattr(index, field.name) for field in dataclasses.fields(index)}
    columns["excluded"] = tuple(Excluded(id=name, reason=reason) for name, reason in index.excluded)
    return EmbeddedDataset(**columns, zimg=zimg, timing=timing)


def image_fingerprint(model: ImageEmbedder, batch_size: int) -> str:
    """SHA-256 (hex) over what determines an image's embedding, beside the image, to the last bit."""
    said = (
        2,
        model.image_fingerprint,
        batch_size,
        [f"{name} {version(name)}" for name in ("numpy", "pillow", "simplejpeg")],
    )
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _index_key(dataset: Dataset, share: range) -> str:
    return index_key(
        fingerprint=dataset.fingerprint,
        name=dataset.name,
        split=dataset.split,
        label_names=dataset.label_names,
        description=dict(dataset.description),
        share=[share.start, share.stop, share.step],
    )


def _stored(store: EmbeddingStore, index: DatasetIndex) -> Float32[np.ndarray, "images dim"] | None:
    """All embeddings of a dataset that is known, or None where one is missing."""
    zimg, known = store.get(index.digests)
    return zimg if known.all() else None
