"""A video of a prepared dataset, of which one frame is the picture.  Imported only once tfds is there."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

#: How features.json calls the feature of tfds, and the one here.
THEIRS = "tensorflow_datasets.core.features.video_feature.Video"
OURS = "lit.datasets.video.Video"


class Video(tfds.features.Video):
    """The feature of tfds, without TensorFlow, which that one imports as soon as there is one of it.

    Source: tensorflow_datasets/core/features/video_feature.py: a sequence of encoded frames, also where arrays were
    given.
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        encoding_format: str | None = "png",
        ffmpeg_extra_args: Sequence[str] = (),
        use_colormap: bool = False,
        dtype: Any = np.uint8,
        doc: Any = None,
    ) -> None:
        self._encoding_format, self._extra_ffmpeg_args = encoding_format, list(ffmpeg_extra_args)
        frame = tfds.features.Image(
            shape=tuple(shape[1:]) if shape else None,
            dtype=dtype,
            encoding_format=encoding_format,
            use_colormap=use_colormap,
        )
        tfds.features.Sequence.__init__(self, frame, length=shape[0] if shape else None, doc=doc)


def middle_frame(frames: Sequence[bytes]) -> bytes:
    """Frame n // 2 of n, as it is stored: what CLIP scores of a video.

    The paper says "the middle frame"; which of the two it is where n is even, nobody says.

    Raises:
      ValueError: there are none.

    Source: Radford et al. 2021, Learning Transferable Visual Models From Natural Language Supervision, appendix A.1
    (UCF101 and Kinetics700).
    """
    if not len(frames):
        raise ValueError("its video has no frames")
    return frames[len(frames) // 2]
