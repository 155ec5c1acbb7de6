"""Pictures to vectors, in bounded memory: what a whole model and a lone image side have in common."""

import functools
import hashlib
from collections.abc import Generator, Iterable, Mapping, Sized
from typing import Any

import numpy as np
from jaxtyping import Float32, Int

from lit import __version__, checkpoints, streams
from lit import config as configs
from lit import images as pictures
from lit.arrays import ImageEmbeddings
from lit.engine import Engine, Kind, Precision, batch_size_for
from lit.errors import ImageError, InputError
from lit.images import ImageInput
from lit.nn.two_towers import without_head
from lit.progress import progress as show_progress


class ImageEmbedder:
    """Embeds pictures.

    Args:
      config: the model that the image side is of.
      engine: runs the towers, and holds their parameters; its `kind` says what comes out.
      precision: of the engine.
    """

    def __init__(self, config: configs.LiTConfig, engine: Engine, precision: Precision) -> None:
        self.config, self.precision = config, precision
        # The engine alone holds the parameters: a second copy in numpy would double the memory of a large model.
        self._engine = engine

    @property
    def kind(self) -> Kind:
        """What it makes of a picture: "zimg", an embedding of unit norm, or "features", before any head."""
        return self._engine.kind

    @property
    def dim(self) -> int:
        """Width of what comes out."""
        return self.config.dim if self.kind == "zimg" else without_head(self.config.image).features

    @functools.cached_property
    def image_weights_digest(self) -> str:
        """SHA-256 (hex) over the parameters of the image side as they are computed with."""
        params = self._engine.params
        if self.kind == "features":
            return params_digest({name: leaf for name, leaf in params["img"].items() if name != "head"})
        return params_digest({name: leaf for name, leaf in params.items() if name in ("img", "img_head")})

    @property
    def image_fingerprint(self) -> str:
        """SHA-256 (hex) over what determines a picture's embedding, beside the picture and the batch size.

        Nothing of the text side: what was embedded stays valid while a text tower is trained.
        """
        c = self.config
        parts = [without_head(c.image)] if self.kind == "features" else [p for p in (c.image, c.image_head) if p]
        said = (
            *(configs.to_dict(part) for part in parts),
            configs.to_dict(c.preprocess),
            self.kind,
            self.precision,
            __version__,
            self._engine.description,
            self.image_weights_digest,
        )
        return hashlib.sha256(repr(said).encode()).hexdigest()

    def image_batch(self, batch_size: int | None = None) -> int:
        """Pictures that go through the tower together: what was asked for, as the devices take it, or the default."""
        return batch_size_for(self._engine, batch_size, self._engine.image_batch)

    def embed_images(
        self,
        images: Iterable[ImageInput],
        *,
        batch_size: int | None = None,
        failures: list[ImageError] | None = None,
        progress: bool = False,
    ) -> ImageEmbeddings:
        """Embeds pictures; any iterable, in bounded memory, decoding while the towers compute.

        Args:
          images: paths, bytes, file objects, PIL images, numpy arrays (see `lit.images`).
          batch_size: pictures per batch.  Every batch has this one shape (the last is padded), and so a picture's
            embedding does not depend on its neighbours or its place, byte for byte.  The default suits the device.
          failures: None raises on the first picture that cannot be used.  A list collects these errors instead (their
            `index` says which), and the result has a row for each of the others, in order.
          progress: show it on standard error.

        Returns:
          (images, dim) float32, rows of unit norm (features are as the tower gives them).

        Raises:
          ImageError: a picture cannot be used; it names the picture.
          InputError: there are no pictures, or what was handed in is not a collection.
        """
        batches = self.iter_images(images, batch_size=batch_size, failures=failures, progress=progress)
        rows = [embeddings for _, embeddings in batches]
        return np.concatenate(rows) if rows else np.zeros((0, self.dim), np.float32)

    def iter_images(
        self,
        images: Iterable[ImageInput],
        *,
        batch_size: int | None = None,
        failures: list[ImageError] | None = None,
        progress: bool = False,
        clock: streams.Clock | None = None,
    ) -> Generator[tuple[Int[np.ndarray, "images"], Float32[np.ndarray, "images dim"]], None, None]:
        """Like `embed_images`, a batch at a time: yields positions in `images`, and their embeddings, in order.

        Closing it, or an error in the middle, ends its threads.

        Args:
          images, batch_size, failures, progress: see `embed_images`.
          clock: is told how long decoding and the tower took.
        """
        size = self.image_batch(batch_size)
        if failures is not None and not isinstance(failures, list):
            raise InputError(
                f"failures is of type {type(failures).__name__}; hand in a list, which collects them, or None, which "
                "raises the first."
            )
        return self._image_batches(streams.collection(images, "images"), size, failures, progress, clock)

    def _image_batches(
        self,
        images: Iterable[ImageInput],
        size: int,
        failures: list[ImageError] | None,
        progress: bool,
        clock: streams.Clock | None,
    ) -> Generator[tuple[Int[np.ndarray, "images"], Float32[np.ndarray, "images dim"]], None, None]:
        total = len(images) if isinstance(images, Sized) else None
        seen, failed_before = 0, len(failures or ())
        with show_progress("embedding images", total, enabled=progress, unit="images") as advance:
            stream = pictures.iter_preprocessed(images, self.config.preprocess, failures=failures, clock=clock)
            batches = streams.pipelined(streams.chunks(stream, size), self._start_images(size), clock=clock)
            try:
                for batch, zimg in batches:
                    index, rows = np.asarray([i for i, _ in batch]), zimg[: len(batch)]
                    advance(batch[-1][0] + 1 - seen)  # those that cannot be used are done with, too
                    seen = batch[-1][0] + 1
                    yield index, rows
            finally:
                batches.close()
                stream.close()
        if not seen and len(failures or ()) == failed_before:
            raise InputError("there are no images to embed; give at least one.")

    def _start_images(self, size: int) -> Any:
        return lambda batch: self._engine.images(streams.pad_rows([picture for _, picture in batch], size))


def params_digest(params: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over parameters: names, types, shapes, values."""
    digest = hashlib.sha256()
    for name, array in sorted(checkpoints.flatten(params).items()):
        array = np.ascontiguousarray(array)
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.view(np.uint8).data)
    return digest.hexdigest()
