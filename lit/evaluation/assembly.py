"""What every report has, whatever its figures are."""

import dataclasses
import datetime
import time
from collections.abc import Mapping
from typing import Any

from lit.evaluation import parallel
from lit.evaluation.embedding import EmbeddedDataset
from lit.evaluation.outcome import Options
from lit.evaluation.plan import Plan
from lit.evaluation.sealing import seal_of
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
    content: str,
    scored: int,
    figures: Mapping[str, Figure],
    clock: "Clock",
    protocol: Mapping[str, str] | None = None,
    **fields: Any,
) -> Report:
    """Fills in a report.

    Args:
      model, plan, options, embedded: of the run; `embedded` is this process's share.
      content: `content_of` all scored images.
      scored: how many they are.
      figures: found.
      clock: knows how long text and scoring took.
      protocol: further factors of the protocol, for the seal.
      fields: the others of `Report`.
    """
    bad = parallel.gather_objects([dataclasses.asdict(e) for e in embedded.excluded])
    excluded = tuple(sorted((Excluded(**row) for row in bad), key=lambda e: e.id))
    altered = [*plan.altered, *_left_out(plan, options, len(excluded))]
    return Report(
        suite=plan.suite.name,
        title=plan.suite.title,
        task=plan.suite.task,
        model=model.name,
        protocol=plan.words.protocol if plan.words else plan.suite.protocol,
        headline=plan.suite.metric,
        figures=figures,
        seal=seal_of(
            plan,
            model,
            content=content,
            scored=f"{scored} of {len(plan.dataset)}",
            bad=len(excluded),
            protocol=protocol,
        ),
        timing=clock.timing(embedded),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        expected=tuple(e for e in plan.suite.expected if e.model == model.name),
        excluded=excluded,
        warnings=(*_warnings(plan, options, len(excluded)), *fields.pop("warnings", ())),
        altered=tuple(altered),
        notes=plan.suite.notes,
        **fields,
    )


def _limited(plan: Plan, options: Options) -> bool:
    return options.limit is not None and options.limit < len(plan.dataset)


def _left_out(plan: Plan, options: Options, bad: int) -> list[str]:
    found = [f"only the first {options.limit} of {len(plan.dataset)} images"] if _limited(plan, options) else []
    return found + ([f"{bad} images left out"] if bad else [])


def _warnings(plan: Plan, options: Options, bad: int) -> list[str]:
    found = []
    if _limited(plan, options):
        found.append(f"only the first {options.limit} of {len(plan.dataset)} images were looked at.")
    if bad:
        found.append(f"{bad} images could not be decoded and are not in the figures; they are listed below.")
    return found


class Clock:
    """Seconds that the parts of one run took.

    Args:
      began: `time.perf_counter()` at its start.
    """

    def __init__(self, began: float) -> None:
        self._began, self.text = began, 0.0
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
