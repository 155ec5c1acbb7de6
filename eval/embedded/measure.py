"""Measures the embedded model as it is shipped, through the public interface, and writes its card.

    python eval/embedded/measure.py          # downloads 210 MB of test sets at the first run; minutes on 2 cores

Writes eval/results/embedded.json and lit/embedded/card.md.
"""

import argparse
import json
from pathlib import Path

import card
import numpy as np
import sets

import lit
from lit.metrics.intervals import wilson

ROOT = Path(__file__).parents[2]


def measure(model: lit.Model, held: sets.LabelledSet) -> dict:
    classifier = lit.ZeroShotClassifier(model, held.class_names, prompts=held.prompts, cache=False)
    similarity = classifier.similarity(held.pictures)
    order = np.argsort(-similarity, axis=1, kind="stable")
    ranks = np.argmax(order == held.labels[:, None], axis=1)
    n, hits = len(ranks), int((ranks == 0).sum())
    probability = classifier.probabilities(similarity)
    low, high = wilson(hits, n)
    return {
        "set": held.name,
        "what": held.what,
        "n": n,
        "classes": len(held.class_names),
        "prompts": held.prompts,
        "templates": len(classifier.prompts.templates),
        "top1": hits / n,
        "low": low,
        "high": high,
        "top5": float((ranks < 5).mean()),
        "mean_confidence": float(probability.max(axis=1).mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", type=Path, default=ROOT / "build" / "assets", help="where archives are kept")
    parser.add_argument("--bundle", type=Path, default=ROOT / "lit" / "embedded")
    args = parser.parse_args()
    model = lit.load(args.bundle)
    rows = []
    for load_set in (sets.cifar10, sets.fashion, sets.emoji, sets.quickdraw):
        row = measure(model, load_set(args.assets))
        print(card.figure(row), flush=True)
        rows.append(row)
    report = {"model": model.name, "sha256": card.digest(args.bundle), "precision": model.precision, "sets": rows}
    (ROOT / "eval" / "results" / "embedded.json").write_text(json.dumps(report, indent=1) + "\n")
    (args.bundle / "card.md").write_text(card.render(report))


if __name__ == "__main__":
    main()
