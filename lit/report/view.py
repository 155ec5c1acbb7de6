"""What a page shows, as plain rows: everything that is decided before the template."""

import shlex
from typing import Any

from lit.report.frames import per_class_frame
from lit.report.matrix import matrix_of, worst_confusions
from lit.report.report import Report
from lit.report.words import REPAIRED, name_of
from lit.suites import suite_names

#: Up to so many classes the whole table is open; of more, the extremes are shown and the table is folded.
OPEN_CLASSES = 30
_EXTREMES = 10
#: Rows of a list of images that a page carries; the JSON has all.
MOST_LISTED = 200
_PARTS = {
    "read": "reading the dataset",
    "decode": "decoding and resizing (all threads)",
    "tower": "image tower",
    "text": "class texts",
    "score": "scores and figures",
}


def figure_rows(report: Report) -> list[dict[str, Any]]:
    """A row for each figure, the headline first, its repaired twin beside it."""
    keys = [key for key in report.figures if not key.startswith(REPAIRED)]
    twins = [key for key in report.figures if key.startswith(REPAIRED) and key.removeprefix(REPAIRED) not in keys]
    return [
        {
            "name": name_of(key),
            "figure": report.figures[key],
            "repaired": report.figures.get(REPAIRED + key),
            "published": report.published(key),
        }
        for key in sorted(keys + twins, key=lambda key: key != report.headline)
    ]


def retrieval_rows(report: Report) -> tuple[list[int], list[dict[str, Any]]]:
    """The ranks k, and for each way the figures R@k; empty where it is no retrieval."""
    ways = {"image_to_text": "Image to text", "text_to_image": "Text to image"}
    found = {key.rpartition("_r") for key in report.figures}
    ranks = sorted({int(k) for way, _, k in found if way in ways and k.isdigit()})
    keys = {said: [f"{way}_r{k}" for k in ranks] for way, said in ways.items()}
    cells = {said: [(report.figures.get(key), report.published(key)) for key in of] for said, of in keys.items()}
    rows = [{"name": said, "cells": of, "n": max((f.n for f, _ in of if f), default=0)} for said, of in cells.items()]
    return ranks, [row for row in rows if any(figure for figure, _ in row["cells"])]


def other_published(report: Report) -> list[dict[str, Any]]:
    """Published figures of this model that were measured otherwise, those of the headline first."""
    of_model = [e for e in report.expected if e.model == report.model]
    return [
        {"name": "" if e.metric == report.headline else name_of(e.metric), "expected": e}
        for e in sorted(of_model, key=lambda e: e.metric != report.headline)
        if e not in (report.published(e.metric), report.departed_from(e.metric))
    ]


def departures(report: Report) -> list[dict[str, Any]]:
    """Published figures that this run would be held against, had it not departed from their protocol."""
    keys = sorted(report.figures, key=lambda key: key != report.headline)
    found = {key: report.departed_from(key) for key in keys}
    return [{"name": name_of(key), "expected": expected} for key, expected in found.items() if expected]


def scale(report: Report) -> dict[str, float]:
    """Where the headline, its interval and the published figure lie on a line from 0 to 100."""
    head, published = report.figures[report.headline], report.published(report.headline)
    values = [head.low, head.high, *([published.value] if published else [])]
    pad = max(0.15 * (max(values) - min(values)), 0.002)
    left, right = max(0.0, min(values) - pad), min(1.0, max(values) + pad)
    place = {"value": head.value, "low": head.low, "high": head.high}
    place |= {"published": published.value} if published else {}
    on_line = {name: 100 * (value - left) / (right - left) for name, value in place.items()}
    return {**on_line, "left": left, "right": right}


def class_rows(report: Report) -> list[dict[str, Any]]:
    """A row for each class, worst first; classes without images last."""
    frame = per_class_frame(report).sort_values("accuracy", kind="stable", na_position="last")
    rows = frame.rename(columns={"class": "position", "class_name": "name"}).to_dict("records")
    mistaken = {
        true: report.class_names[said] for true, said, _ in reversed(worst_confusions(report, len(report.confusion)))
    }
    return [{**row, "mistaken": mistaken.get(row["position"], "")} for row in rows]


def extremes(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The worst classes, and the best ones, best first."""
    seen = [row for row in rows if row["images"]]
    return seen[:_EXTREMES], seen[::-1][:_EXTREMES]


def confusion_view(report: Report) -> dict[str, Any]:
    """The heat map's cells as shares of their true class, their size in rem, and the worst confusions."""
    matrix = matrix_of(report)
    rows = [
        {
            "name": report.class_names[true],
            "cells": [
                {"n": n, "share": n / max(total, 1), "right": true == said, "said": report.class_names[said]}
                for said, n in zip(matrix.classes, counts, strict=True)
            ],
        }
        for true, counts, total in zip(matrix.classes, matrix.images, matrix.support, strict=True)
    ]
    support = dict(enumerate(report.support))
    worst = [
        {"true": report.class_names[a], "said": report.class_names[b], "n": n, "share": n / max(support.get(a, 0), n)}
        for a, b, n in worst_confusions(report)
    ]
    cell = min(2.6, max(1.7, 36 / max(len(rows), 1)))
    return {"rows": rows, "worst": worst, "part": len(matrix.classes) < len(report.class_names), "cell": cell}


def few_shot_rows(report: Report) -> tuple[list[int], list[dict[str, Any]]]:
    """Shots, and for each method the mean over seeds with its interval; it scores the images that top-1 does."""
    n = report.figures.get("top1", report.figures[report.headline]).n
    shots = sorted({row.shots for row in report.few_shot})
    methods: dict[tuple[str, str], dict[int, Any]] = {}
    for row in report.few_shot:
        if row.accuracies:
            methods.setdefault((row.method, row.setting), {})[row.shots] = row.figure(n)
    return shots, [
        {"method": method, "setting": setting, "cells": [of.get(k) for k in shots]}
        for (method, setting), of in methods.items()
    ]


def time_rows(report: Report) -> list[dict[str, Any]]:
    """Seconds of each part, and their share of the longest."""
    seconds = {said: getattr(report.timing, part) for part, said in _PARTS.items()}
    longest = max([*seconds.values(), report.timing.wall]) or 1.0
    return [{"part": part, "seconds": s, "share": s / longest} for part, s in seconds.items()]


def command(report: Report) -> str:
    """The line that measures this again, or "" where the report does not hold all of it."""
    if report.suite not in suite_names() or report.altered or report.few_shot:
        return ""
    words = ["lit", "eval", report.suite, "--model", report.model]
    if report.task == "classification":
        words += ["--protocol", report.protocol]
    precision = report.seal.model.get("precision", "float32")
    return shlex.join(words + (["--precision", precision] if precision != "float32" else []))
