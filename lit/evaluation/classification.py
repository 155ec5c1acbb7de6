"""From embeddings and class embeddings to the figures of a classification suite."""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32, Int

from lit import metrics
from lit.errors import DatasetError
from lit.evaluation import parallel
from lit.evaluation.embedding import EmbeddedDataset
from lit.evaluation.plan import Plan
from lit.evaluation.scoring import scores_top_k
from lit.metrics import Figure, ReliabilityBin

#: Ranks that are kept of every image.
RANKS = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scored:
    """Images that have a label, in the dataset's order; columns of equal length.

    Attributes:
      positions: in the dataset.
      ids, digests: the dataset's names of the images, and the SHA-256 of their bytes.
      labels: class positions that are right, at least one.
      top: best classes, best first.
      confidence: softmax probability of the first.
    """

    positions: Int[np.ndarray, "images"]
    ids: tuple[str, ...]
    digests: tuple[bytes, ...]
    labels: tuple[tuple[int, ...], ...]
    top: Int[np.ndarray, "images ranks"]
    confidence: Float32[np.ndarray, "images"]

    @functools.cached_property
    def correct(self) -> Bool[np.ndarray, "images"]:
        """Whether the best class is right."""
        return self.within(1)

    def within(self, k: int) -> Bool[np.ndarray, "images"]:
        """Whether a right class is among the k best."""
        return metrics.hits(self.top[:, :k], self.labels)

    @functools.cached_property
    def single(self) -> Int[np.ndarray, "singles"]:
        """Rows of the images with exactly one label: what is counted class by class must not depend on the model."""
        return np.flatnonzero([len(right) == 1 for right in self.labels])

    @functools.cached_property
    def label(self) -> Int[np.ndarray, "singles"]:
        """The labels of the images with exactly one."""
        return np.asarray([self.labels[row][0] for row in self.single], np.int64)

    @property
    def predicted(self) -> Int[np.ndarray, "singles"]:
        """The best class of the images with exactly one label."""
        return self.top[self.single, 0]


def class_labels(plan: Plan, embedded: EmbeddedDataset) -> tuple[tuple[int, ...], ...]:
    """The class positions of each image; empty where the image has no label, or none that the suite scores.

    Raises:
      DatasetError: an image without a label, or with several, in a suite where each has one.
    """
    assert plan.label_map is not None
    # The same position twice (two labels of one class) is one label.
    found_of: dict[tuple[int, ...], tuple[int, ...]] = {}
    for example, labels in zip(embedded.ids, embedded.labels, strict=True):
        if labels not in found_of:
            classes = plan.label_map.classes_of(labels, of=f"{plan.dataset.name}, {example}")
            found_of[labels] = tuple(dict.fromkeys(classes))
    found = [found_of[labels] for labels in embedded.labels]
    for i, right in enumerate(found):
        if not right and not (plan.suite.any_hit or plan.suite.subset):
            raise DatasetError(
                f"{plan.dataset.name}: {embedded.ids[i]} has no label; every image of suite "
                f"{plan.suite.name!r} needs one."
            )
        if len(right) > 1 and not plan.suite.any_hit:
            raise DatasetError(
                f"{plan.dataset.name}: {embedded.ids[i]} has {len(right)} labels, and suite {plan.suite.name!r} takes "
                "one for each image; write a suite with any_hit = true if each of them is right."
            )
    return tuple(found)


def score(
    plan: Plan,
    embedded: EmbeddedDataset,
    class_embeddings: Float32[np.ndarray, "classes dim"],
    *,
    logit_scale: float,
) -> Scored:
    """Ranks the classes of every image that has a label."""
    labels = class_labels(plan, embedded)
    rows = np.flatnonzero([bool(right) for right in labels])
    k = min(RANKS, len(class_embeddings))
    zimg = embedded.zimg if len(rows) == len(labels) else embedded.zimg[rows]
    top, confidence = scores_top_k(zimg, class_embeddings, k, logit_scale=logit_scale)
    return Scored(
        positions=embedded.positions[rows],
        ids=tuple(embedded.ids[i] for i in rows),
        digests=tuple(embedded.digests[i].tobytes() for i in rows),
        labels=tuple(labels[i] for i in rows),
        top=top,
        confidence=confidence,
    )


def gathered(share: Scored) -> Scored:
    """The scored images of all processes, in the dataset's order."""
    if parallel.shard_of_this_process()[1] == 1:
        return share
    columns = parallel.gather({"top": share.top, "confidence": share.confidence}, share.positions)
    mine = zip(share.positions.tolist(), share.ids, (d.hex() for d in share.digests), share.labels, strict=True)
    rows = sorted(parallel.gather_objects([list(row) for row in mine]))
    return Scored(
        positions=np.asarray([row[0] for row in rows], np.int64),
        ids=tuple(row[1] for row in rows),
        digests=tuple(bytes.fromhex(row[2]) for row in rows),
        labels=tuple(tuple(row[3]) for row in rows),
        top=columns["top"],
        confidence=columns["confidence"],
    )


def figures(scored: Scored, classes: int) -> tuple[dict[str, Figure], list[ReliabilityBin]]:
    """Top-1, top-5 (of more than five classes), mean per class, calibration error; and the bins of the last.

    There is no mean per class where images have several labels: which class would such an image count for?
    """
    found = {"top1": metrics.accuracy(scored.correct)}
    if classes > RANKS:
        found["top5"] = metrics.accuracy(scored.within(RANKS))
    if len(scored.single) == len(scored.ids):
        found["mean_per_class"] = metrics.mean_per_class(scored.correct, scored.label, classes)
    found["ece"], bins = metrics.calibration(scored.confidence, scored.correct)
    return found, bins


def per_class(scored: Scored, classes: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Images of each class, and how many of them are right; of images with exactly one label."""
    support = np.bincount(scored.label, minlength=classes)
    correct = np.bincount(scored.label[scored.predicted == scored.label], minlength=classes)
    return tuple(support.tolist()), tuple(correct.tolist())


def doubts(
    plan: Plan,
    scored: Scored,
    confusion: Sequence[tuple[int, int, int]],
    class_names: Sequence[str],
    support: Sequence[int],
    class_embeddings: Float32[np.ndarray, "classes dim"],
) -> list[str]:
    """What a reader must know before trusting the figures: labels that look permuted, names that cannot win."""
    found = []
    moves = metrics.permutation(confusion, len(class_names)) if confusion else None
    if moves:
        found.append(
            f"the order of the labels is suspect: {metrics.permutation_in_words(moves, class_names)}. Check the class "
            "names against the dataset's labels before publishing any of these figures."
        )
    found += _alike(plan, class_embeddings, class_names)
    seen: dict[tuple[str, ...], int] = {}
    assert plan.words is not None
    for i, texts in enumerate(plan.words.texts):
        first = seen.setdefault(texts, i)
        if first != i:
            found.append(
                f"class {i} ({class_names[i]!r}) has the texts of class {first} and can never win: its {support[i]} "
                "images count as errors, as in every figure published with these names."
            )
    several = len(scored.ids) - len(scored.single)
    if several:
        found.append(
            f"{several} of {len(scored.ids)} images have several labels, of which each is right; the counts by class "
            "and the confusions are of the others."
        )
    empty = sum(n == 0 for n in support)
    if empty and not several:
        found.append(f"{empty} of {len(class_names)} classes have no image in this split.")
    return found


def _alike(plan: Plan, class_embeddings: Float32[np.ndarray, "classes dim"], class_names: Sequence[str]) -> list[str]:
    """Classes of different words that are one to the model: its tokenizer may not tell "cat" from "Cat"."""
    assert plan.words is not None
    first: dict[bytes, int] = {}
    pairs = [(first.setdefault(row.tobytes(), i), i) for i, row in enumerate(class_embeddings)]
    return [
        f"classes {class_names[a]!r} and {class_names[b]!r} are the same to the model, and the second can never win; "
        "name one of them differently."
        for a, b in pairs
        if a != b and plan.words.texts[a] != plan.words.texts[b]
    ]
