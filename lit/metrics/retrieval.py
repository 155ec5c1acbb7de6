"""Image-text retrieval, both ways: recall among the k best."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from lit.errors import InputError
from lit.metrics import checks
from lit.metrics.classification import top_k
from lit.metrics.figure import Figure
from lit.metrics.intervals import DRAWS, SEED, drawn, middle_95, share

#: Inner products in memory at one time: 32 MiB in float64.
_BLOCK = 2**22


def retrieval(
    zimg: Float32[np.ndarray, "images dim"],
    ztxt: Float32[np.ndarray, "texts dim"],
    text_image: Int[np.ndarray, "texts"],
    *,
    ks: Sequence[int] = (1, 5, 10),
) -> dict[str, Figure]:
    """Recall from embeddings, a block of texts at a time: 5,000 x 25,000 needs some 100 MB.

    An image is a hit if any of its captions is among the k texts nearest to it; a caption, if its image is among the k
    images nearest to it.  Of equal scores the first text, or image, in order comes first (in the reference the order of
    equals is left to an unstable sort).  Products are summed in float64 and rounded to float32, as
    `lit.ZeroShotClassifier.similarity_of` does: captions with the same words have equal scores.

    Captions of one image stand or fall together, so their interval draws images anew, not captions; with one caption
    for each image, and for images, it is Wilson's.

    Args:
      zimg, ztxt: of unit norm, or what else has a meaningful inner product.
      text_image: for each text the row of its image; each image needs at least one text.
      ks: ranks; beyond the number of images or texts a search returns them all, and recall is 1.

    Returns:
      "image_to_text_r1", ..., "text_to_image_r1", ...: fractions.

    Raises:
      InputError: nothing to search, widths or lengths differ, an image without a text, a text without its image, a k
        below 1, or an embedding that is no number.

    Source: big_vision, evaluators/proj/image_text/image_text_retrieval.py; LiT, section 5.
    """
    if zimg.shape[1] != ztxt.shape[1]:
        raise InputError(
            f"image embeddings have {zimg.shape[1]} numbers and text embeddings {ztxt.shape[1]}; both must come from "
            "one model."
        )
    checks.finite(zimg, "image embeddings")
    checks.finite(ztxt, "text embeddings")
    images = zimg.astype(np.float64)
    size = max(1, _BLOCK // max(1, len(zimg)))
    blocks = (
        (images @ ztxt[start : start + size].astype(np.float64).T).astype(np.float32)
        for start in range(0, len(ztxt), size)
    )
    return _recall(blocks, len(zimg), len(ztxt), text_image, ks)


def retrieval_of(
    similarity: Float[np.ndarray, "images texts"],
    text_image: Int[np.ndarray, "texts"],
    *,
    ks: Sequence[int] = (1, 5, 10),
) -> dict[str, Figure]:
    """`retrieval` from similarities that are there already, larger being nearer."""
    checks.finite(similarity, "similarities")
    images, texts = similarity.shape
    return _recall([similarity], images, texts, text_image, ks)


def _recall(
    blocks: Iterable[Float[np.ndarray, "images _"]], images: int, texts: int, text_image: np.ndarray, ks: Sequence[int]
) -> dict[str, Figure]:
    _check(images, texts, text_image, ks)
    deepest = max(ks)
    rank_of_image = []
    best_texts, best_scores = np.empty((images, 0), np.int64), np.empty((images, 0), np.float32)
    start = 0
    for block in blocks:
        of_block = text_image[start : start + block.shape[1]]
        rank_of_image.append(_ranks(block, of_block))
        # Earlier texts stand before later ones, so that of equal scores the first stays first.
        near = top_k(block, min(deepest, block.shape[1]))
        texts_seen = np.concatenate([best_texts, near + start], axis=1)
        scores_seen = np.concatenate([best_scores, np.take_along_axis(block, near, axis=1)], axis=1)
        best = top_k(scores_seen, min(deepest, scores_seen.shape[1]))
        best_texts = np.take_along_axis(texts_seen, best, axis=1)
        best_scores = np.take_along_axis(scores_seen, best, axis=1)
        start += block.shape[1]
    mine = text_image[best_texts] == np.arange(images)[:, None]
    rank = np.concatenate(rank_of_image)
    found = {f"image_to_text_r{k}": share(int(mine[:, :k].any(axis=1).sum()), images) for k in ks}
    return found | {f"text_to_image_r{k}": _of_captions(rank < k, text_image, images) for k in ks}


def _ranks(block: Float[np.ndarray, "images texts"], text_image: Int[np.ndarray, "texts"]) -> Int[np.ndarray, "texts"]:
    """How many images come before each text's own: the nearer ones, and of those as near the earlier ones."""
    own = block[text_image, np.arange(block.shape[1])]
    earlier = np.arange(len(block))[:, None] < text_image
    return np.count_nonzero(block > own, axis=0) + np.count_nonzero((block == own) & earlier, axis=0)


def _of_captions(hit: Bool[np.ndarray, "texts"], text_image: Int[np.ndarray, "texts"], images: int) -> Figure:
    """The share of texts that are hits; the interval draws images with all of their texts."""
    texts, value = len(hit), float(hit.mean())
    right = np.bincount(text_image[hit], minlength=images)
    held = np.bincount(text_image, minlength=images)
    if held.max() == 1:
        return share(int(right.sum()), texts)
    if value in (0, 1):  # a bootstrap of equals has no width
        alone = share(round(value * images), images)
        return Figure(value=value, low=alone.low, high=alone.high, n=texts, method="Wilson over images")
    # Images alike in both counts are drawn together.
    kinds, alike = np.unique(np.stack([right, held]), axis=1, return_counts=True)
    draws = np.random.default_rng(SEED).multinomial(images, alike / images, size=DRAWS)
    low, high = middle_95((draws @ kinds[0]) / (draws @ kinds[1]))
    return Figure(
        value=value, low=min(value, low), high=max(value, high), n=texts, method=drawn("images with their captions")
    )


def _check(images: int, texts: int, text_image: np.ndarray, ks: Sequence[int]) -> None:
    if not images or not texts:
        raise InputError(f"there are {images} images and {texts} texts; retrieval needs at least one of each.")
    if len(text_image) != texts:
        raise InputError(f"text_image has {len(text_image)} entries for {texts} texts; it must name the image of each.")
    if not 0 <= text_image.min() <= text_image.max() < images:
        raise InputError(
            f"text_image reaches from {text_image.min()} to {text_image.max()}; with {images} images each entry must "
            f"be between 0 and {images - 1}."
        )
    without = np.flatnonzero(np.bincount(text_image, minlength=images) == 0)
    if without.size:
        raise InputError(
            f"{without.size} of {images} images have no text, the first at {without[0]}; leave them out: no search can "
            "find what is not there."
        )
    if not ks:
        raise InputError("ks is empty; name at least one rank, such as (1, 5, 10).")
    for k in ks:
        checks.whole(k, 1, 2**31, "k")
