"""A classification suite from embeddings to report."""

import numpy as np

from lit import metrics
from lit.errors import DatasetError
from lit.evaluation import classification, parallel
from lit.evaluation.assembly import Clock, report_of
from lit.evaluation.classification import Scored
from lit.evaluation.embedding import EmbeddedDataset
from lit.evaluation.few_shot import few_shot_rows
from lit.evaluation.outcome import Options, Outcome
from lit.evaluation.plan import Plan
from lit.evaluation.sealing import content_of
from lit.evaluation.words import embed_repaired, embed_words
from lit.metrics import Figure
from lit.model import Model
from lit.report.report import Predictions


def measure(
    model: Model,
    plan: Plan,
    options: Options,
    embedded: EmbeddedDataset,
    train: EmbeddedDataset | None,
    began: float,
) -> Outcome:
    """Ranks the classes of each image and counts.

    Args:
      model, plan, options: of the run.
      embedded: this process's share of the images that are scored.
      train: and of those that few-shot learns from.
      began: `time.perf_counter()` at the start of the run.

    Raises:
      DatasetError: there is no image to score, or one lacks its label.
    """
    assert plan.words is not None
    clock = Clock(began)
    quiet = not (options.progress and parallel.is_first_process())
    class_embeddings = embed_words(model, plan.words, keep=options.keep and options.keep_words, progress=not quiet)
    clock.text_done()
    scored = classification.gathered(
        classification.score(plan, embedded, class_embeddings, logit_scale=model.logit_scale)
    )
    if not len(scored.ids):
        raise DatasetError(f"{plan.dataset.name}, split {plan.dataset.split}: no image is left to score.")
    names = plan.words.class_names
    figures, bins = classification.figures(scored, len(names))
    figures |= _repaired(model, plan, embedded, class_embeddings)
    single = len(scored.single) > 0
    confusion = metrics.confusion(scored.label, scored.predicted, len(names)) if single else []
    support, correct = classification.per_class(scored, len(names))
    few_shot, warnings = few_shot_rows(plan, embedded, train, options) if train else (None, [])
    report = report_of(
        model, plan, options, embedded,
        content=content_of(scored.digests, scored.labels), scored=len(scored.ids), figures=figures, clock=clock,
        protocol=few_shot.words if few_shot else {},
        class_names=names,
        support=support,
        correct=correct,
        confusion=tuple(confusion),
        reliability=tuple(bins),
        predictions=_predictions(scored),
        warnings=[*classification.doubts(plan, scored, confusion, names, support, class_embeddings), *warnings],
        few_shot=few_shot.rows if few_shot else (),
    )  # fmt: skip
    return Outcome(report=report, scored=scored, class_embeddings=class_embeddings)


def _repaired(model: Model, plan: Plan, embedded: EmbeddedDataset, class_embeddings: np.ndarray) -> dict[str, Figure]:
    """The figures with names that tell doubles apart, where the suite has such and its own names are in use."""
    assert plan.words is not None
    if not plan.suite.repaired or plan.words.classes != plan.suite.classes:
        return {}
    mended = embed_repaired(model, plan.words, class_embeddings, plan.suite.repaired)
    scored = classification.gathered(classification.score(plan, embedded, mended, logit_scale=model.logit_scale))
    found, _ = classification.figures(scored, len(plan.words.class_names))
    return {f"repaired/{name}": figure for name, figure in found.items()}


def _predictions(scored: Scored) -> Predictions:
    return Predictions(
        ids=scored.ids,
        digests=tuple(digest.hex()[:16] for digest in scored.digests),
        labels=scored.labels,
        top=_tuples(scored.top),
        confidence=tuple(scored.confidence.tolist()),
    )


def _tuples(rows: np.ndarray) -> tuple[tuple[int, ...], ...]:
    return tuple(map(tuple, rows.tolist()))
