"""Image-text retrieval, both ways: which captions are an image's, and which image is a caption's."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float32, Int

from lit import metrics
from lit.errors import DatasetError
from lit.evaluation.plan import Plan
from lit.metrics import Figure

#: Recall at these ranks.  Source: CLIP and LiT report 1, 5 and 10 on COCO and Flickr30k.
RANKS = (1, 5, 10)


def captions(
    plan: Plan, texts: Sequence[tuple[str, ...]], ids: Sequence[str]
) -> tuple[list[str], Int[np.ndarray, "texts"]]:
    """All captions in order, and for each the row of its image.

    Raises:
      DatasetError: an image without a caption, or with fewer than the protocol takes.
    """
    wanted = plan.suite.captions_per_image
    for name, of_image in zip(ids, texts, strict=True):
        if len(of_image) < max(wanted, 1):
            raise DatasetError(
                f"{plan.dataset.name}: {name} has {len(of_image)} captions, and suite {plan.suite.name!r} needs "
                f"{wanted or 'at least one'} for each image."
            )
    used = taken(plan, texts)
    image_of = np.repeat(np.arange(len(used)), [len(of_image) for of_image in used])
    return [text for of_image in used for text in of_image], image_of


def taken(plan: Plan, texts: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The captions of each image that the protocol takes."""
    wanted = plan.suite.captions_per_image
    return [of_image[:wanted] if wanted else of_image for of_image in texts]


def figures(
    zimg: Float32[np.ndarray, "images dim"],
    ztxt: Float32[np.ndarray, "texts dim"],
    text_image: Int[np.ndarray, "texts"],
) -> Mapping[str, Figure]:
    """Recall at 1, 5 and 10, both ways, any caption of an image counting as a hit."""
    return metrics.retrieval(zimg, ztxt, text_image, ks=RANKS)
