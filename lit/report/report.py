"""What an evaluation found: figures, where they come from, and everything needed to doubt them."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lit.errors import InputError
from lit.metrics.calibration import ReliabilityBin as ReliabilityBin
from lit.metrics.few_shot import FewShot as FewShot
from lit.metrics.figure import Figure
from lit.report.seal import Seal
from lit.report.step import GapStep
from lit.suites.suite import Expected

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True, kw_only=True)
class Excluded:
    """An example that was not scored, and why."""

    id: str
    reason: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timing:
    """Where the time went, in seconds.  Parts run side by side, so they add up to more than `wall`.

    Of several processes, the seconds are the first one's; images are counted over all.

    Attributes:
      wall: from the first example to the last score.
      read: reading and hashing the dataset, and looking up stored embeddings.
      decode: decoding and resizing, summed over threads.
      tower: the image tower busy.
      text: embedding the class texts (0 from the cache).
      score: inner products and metrics.
      computed: images that went through the tower in this run.
      reused: images whose embeddings were stored already.
    """

    wall: float
    read: float
    decode: float
    tower: float
    text: float
    score: float
    computed: int
    reused: int

    @property
    def images_per_second(self) -> float:
        """Of this run, computed and reused together."""
        return (self.computed + self.reused) / self.wall if self.wall else 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Predictions:
    """One entry per scored image, in the dataset's order; columns of equal length.

    Attributes:
      ids: the dataset's names of the images.
      digests: the first 16 hex digits of the SHA-256 of the stored bytes; two reports are paired by them.
      labels: class positions that are right.
      top: positions of the best classes, best first (up to 5).
      confidence: softmax probability of the first.
    """

    ids: tuple[str, ...]
    digests: tuple[str, ...]
    labels: tuple[tuple[int, ...], ...]
    top: tuple[tuple[int, ...], ...]
    confidence: tuple[float, ...]

    def __post_init__(self) -> None:
        sizes = {field.name: len(getattr(self, field.name)) for field in dataclasses.fields(self)}
        if len(set(sizes.values())) > 1:
            raise InputError(f"the columns of the predictions differ in length: {sizes}")

    def __len__(self) -> int:
        return len(self.ids)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """The result of one evaluation.

    Attributes:
      suite, title, task, model, protocol: what was measured, with what, how.
      headline: the key in `figures` that the suite reports.
      figures: "top1", "top5", "mean_per_class", "ece"; the same under "repaired/..." where the suite repairs names;
        for retrieval "image_to_text_r1", "_r5", "_r10" and "text_to_image_...".
      expected: published figures of this model on this suite.
      class_names: in order; empty for retrieval.
      support, correct: images of each class, and how many of them were right (top-1).
      confusion: (true class, predicted class, images), all that are not 0.  Images with several labels count under
        their first, unless they are right.
      reliability: the bins of the calibration error.
      predictions: image by image; for retrieval the images, with no labels.
      excluded: what was not scored.
      warnings: what a reader must know before trusting the figure.
      few_shot: empty unless asked for.
      altered: ways in which the run departs from the suite and the protocol that it names, in words ("prompts: plain").
      notes: what the suite tells the reader (contamination, for example).
      gap: what each choice costs; empty unless asked for.
      seal: what determined the figures.
      timing: where the time went.
      created: UTC, ISO 8601.

    Raises:
      InputError: no figure is called `headline`, or the columns by class differ in length.
    """

    suite: str
    title: str
    task: str
    model: str
    protocol: str
    headline: str
    figures: Mapping[str, Figure]
    seal: Seal
    timing: Timing
    created: str
    expected: tuple[Expected, ...] = ()
    class_names: tuple[str, ...] = ()
    support: tuple[int, ...] = ()
    correct: tuple[int, ...] = ()
    confusion: tuple[tuple[int, int, int], ...] = ()
    reliability: tuple[ReliabilityBin, ...] = ()
    predictions: Predictions | None = None
    excluded: tuple[Excluded, ...] = ()
    warnings: tuple[str, ...] = ()
    few_shot: tuple[FewShot, ...] = ()
    altered: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    gap: tuple[GapStep, ...] = ()

    @property
    def accuracy(self) -> float:
        """The headline figure, a fraction."""
        return self.figures[self.headline].value

    @property
    def n(self) -> int:
        """Images (or queries) behind the headline figure."""
        return self.figures[self.headline].n

    def __post_init__(self) -> None:
        if self.headline not in self.figures:
            raise InputError(f"the headline {self.headline!r} is not among the figures: {', '.join(self.figures)}")
        if self.support and not len(self.support) == len(self.correct) == len(self.class_names):
            raise InputError(
                f"there are {len(self.class_names)} class names, {len(self.support)} supports and {len(self.correct)} "
                "counts of right images; they must be as many"
            )

    def published(self, figure: str) -> Expected | None:
        """The published figure that `figure` may be held against, if any.

        It is of this model under exactly this protocol, and the run departs from nothing that it names.
        """
        return None if self.altered else self._under_protocol(figure)

    def departed_from(self, figure: str) -> Expected | None:
        """The published figure that `figure` could be held against, had the run not departed from its protocol."""
        return self._under_protocol(figure) if self.altered else None

    def _under_protocol(self, figure: str) -> Expected | None:
        wanted = (self.model, figure, self.protocol)
        found = (e for e in self.expected if self.protocol and (e.model, e.metric, e.protocol) == wanted)
        return next(found, None)

    def save(self, path: str | Path) -> None:
        """Writes JSON; see `lit.report.save`."""
        from lit.report.saved import save

        save(self, path)

    def to_frame(self) -> "pd.DataFrame":
        """One row per figure; see `lit.report.to_frame`."""
        from lit.report.frames import to_frame

        return to_frame(self)

    def to_html(self, path: str | Path | None = None) -> str:
        """The page for people, and writes it where `path` is given; see `lit.report.page`."""
        from lit.report.page import page
        from lit.writing import write_text

        html = page(self)
        if path is not None:
            write_text(path, html)
        return html

    def __str__(self) -> str:
        from lit.report.words import text_of

        return text_of(self)

    def _repr_html_(self) -> str:
        from lit.report.words import html_of

        return html_of(self)
