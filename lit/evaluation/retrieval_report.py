"""A retrieval suite from embeddings to report."""

import numpy as np

from lit.errors import DatasetError
from lit.evaluation import parallel, retrieval
from lit.evaluation.assembly import Clock, report_of
from lit.evaluation.embedding import EmbeddedDataset
from lit.evaluation.outcome import Options, Outcome
from lit.evaluation.plan import Plan
from lit.evaluation.sealing import content_of
from lit.model import Model
from lit.report.report import Predictions


def measure(model: Model, plan: Plan, options: Options, embedded: EmbeddedDataset, began: float) -> Outcome:
    """Ranks all captions for each image, and all images for each caption.

    Args:
      model, plan, options: of the run.
      embedded: this process's share of the images.
      began: `time.perf_counter()` at the start of the run.

    Raises:
      DatasetError: there is no image, or one without a caption.
    """
    clock = Clock(began)
    columns = parallel.gather({"zimg": embedded.zimg, "digests": embedded.digests}, embedded.positions)
    said = [[int(p), i, list(t)] for p, i, t in zip(embedded.positions, embedded.ids, embedded.texts, strict=True)]
    rows = sorted(parallel.gather_objects(said))
    if not rows:
        raise DatasetError(f"{plan.dataset.name}, split {plan.dataset.split}: no image is left to score.")
    ids, texts = [row[1] for row in rows], [tuple(row[2]) for row in rows]
    flat, text_image = retrieval.captions(plan, texts, ids)
    ztxt = _embed_captions(model, flat, options)
    clock.text_done()
    digests = [digest.tobytes() for digest in columns["digests"]]
    report = report_of(
        model, plan, options, embedded,
        content=content_of(digests, retrieval.taken(plan, texts)), scored=len(ids),
        figures=retrieval.figures(columns["zimg"], ztxt, text_image), clock=clock,
        predictions=Predictions(
            ids=tuple(ids), digests=tuple(d.hex()[:16] for d in digests),
            labels=((),) * len(ids), top=((),) * len(ids), confidence=(0.0,) * len(ids),
        ),
    )  # fmt: skip
    return Outcome(report=report)


def _embed_captions(model: Model, texts: list[str], options: Options) -> np.ndarray:
    """Every process embeds a share."""
    shard, shards = parallel.shard_of_this_process()
    mine = np.arange(shard, len(texts), shards)
    progress = options.progress and parallel.is_first_process()
    rows = (
        model.embed_texts([texts[i] for i in mine], progress=progress)
        if len(mine)
        else np.zeros((0, model.dim), np.float32)
    )
    return parallel.gather({"ztxt": rows}, mine)["ztxt"]
