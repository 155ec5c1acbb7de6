"""What the corpus gives without training by gradients: two towers joined by names, and closed-form regressions.

    python eval/embedded/build.py            # the two towers
    python eval/corpus/assemble.py
    python eval/corpus/baselines.py          # embeds 15,000 pictures once: six minutes of processor

Writes eval/results/corpus_baselines.json.  A model that was trained on `train.jsonl` is worth its training where it
beats these figures, measured on the same files with `lit eval`.
"""

import argparse
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import lit
from lit import checkpoints
from lit.config import PrototypeHeadConfig
from lit.metrics import retrieval
from lit.metrics.intervals import share
from lit.prompts import canonicalize

ROOT = Path(__file__).parents[2]
RETRIEVED = ("style-fluent-3d", "style-fluent-flat", "concepts-noto", "concepts-fluent-3d")
CLASSIFIED = ("style", "concepts")
#: Multiples of the mean eigenvalue of the features' covariance.
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)

Rows = Sequence[dict[str, Any]]


def unit(x: np.ndarray) -> np.ndarray:
    """Rows of unit norm; a row of zeros stays."""
    return (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def read(corpus: Path, name: str) -> Rows:
    with (corpus / f"{name}.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def logits(z: np.ndarray) -> np.ndarray:
    """What prototype heads take the root of the softmax of, less its mean: linear in a tower's features."""
    logs = 2 * np.log(np.maximum(z.astype(np.float64), 1e-30))
    return (logs - logs.mean(axis=1, keepdims=True)).astype(np.float32)


def sentence_features(z: np.ndarray, kernel: np.ndarray, temperature: float) -> np.ndarray:
    """MiniLM's features (texts, 384), less their common mean, of unit norm: from what the text head made of them."""
    centred = kernel.astype(np.float64) - kernel.mean(axis=1, keepdims=True)
    return unit(temperature * logits(z) @ np.linalg.pinv(centred))


def whitening(x: np.ndarray, floor: float = 0.01) -> np.ndarray:
    """The matrix after which the columns are uncorrelated and vary alike; `floor`: of the largest variance."""
    values, vectors = np.linalg.eigh(np.cov(x.T.astype(np.float64)))
    return ((vectors / np.sqrt(np.maximum(values, floor * values.max()))) @ vectors.T).astype(np.float32)


def kept(file: Path, key: str, items: Sequence[str], embed: Callable[[list[str]], np.ndarray]) -> dict[str, np.ndarray]:
    """Item -> embedding, from the file if it was made for the same items by the same model."""
    digest = hashlib.sha256(f"{key}\0{chr(0).join(items)}".encode()).hexdigest()
    if file.exists():
        with np.load(file) as held:
            if str(held["digest"]) == digest:
                return dict(zip(items, held["z"], strict=True))
    z = embed(list(items))
    np.savez(file, z=z, digest=digest)
    return dict(zip(items, z, strict=True))


def regression(x: np.ndarray, y: np.ndarray, groups: np.ndarray) -> tuple[Callable[[np.ndarray], np.ndarray], float]:
    """Ridge regression from x to y (pairs, ...), its penalty chosen on a tenth of the concepts.

    Returns:
      the fitted map, and the penalty as a multiple of the mean eigenvalue.
    """
    held = groups % 10 == 0
    scores = {p: _cosine(_ridge(x[~held], y[~held], p)(x[held]), y[held]) for p in PENALTIES}
    best = max(scores, key=lambda p: scores[p])
    return _ridge(x, y, best), best


def _ridge(x: np.ndarray, y: np.ndarray, penalty: float) -> Callable[[np.ndarray], np.ndarray]:
    mean, target = x.mean(axis=0), y.mean(axis=0)
    gram = (x - mean).T @ (x - mean)
    gram[np.diag_indices_from(gram)] += penalty * np.trace(gram) / len(gram)
    w = np.linalg.solve(gram.astype(np.float64), ((x - mean).T @ (y - target)).astype(np.float64)).astype(np.float32)
    return lambda new: (new - mean) @ w + target


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float((unit(a) * unit(b)).sum(axis=1).mean())


def bag_of_words(train: Sequence[str]) -> Callable[[Sequence[str]], np.ndarray]:
    """Texts -> weights of the words of the training captions, rarer ones weighing more (idf), of unit norm."""
    counts: dict[str, int] = {}
    for text in train:
        for word in set(canonicalize(text).split()):
            counts[word] = counts.get(word, 0) + 1
    known = {word: i for i, word in enumerate(sorted(word for word, n in counts.items() if n > 1))}
    idf = np.asarray([np.log(len(train) / counts[word]) for word in known], np.float32)

    def weigh(texts: Sequence[str]) -> np.ndarray:
        found = np.zeros((len(texts), len(known)), np.float32)
        for row, text in zip(found, texts, strict=True):
            for word in canonicalize(text).split():
                if word in known:
                    row[known[word]] = idf[known[word]]
        return unit(found)

    return weigh


def figures(zimg: np.ndarray, ztxt: np.ndarray, owner: np.ndarray) -> dict[str, Any]:
    found = retrieval(zimg, ztxt, owner, ks=(1, 5))
    return {"images": len(zimg), "texts": len(ztxt)} | {
        name: {"value": round(f.value, 4), "low": round(f.low, 4), "high": round(f.high, 4)}
        for name, f in found.items()
    }


def top1(zimg: np.ndarray, names: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    hits = int(((zimg @ names.T).argmax(axis=1) == y).sum())
    f = share(hits, len(y))
    return {
        "images": len(y), "classes": len(names), "value": round(f.value, 4), "low": round(f.low, 4),
        "high": round(f.high, 4),
    }  # fmt: skip


def measured(corpus: Path, zimg: Callable[[Rows], np.ndarray], ztxt: Callable[[Sequence[str]], np.ndarray]) -> dict:
    """Retrieval and classification of the parts that are held out."""
    found: dict[str, Any] = {}
    for name in RETRIEVED:
        rows = read(corpus, name)
        owner = np.repeat(np.arange(len(rows)), [len(row["text"]) for row in rows])
        found[name] = figures(zimg(rows), ztxt([text for row in rows for text in row["text"]]), owner)
    for name in CLASSIFIED:
        rows = read(corpus, name)
        names = sorted({row["label"] for row in rows})
        y = np.asarray([names.index(row["label"]) for row in rows])
        found[f"{name}, top 1 by bare names"] = top1(zimg(rows), ztxt(names), y)
    return found


def baselines(
    corpus: Path, images: dict[str, np.ndarray], texts: dict[str, np.ndarray], sentences: dict[str, np.ndarray]
) -> dict[str, Any]:
    """All figures, from the joined towers' embeddings of pictures (by path) and of texts, and MiniLM's features."""
    train = read(corpus, "train")
    ids = {c: i for i, c in enumerate(sorted({row["concept"] or row["id"] for row in train}))}
    groups = np.asarray([ids[row["concept"] or row["id"]] for row in train])

    def z(rows: Rows) -> np.ndarray:
        return np.stack([images[row["image"]] for row in rows])

    def minilm(said: Sequence[str]) -> np.ndarray:
        return np.stack([sentences[text] for text in said])

    white = whitening(minilm(sorted({text for row in train for text in row["text"]})))

    weigh = bag_of_words(sorted({text for row in train for text in row["text"]}))
    x = logits(z(train))
    found = {"untrained": measured(corpus, z, lambda said: np.stack([texts[text] for text in said]))}
    spaces = {
        "ridge to MiniLM": minilm,
        "ridge to whitened MiniLM": lambda said: minilm(said) @ white,
        "ridge to bag of words": weigh,
    }
    for name, embed in spaces.items():
        y = np.stack([embed(row["text"]).mean(axis=0) for row in train])
        fitted, penalty = regression(x, y, groups)
        mean = 0 if embed is weigh else y.mean(axis=0)  # a bag has its origin at no word

        def zimg(rows: Rows, fitted=fitted, mean=mean) -> np.ndarray:
            return unit(fitted(logits(z(rows))) - mean)

        def ztxt(said: Sequence[str], embed=embed, mean=mean) -> np.ndarray:
            return unit(embed(said) - mean)

        found[name] = {"penalty": penalty} | measured(corpus, zimg, ztxt)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=ROOT / "build" / "corpus", help="default: build/corpus")
    parser.add_argument("--model", type=Path, default=ROOT / "build" / "embedded-start", help="joined by prototypes")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "eval" / "results" / "corpus_baselines.json")
    args = parser.parse_args()
    model = lit.load(args.model)
    summary = json.loads((args.corpus / "summary.json").read_text(encoding="utf-8"))
    rows = [row for name in ("train", *CLASSIFIED) for row in read(args.corpus, name)]
    key = f"{model.fingerprint} {summary['pixels']}"
    images = kept(
        args.corpus.with_name(f"{args.corpus.name}-images.npz"), key, [row["image"] for row in rows],
        lambda paths: model.embed_images([args.corpus / path for path in paths], progress=True),
    )  # fmt: skip
    said = sorted({t for row in rows for t in (*row["text"], *([row["label"]] if "label" in row else []))})
    texts = kept(args.corpus.with_name(f"{args.corpus.name}-texts.npz"), key, said, model.embed_texts)
    bundle = checkpoints.load_bundle(args.model)
    assert isinstance(bundle.config.text_head, PrototypeHeadConfig)
    kernel = np.asarray(checkpoints.flatten(bundle.params)["txt_head/kernel"])
    z = np.stack([texts[text] for text in said])
    features = sentence_features(z, kernel, bundle.config.text_head.temperature)
    report = {
        "corpus": {"pixels": summary["pixels"], "train": summary["files"]["train.jsonl"]},
        "model": model.name,
        "features": "image: the 1000 logits of the locked tower; text: MiniLM's 384, less their mean",
        "intervals": "95 %: Wilson; bootstrap over images for several captions",
        "baselines": baselines(args.corpus, images, texts, dict(zip(said, features, strict=True))),
    }
    args.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report["baselines"], indent=1))


if __name__ == "__main__":
    main()
