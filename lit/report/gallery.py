"""A picture in the gallery of a page."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class GalleryItem:
    """A mistake that the model was sure of.

    Attributes:
      id: the dataset's name of the image.
      jpeg: a thumbnail, encoded; about 200 pixels on its longer side.
      label: what is right, in words.
      predicted: what the model said.
      confidence: the softmax probability of what it said.
    """

    id: str
    jpeg: bytes
    label: str
    predicted: str
    confidence: float
