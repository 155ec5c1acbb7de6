"""Few examples per class instead of words: ridge and nearest neighbours on the image embeddings."""

import numpy as np

from lit import metrics
from lit.evaluation import parallel
from lit.evaluation.classification import class_labels
from lit.evaluation.embedding import EmbeddedDataset
from lit.evaluation.outcome import Options
from lit.evaluation.plan import Plan
from lit.report.report import FewShot


def few_shot_rows(
    plan: Plan, embedded: EmbeddedDataset, train: EmbeddedDataset, options: Options
) -> tuple[FewShot, ...]:
    """The few-shot table.

    Args:
      plan: its suite has one label for each image.
      embedded: this process's share of the images that are scored.
      train: and of those that examples are drawn from.
      options: shots and seeds.
    """
    assert plan.words is not None
    x, y = _gathered(plan, train)
    x_test, y_test = _gathered(plan, embedded)
    classes = len(plan.words.class_names)
    return tuple(metrics.few_shot(x, y, x_test, y_test, classes, shots=options.few_shot, seeds=options.seeds))


def _gathered(plan: Plan, embedded: EmbeddedDataset) -> tuple[np.ndarray, np.ndarray]:
    labels = class_labels(plan, embedded)
    rows = np.flatnonzero([bool(right) for right in labels])
    y = np.asarray([labels[i][0] for i in rows], np.int64)
    columns = parallel.gather({"z": embedded.zimg[rows], "y": y}, embedded.positions[rows])
    return columns["z"], columns["y"]
