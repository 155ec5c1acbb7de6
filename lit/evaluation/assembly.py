"""What every report has, whatever its figures are."""

import dataclasses
import datetime
import time
from collections.abc import Mapping, Sequence
from typing import Any

from lit.evaluation import parallel
from lit.evaluation.embedding import EmbeddedDataset
from lit.evaluation.outcome import Options
from lit.evaluation.plan import Plan
from lit.evaluation.sealing import content_of, seal_of
from lit.metrics import Figure
from lit.model import Model
from lit.report import Report
from lit.report.report import Excluded, Timing


def report_of(
    model: Model,
    plan: Plan,
    options: Options,
    embedded: EmbeddedDataset,
    *,
    digests: Sequence[bytes],
    labels: Sequence[Sequence[int]],
    figures: Mapping[str, Figure],
    clock: "Clock",
    **fields: Any,
) -> Report:
    """Fills in a report.

    Args:
      model, plan, options, embedded: of the run; `embedded` is this process's share.
      digests, labels: of all scored images.
      figures: found.
      clock: knows how long text and scoring took.
      fields: the others of `Report`.
    """
    bad = [Excluded(**row) for row in parallel.gather_objects([dataclasses.asdict(e) for e in embedded.excluded])]
    expected = tuple(e for e in plan.suite.expected if e.model == model.name)
    scored = f"{len(digests)} of {len(plan.dataset)}" + (f", from the first {options.limit}" if options.limit else "")
    warnings = list(fields.pop("warnings", ()))
    if options.limit and options.limit < len(plan.dataset):
        warnings.append(f"only the first {options.limit} of {len(plan.dataset)} images were looked at.")
    if bad:
        warnings.append(f"{len(bad)} images could not be decoded and are not in the figures; they are listed below.")
    return Report(
        suite=plan.suite.name,
        title=plan.suite.title,
        task=plan.suite.task,
        model=model.name,
        protocol=plan.words.protocol if plan.words else "",
        headline=plan.suite.metric,
        figures=figures,
        seal=seal_of(plan, model, images=content_of(digests, labels), scored=scored, bad=len(bad)),
        timing=clock.timing(embedded),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        expected=expected,
        excluded=tuple(bad),
        warnings=tuple(warnings),
        **fields,
    )


class Clock:
    """Seconds that the parts of one run took.

    Args:
      began: `time.perf_counter()` at its start.
    """

    def __init__(self, began: float) -> None:
        self._began, self.text, self._scoring = began, 0.0, 0.0
        self._last = time.perf_counter()

    def text_done(self) -> None:
        """What passed since the clock was made, or since the last call, went to the texts."""
        self.text += self._lap()

    def timing(self, embedded: EmbeddedDataset) -> Timing:
        """All of it; what passed since the last call went to scoring."""
        score, own = self._lap(), embedded.timing
        counts = parallel.gather_objects([[own.computed, own.reused]])
        return dataclasses.replace(
            own,
            wall=time.perf_counter() - self._began,
            text=self.text,
            score=score,
            computed=sum(computed for computed, _ in counts),
            reused=sum(reused for _, reused in counts),
        )

    def _lap(self) -> float:
        last, self._last = self._last, time.perf_counter()
        return self._last - last
