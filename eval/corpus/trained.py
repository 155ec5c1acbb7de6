"""What trained models make of the held-out parts of the corpus: the same figures as baselines.py, on the same files.

    python eval/corpus/trained.py runs/drawings-Lu/model runs/drawings-uu/model runs/embedded/model

Writes eval/results/corpus_trained.json, and prints a table of models and baselines.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from baselines import CLASSIFIED, ROOT, measured

import lit

#: Title, part of the corpus, figure (None: the part is one).
COLUMNS = (
    ("unseen style: top 1", "style, top 1 by bare names", None),
    ("picture to text R@1", "style-fluent-3d", "image_to_text_r1"),
    ("R@5", "style-fluent-3d", "image_to_text_r5"),
    ("text to picture R@1", "style-fluent-3d", "text_to_image_r1"),
    ("R@5", "style-fluent-3d", "text_to_image_r5"),
    ("unseen concepts: top 1", "concepts, top 1 by bare names", None),
    ("picture to text R@1", "concepts-noto", "image_to_text_r1"),
    ("R@5", "concepts-noto", "image_to_text_r5"),
    ("text to picture R@1", "concepts-noto", "text_to_image_r1"),
    ("R@5", "concepts-noto", "text_to_image_r5"),
)


def of_model(corpus: Path, folder: Path) -> dict[str, Any]:
    """Every figure of one model; each picture and each text is embedded once."""
    model = lit.load(folder)
    images: dict[str, np.ndarray] = {}

    def zimg(rows: Any) -> np.ndarray:
        new = [path for path in dict.fromkeys(row["image"] for row in rows) if path not in images]
        if new:
            z = model.embed_images([corpus / path for path in new], progress=True)
            images.update(zip(new, z, strict=True))
        return np.stack([images[row["image"]] for row in rows])

    return {"name": model.name} | measured(corpus, zimg, model.embed_texts)


def table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown: percent, with the 95 % interval."""

    def cell(row: Mapping[str, Any], part: str, name: str | None) -> str:
        f = row[part] if name is None else row[part][name]
        return f"{100 * f['value']:.1f} ({100 * f['low']:.1f}-{100 * f['high']:.1f})"

    lines = [f"| | {' | '.join(title for title, *_ in COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, row in rows.items():
        lines.append(f"| {name} | {' | '.join(cell(row, part, figure) for _, part, figure in COLUMNS)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", metavar="FOLDER", help="a saved model")
    parser.add_argument("--corpus", type=Path, default=ROOT / "build" / "corpus", help="default: build/corpus")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "eval" / "results" / "corpus_trained.json")
    args = parser.parse_args()
    summary = json.loads((args.corpus / "summary.json").read_text(encoding="utf-8"))
    trained = {}
    for folder in args.models:
        found = of_model(args.corpus, folder)
        name = found.pop("name")
        if name in trained:
            parser.error(f"two of the models are called {name}")
        trained[name] = found
    held = json.loads((ROOT / "eval" / "results" / "corpus_baselines.json").read_text(encoding="utf-8"))
    if held["corpus"]["pixels"] != summary["pixels"]:
        parser.error(f"{args.corpus} is not the corpus that corpus_baselines.json was measured on; run baselines.py")
    corpus = {"pixels": summary["pixels"], **{name: summary["files"][f"{name}.jsonl"] for name in CLASSIFIED}}
    args.output.write_text(json.dumps({"corpus": corpus, "trained": trained}, indent=1) + "\n", encoding="utf-8")
    print(table(held["baselines"] | trained))


if __name__ == "__main__":
    main()
