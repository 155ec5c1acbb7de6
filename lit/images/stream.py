"""Many pictures: decoded by threads, in order, in bounded memory."""

import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
from jaxtyping import Int

from lit.arrays import Picture, Pixels8
from lit.config import PreprocessConfig
from lit.errors import ImageError, InputError
from lit.images.decode import ImageInput
from lit.images.preprocess import preprocess
from lit.streams import Clock, collection

#: More threads than this only wait for each other.
_MOST_WORKERS = 16
#: Pictures ready or under way for each worker: enough that the tower need not wait when decoding was held up.
_AHEAD = 16
#: Of decoding threads; 0 is an ordinary thread's, 19 the most patient.
_NICE = 10


def iter_preprocessed(
    images: Iterable[ImageInput],
    config: PreprocessConfig,
    *,
    workers: int | None = None,
    prefetch: int | None = None,
    failures: list[ImageError] | None = None,
    clock: Clock | None = None,
) -> Generator[tuple[int, Picture], None, None]:
    """Decodes and resizes a stream of pictures while the caller computes on those before.

    Decoders and numpy release Python's lock, so threads suffice.  However this ends (exhausted, closed, an error here
    or in `images`, Ctrl-C), what was not begun is dropped and the threads are gone.

    Args:
      images: any iterable; read `prefetch` items ahead, never as a whole.
      config: how.
      workers: threads; by default one for each processor that this process may use, 16 at most.
      prefetch: pictures under way or ready at one time; by default sixteen for each worker.
      failures: None raises on the first picture that cannot be used.  A list collects these errors instead.
      clock: is told how long it took.

    Yields:
      Position in `images`, and (image_size, image_size, 3) uint8; in order.

    Raises:
      ImageError: a picture cannot be used; its `index` is the position.
    """
    workers = workers or min(_processors(), _MOST_WORKERS)
    ahead = max(prefetch or _AHEAD * workers, 1)
    under_way: deque[tuple[int, Future[Picture]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="lit-images", initializer=_yield_to_the_tower)
    try:
        for index, image in enumerate(images):
            under_way.append((index, pool.submit(_preprocess, image, config, clock)))
            if len(under_way) >= ahead:
                yield from _take(*under_way.popleft(), failures)
        while under_way:
            yield from _take(*under_way.popleft(), failures)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _yield_to_the_tower() -> None:
    """On a CPU the towers share the cores: decoding takes what they leave, instead of making one of their threads late.

    Threads have a priority of their own on Linux alone.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _processors() -> int:
    """Those that this process may use, where the system says."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _preprocess(image: ImageInput, config: PreprocessConfig, clock: Clock | None) -> Picture:
    with nullcontext() if clock is None else clock.decoding():
        return preprocess(image, config)


def _take(
    index: int, future: "Future[Picture]", failures: list[ImageError] | None
) -> Generator[tuple[int, Picture], None, None]:
    try:
        picture = future.result()
    except ImageError as error:
        placed = ImageError(error.reason, item=error.item, index=index)
        if failures is None:
            raise placed from error
        failures.append(placed)
    else:
        yield index, picture


def preprocess_batch(
    images: Iterable[ImageInput],
    config: PreprocessConfig,
    *,
    failures: list[ImageError] | None = None,
    workers: int | None = None,
) -> tuple[Int[np.ndarray, "images"], Pixels8]:
    """All pictures at once.

    Args:
      images: any iterable of pictures.
      config, failures, workers: see `iter_preprocessed`.

    Returns:
      The positions of the pictures that could be used, and (images, image_size, image_size, 3) uint8.

    Raises:
      ImageError: a picture cannot be used, and `failures` is None.
      InputError: there are no pictures, or a single one was handed in.
    """
    images = collection(images, "images")
    before = len(failures) if failures is not None else 0
    pairs = list(iter_preprocessed(images, config, workers=workers, failures=failures))
    if not pairs and (failures is None or len(failures) == before):
        raise InputError("there are no images to preprocess; give at least one.")
    size = config.image_size
    pixels = np.stack([picture for _, picture in pairs]) if pairs else np.zeros((0, size, size, 3), np.uint8)
    return np.asarray([index for index, _ in pairs], np.intp), pixels
