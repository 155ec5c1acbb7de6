"""The surest and the most frequent mistakes, as small pictures: what a reader of a figure wants to see first."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from lit import metrics
from lit.config import PreprocessConfig
from lit.datasets import Example
from lit.errors import ImageError
from lit.evaluation.classification import Scored
from lit.evaluation.outcome import Outcome
from lit.evaluation.plan import Plan
from lit.images import decode
from lit.report.gallery import GalleryItem

#: Pixels of a thumbnail's longer side; small pictures are enlarged, so that one can see them.
_SIDE = 176


def galleries(
    plan: Plan, outcome: Outcome, config: PreprocessConfig, *, count: int = 24, pairs: int = 6, each: int = 6
) -> tuple[tuple[GalleryItem, ...], tuple[GalleryItem, ...]]:
    """Thumbnails of wrong answers.

    Args:
      plan, outcome: of a run that is done.
      config: how images are decoded.
      count: at most so many of the surest mistakes.
      pairs, each: examples of so many of the most frequent confusions, and how many of each.

    Returns:
      The surest mistakes, surest first; and examples of the most frequent confusions, the most frequent first.
      Both are empty for retrieval, or where there is no mistake.
    """
    if outcome.scored is None or plan.words is None:
        return (), ()
    scored, names = outcome.scored, plan.words.class_names
    wrong = np.flatnonzero(~scored.correct)
    by_confidence = wrong[np.argsort(-scored.confidence[wrong], kind="stable")]
    surest = by_confidence[:count]
    confused = _examples(scored, outcome.report.confusion, pairs, each)
    pictures = _thumbnails(plan, config, {int(scored.positions[row]) for row in (*surest, *confused)})

    def shown(rows: Sequence[int]) -> tuple[GalleryItem, ...]:
        at = [(int(row), pictures.get(int(scored.positions[row]))) for row in rows]
        return tuple(_item(scored, row, names, jpeg) for row, jpeg in at if jpeg is not None)

    return shown(surest.tolist()), shown(confused)


def _examples(scored: Scored, confusion: Sequence[tuple[int, int, int]], pairs: int, each: int) -> list[int]:
    """Rows of the most frequent confusions: for each the ones that the model was surest of.

    Confusions are of the images with exactly one label, and so are their examples.
    """
    surest = np.argsort(-scored.confidence[scored.single], kind="stable")
    row, label, said = scored.single[surest], scored.label[surest], scored.predicted[surest]
    worst = metrics.worst_confusions(confusion, pairs)
    return [int(i) for a, b, _ in worst for i in row[(label == a) & (said == b)][:each]]


def _item(scored: Scored, row: int, names: tuple[str, ...], jpeg: bytes) -> GalleryItem:
    return GalleryItem(
        id=scored.ids[row],
        jpeg=jpeg,
        label=" / ".join(names[i] for i in scored.labels[row]),
        predicted=names[int(scored.top[row, 0])],
        confidence=float(scored.confidence[row]),
    )


def _thumbnails(plan: Plan, config: PreprocessConfig, positions: set[int]) -> dict[int, bytes]:
    """Reads on only as far as the last one; an image that is gone or broken by now is left out."""
    found: dict[int, bytes] = {}
    if not positions:
        return found
    examples = plan.dataset.examples()
    try:
        for position, example in enumerate(examples):
            if position in positions:
                jpeg = _thumbnail(example, config)
                if jpeg is not None:
                    found[position] = jpeg
            if position >= max(positions):
                break
    finally:
        close = getattr(examples, "close", None)
        if close:
            close()
    return found


def _thumbnail(example: Example, config: PreprocessConfig) -> bytes | None:
    try:
        picture = Image.fromarray(decode(example.image, config))
    except ImageError:
        return None
    scale = _SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    # Enlarging keeps the pixels visible as they are; shrinking smooths.
    kernel = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    out = io.BytesIO()
    picture.resize(size, kernel).save(out, "JPEG", quality=85)
    return out.getvalue()
