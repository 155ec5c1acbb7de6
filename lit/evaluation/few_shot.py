"""Few examples per class instead of words: ridge and nearest neighbours on the image embeddings."""

import dataclasses
from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float32, Int, UInt8

from lit import metrics
from lit.errors import DatasetError
from lit.evaluation import parallel
from lit.evaluation.classification import class_labels
from lit.evaluation.embedding import EmbeddedDataset
from lit.evaluation.outcome import Options
from lit.evaluation.plan import Plan
from lit.evaluation.sealing import content_of
from lit.report.report import FewShot


@dataclasses.dataclass(frozen=True, kw_only=True)
class FewShotTable:
    """The rows, and what determined them, for the seal."""

    rows: tuple[FewShot, ...]
    words: Mapping[str, str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Labelled:
    """Images of all processes, in the dataset's order."""

    z: Float32[np.ndarray, "images dim"]
    y: Int[np.ndarray, "images"]
    digests: UInt8[np.ndarray, "images 32"]


def few_shot_rows(
    plan: Plan, embedded: EmbeddedDataset, train: EmbeddedDataset, options: Options
) -> tuple[FewShotTable, list[str]]:
    """The few-shot table, and warnings.

    Images that are scored are never learnt from: those that are in both splits, by the hash of their bytes, are taken
    out of the examples.

    Args:
      plan: its suite has one label for each image.
      embedded: this process's share of the images that are scored.
      train: and of those that examples are drawn from.
      options: shots and seeds.
    """
    assert plan.words is not None
    assert plan.train is not None
    test, examples = _gathered(plan, embedded), _gathered(plan, train)
    fresh = ~_among(examples.digests, test.digests)
    if not fresh.any():
        raise DatasetError(
            f"{plan.train.name}: all images of split {plan.train.split} are among those that are scored, so "
            "none is left to learn from."
        )
    z, y, content = (
        examples.z[fresh],
        examples.y[fresh],
        content_of(examples.digests[fresh], examples.y[fresh, None].tolist(), ordered=True),
    )
    classes = len(plan.words.class_names)
    rows = metrics.few_shot(z, y, test.z, test.y, classes, shots=options.few_shot, seeds=options.seeds)
    settings = "; ".join(dict.fromkeys(f"{row.method}: {row.setting}" for row in rows))
    words = {
        "few-shot": f"{', '.join(map(str, options.few_shot))} examples a class from split {plan.train.split}, "
        f"drawn with seeds {', '.join(map(str, options.seeds))}; {settings}",
        "few-shot examples": f"{len(y)} to draw from, {content}",
    }
    seen = int((~fresh).sum())
    warnings = [f"{seen} training images are among those that are scored, and were not learnt from."] if seen else []
    return FewShotTable(rows=tuple(rows), words=words), warnings


def _among(
    digests: UInt8[np.ndarray, "images 32"], others: UInt8[np.ndarray, "others 32"]
) -> Bool[np.ndarray, "images"]:
    known = {row.tobytes() for row in others}
    return np.asarray([row.tobytes() in known for row in digests], bool)


def _gathered(plan: Plan, embedded: EmbeddedDataset) -> _Labelled:
    labels = class_labels(plan, embedded)
    rows = np.flatnonzero([bool(right) for right in labels])
    y = np.asarray([labels[i][0] for i in rows], np.int64)
    columns = {"z": embedded.zimg[rows], "y": y, "digests": embedded.digests[rows]}
    return _Labelled(**parallel.gather(columns, embedded.positions[rows]))
