"""What a run comes to."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

#: The figures of a single batch jump; what a run is said to have reached is the mean of so many last steps.
LAST_STEPS = 100


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """What a run comes to.

    Attributes:
      output: its folder.
      model: the folder that `lit.load` opens; None where the run was stopped before its end.
      step, steps: how many steps are done, of how many.
      loss, accuracy: means over the last steps; accuracy of both directions, in the batch.  None without a step.
      suites: suite -> its headline figure for the finished model.
      stopped: the signal that ended the run early, or "".
    """

    output: Path
    model: Path | None
    step: int
    steps: int
    loss: float | None
    accuracy: float | None
    suites: Mapping[str, float] = dataclasses.field(default_factory=dict)
    stopped: str = ""


def how_far(result: Result) -> str:
    """What a run that was stopped says."""
    done = f"step {result.step:,} of {result.steps:,} is saved in {result.output}" if result.step else "no step is done"
    return f"{done}, and the same command continues there"


def steps_of(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The records of steps; a log also has those of suites."""
    return [record for record in records if "loss" in record]


def reached(records: Sequence[Mapping[str, Any]]) -> tuple[float | None, float | None]:
    """Loss and accuracy of the last steps."""
    last = [record for record in steps_of(records) if record["loss"] is not None][-LAST_STEPS:]
    if not last:
        return None, None
    accuracies = [(record["image_to_text"] + record["text_to_image"]) / 2 for record in last]
    return sum(record["loss"] for record in last) / len(last), sum(accuracies) / len(last)
