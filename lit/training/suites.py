"""Zero-shot suites on a model that is being trained."""

import logging
from typing import Any

from lit.errors import DatasetError, OutputError
from lit.evaluation import evaluate
from lit.model import Model
from lit.report import Report
from lit.training.prepare import Prepared

_log = logging.getLogger("lit")


def evaluate_suites(prepared: Prepared, params: Any, *, progress: bool = False) -> dict[str, Report]:
    """Suite -> report, of each suite of the recipe.  One whose data are not there, or that the disk has no room
    for, is a warning and left out.

    Args:
      prepared: the run.
      params: nested parameters of the whole model, on the host.
      progress: show it on standard error.
    """
    wanted, reports = prepared.recipe.evaluate, {}
    if not wanted.suites:
        return reports
    # While the image side stays as it is, its embeddings of a suite do, too; else none would be used again.
    keep = prepared.recipe.model.image_stays
    model = Model(prepared.start.config, params, prepared.start.tokenizer)
    for suite in wanted.suites:
        try:
            reports[suite] = evaluate(
                model,
                suite,
                data_dir=wanted.data_dir or None,
                skip_bad=True,
                keep=keep,
                keep_words=False,
                progress=progress,
            )
        except (DatasetError, OutputError) as error:
            _log.warning("the suite %s was left out: %s", suite, error)
    return reports
