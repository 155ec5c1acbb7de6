"""The loss and the accuracy of a run over its steps, as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lit.errors import MissingExtraError
from lit.training.result import steps_of
from lit.writing import replacing

#: Points of the smooth line.
_POINTS = 200


def save_curve(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Draws a PNG: every step faint, means of neighbouring steps on top.

    Raises:
      MissingExtraError: matplotlib is not installed.
      OutputError: it cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("the curve of a training", "train") from error
    steps = [record for record in steps_of(records) if record["loss"] is not None]
    at = np.asarray([record["step"] for record in steps], float)
    figure = Figure(figsize=(7.0, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    _line(above, at, [record["loss"] for record in steps], "loss", "tab:blue")
    for name, colour in (("image_to_text", "tab:orange"), ("text_to_image", "tab:green")):
        _line(below, at, [100 * record[name] for record in steps], name.replace("_", " "), colour)
    above.set(ylabel="loss")
    below.set(xlabel="step", ylabel="right in the batch, %", ylim=(0, 102))
    below.legend(frameon=False)
    for axes in (above, below):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=130)


def _line(axes: Any, at: np.ndarray, values: Sequence[float], label: str, colour: str) -> None:
    axes.plot(at, values, color=colour, alpha=0.25, linewidth=0.7)
    parts = [part for part in np.array_split(np.arange(len(at)), min(_POINTS, len(at))) if part.size] if len(at) else []
    x, y = ([np.mean(np.asarray(column)[part]) for part in parts] for column in (at, values))
    axes.plot(x, y, color=colour, linewidth=1.4, label=label)
