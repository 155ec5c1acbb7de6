"""The end of a run: a model that `lit.load` opens, its card, and the curve as a picture."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax

from lit.captions import CachedPairs, Corpus
from lit.captions.duplicates import Duplicates
from lit.checkpoints import save_bundle
from lit.errors import MissingExtraError
from lit.report import Report
from lit.training.card import card_text
from lit.training.curve import save_curve
from lit.training.locking import merge
from lit.training.mesh import everywhere
from lit.training.prepare import Prepared
from lit.training.state import TrainState
from lit.training.workplace import CURVE, MODEL

_log = logging.getLogger("lit")


def host_params(prepared: Prepared, state: TrainState) -> dict[str, Any]:
    """All parameters of the model, nested numpy arrays: the moving average where there is one."""
    learnt = state.trained if state.ema is None else state.ema
    mesh = prepared.learning.mesh
    if mesh.size > 1:  # a part of them may be on devices of other processes
        learnt = jax.jit(lambda tree: tree, out_shardings=everywhere(mesh))(learnt)
    return merge(jax.device_get(learnt), prepared.locked)


def finish(
    prepared: Prepared,
    params: Mapping[str, Any],
    pairs: CachedPairs | Corpus,
    twice: Duplicates,
    records: Sequence[Mapping[str, Any]],
    reports: Mapping[str, Report],
) -> Path:
    """Writes the bundle and the curve; returns the folder of the bundle.

    Raises:
      OutputError: they cannot be written.
    """
    output = Path(prepared.recipe.output)
    card = card_text(prepared, pairs, twice, records, reports)
    begun = prepared.start
    model = save_bundle(
        output / MODEL,
        config=begun.config,
        params=params,
        vocab=begun.vocab,
        card=card,
        licenses=begun.licenses,
        overwrite=True,
    )
    try:
        save_curve(output / CURVE, records)
    except MissingExtraError as error:
        _log.warning("no picture of the curve was made: %s", error)
    return model
