"""A whole evaluation against its two parts alone, side by side: decoding on all cores, and the tower on ready pixels.

    python eval/speed_evaluate.py [SECTION ...] [--openvino] [--rounds 5] [--images 2000]

The parts and the whole take turns, round after round; ratios are medians over rounds of paired times.  JPEGs are crops
of the demo's photographs, 256 to 640 pixels wide, of several qualities, in a folder of class folders; "vit" is a
ViT-B/16 with random weights, on a tenth of them.  The whole is `lit.evaluate` on that folder, with no image embedding
stored before, and with class embeddings from the cache.  "side" is the embedded tower on ready pixels, with one batch
at a time and with two side by side, as `lit.streams.pipelined` runs them.

What the parts need of the processors together bounds the whole: two parts that keep all cores busy cannot run at once
in the time of the slower.  The bound is that: the slower part alone, over (processor time of both) / cores or the
slower part, whichever is longer.  "rescore" is a second run, everything stored: 50,000 images, 1,000 classes, the
embedded model's 1,000 wide; its parts, and the whole `lit.evaluation.run.run` up to the report, which is what a user
waits for.
"""

import argparse
import dataclasses
import functools
import json
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from speed import machine

import lit
from lit import checkpoints, streams, zoo
from lit.datasets import Example
from lit.evaluation.embedding import embed_dataset, image_fingerprint
from lit.evaluation.plan import plan
from lit.evaluation.run import run
from lit.evaluation.scoring import scores_top_k
from lit.images import iter_preprocessed, preprocess_batch
from lit.model import Model
from lit.nn import two_towers
from lit.store import EmbeddingStore, digest_of

HERE = Path(__file__).resolve().parent
SECTIONS = ("side", "embedded", "vit", "vit-bfloat16", "rescore")
SIZES = ((500, 375), (375, 500), (500, 333), (640, 480), (500, 375), (256, 256))
LEAST, SECONDS = 0.9, 1.0


def write_photographs(folder, images):
    """JPEGs as data sets have them, in one folder for each photograph that they are crops of."""
    rng = np.random.default_rng(0)
    photographs = [
        (path.stem, Image.open(path).convert("RGB")) for path in sorted((HERE / "demo/photos").glob("*.jpg"))
    ]
    for i in range(images):
        name, photograph = photographs[i % len(photographs)]
        width, height = SIZES[rng.integers(len(SIZES))]
        w = min(photograph.width, photograph.height * width / height) * rng.uniform(0.4, 1)
        h = w * height / width
        x, y = rng.uniform(0, photograph.width - w), rng.uniform(0, photograph.height - h)
        crop = photograph.resize((width, height), Image.Resampling.BICUBIC, box=(x, y, x + w, y + h))
        (folder / name).mkdir(parents=True, exist_ok=True)
        crop.save(folder / name / f"{i:05}.jpg", quality=int(rng.integers(75, 96)))


def vit(precision, engine):
    """LiT-B16B_2's towers with random weights; the embedded model's words will do."""
    config, rng = zoo.find("LiT-B16B_2").config, np.random.default_rng(0)
    flat = {
        n: rng.standard_normal(s, np.float32) * np.float32(0.02) for n, s in two_towers.param_shapes(config).items()
    }
    flat = {n: v + np.float32(n.endswith("scale")) for n, v in flat.items()}
    params = checkpoints.fit(flat, config, source="random")
    return Model(config, params, lit.load().tokenizer, precision=precision, engine=engine)


def race(contenders, rounds):
    """(seconds, seconds of processor) of every round; they alternate, and take turns in going first."""
    times = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name in list(contenders)[:: 1 if turn % 2 else -1]:
            start, busy = time.perf_counter(), time.process_time()
            contenders[name]()
            times[name].append((time.perf_counter() - start, time.process_time() - busy))
    return {name: pairs[1:] for name, pairs in times.items()}  # the first round compiles


def overlap(model, folder, rounds):
    """The whole against its parts."""
    paths = sorted(folder.rglob("*.jpg"))
    _, pixels = preprocess_batch(paths, model.config.preprocess)
    reports = []

    def whole():
        shutil.rmtree(Path(os.environ["LIT_CACHE"], "embeddings"), ignore_errors=True)
        reports.append(lit.evaluate(model, folder))

    def decode():
        for _ in iter_preprocessed(paths, model.config.preprocess):
            pass

    times = race({"decode": decode, "tower": lambda: model.apply(images=pixels), "whole": whole}, rounds)
    slower = [max(d[0], t[0]) for d, t in zip(times["decode"], times["tower"], strict=True)]
    work = [(d[1] + t[1]) / os.cpu_count() for d, t in zip(times["decode"], times["tower"], strict=True)]
    timing = reports[-1].timing
    out = {
        "images": len(paths),
        "images_per_second": {n: len(paths) / statistics.median(t[0] for t in pairs) for n, pairs in times.items()},
        "processor_ms_per_image": {n: 1e3 * statistics.median(t[1] for t in p) / len(paths) for n, p in times.items()},
        "ratio": statistics.median(s / w[0] for s, w in zip(slower, times["whole"], strict=True)),
        "bound": statistics.median(s / max(s, w) for s, w in zip(slower, work, strict=True)),
        "report": {name: getattr(timing, name) for name in ("wall", "read", "decode", "tower", "text", "score")},
        "seconds": times,
    }
    for name in times:
        rate, ms = out["images_per_second"][name], out["processor_ms_per_image"][name]
        print(f"  {name:8} {rate:8.1f} images/s {ms:8.2f} ms of processor an image")
    print("  the report's own timing, s:", ", ".join(f"{name} {value:.2f}" for name, value in out["report"].items()))
    return out


def side_by_side(model, folder, rounds):
    """The tower alone, one batch after the other, and two at a time."""
    _, pixels = preprocess_batch(sorted(folder.rglob("*.jpg")), model.config.preprocess)

    def tower(batches):
        streams.SIDE_BY_SIDE = batches
        model.apply(images=pixels)

    times = race({str(n): functools.partial(tower, n) for n in (1, 2)}, rounds)
    out = {n: len(pixels) / statistics.median(t[0] for t in pairs) for n, pairs in times.items()}
    out["gain"] = statistics.median(a[0] / b[0] for a, b in zip(times["1"], times["2"], strict=True))
    print(f"  one batch {out['1']:.1f} images/s, two side by side {out['2']:.1f}: {out['gain']:.2f} x")
    return out


class Known:
    """A dataset that was read before; to read it again is an error."""

    name, split, fingerprint, content_key, description = "known", "test", "f", "c", {}
    # ImageNet's, numbered, because two stand for two classes each; sorted and without slashes, as folders are.
    label_names = tuple(sorted(f"{c.replace('/', ' ')} {i}" for i, c in enumerate(lit.load_classes("imagenet"))))

    def __init__(self, images=None):
        self.images = images

    def __len__(self):
        return 50_000

    def examples(self, shard=0, shards=1):
        """Those of its making."""
        if self.images is None:
            raise AssertionError("a second run read an image")
        return iter(self.images)


def known_plan():
    """A plan for `Known`, whose 1,000 classes are those of as many folders."""
    with tempfile.TemporaryDirectory() as folder:
        for name in Known.label_names:
            Path(folder, name).mkdir()
            Path(folder, name, "a.jpg").touch()
        return dataclasses.replace(plan(folder, prompts=["a photo of a {}."]), dataset=Known())


def rescore(model, rounds):
    """A second run: index and embeddings from disk, products, top 5; and all of it, to the report."""
    rng = np.random.default_rng(0)
    classes = model.embed_texts(f"a photo of a {name}." for name in Known.label_names)
    zimg = rng.standard_normal((len(Known()), model.dim), np.float32) / model.dim**0.5
    zimg += classes[np.arange(len(zimg)) % len(classes)]
    zimg /= np.linalg.norm(zimg, axis=1, keepdims=True)
    images = [Example(f"image/{i}", b"%d" % i, (i % 1000,)) for i in range(len(zimg))]
    with EmbeddingStore.open(image_fingerprint(model, model.image_batch()), model.dim) as store:
        for start in range(0, len(zimg), 64):
            digests = b"".join(digest_of(example.image) for example in images[start : start + 64])
            store.append(np.frombuffer(digests, np.uint8).reshape(-1, 32), zimg[start : start + 64])
    embed_dataset(model, Known(images))
    found = {}

    def load():
        found["zimg"] = embed_dataset(model, Known()).zimg

    def rank():
        found["top"], _ = scores_top_k(found["zimg"], classes, 5, logit_scale=model.logit_scale)

    planned = known_plan()
    run(model, planned)  # embeds the class texts, once

    def whole():
        found["report"] = run(model, planned).report

    load()
    np.testing.assert_array_equal(found["zimg"], zimg)
    times = race({"load": load, "rank": rank, "whole": whole}, rounds)
    out = {name: statistics.median(t[0] for t in pairs) for name, pairs in times.items()}
    out["seconds"] = statistics.median(a[0] + b[0] for a, b in zip(times["load"], times["rank"], strict=True))
    print(f"  {out['seconds']:.2f} s: index and embeddings {out['load']:.2f}, products and ranks {out['rank']:.2f}")
    print(f"  {out['whole']:.2f} s: the whole run, to the report")
    return out


def targets(results):
    """What was aimed at, what came of it."""
    rows = []
    for name, row in results.items():
        if "ratio" in row:
            rows.append((f"{name}: whole over the slower part", row["ratio"], f">= {LEAST}", row["ratio"] >= LEAST))
            print(f"{name}: the processors allow at most {row['bound']:.2f}")
    if "rescore" in results:
        seconds = results["rescore"]["seconds"]
        rows.append(("rescore: seconds of its parts", seconds, f"<= {SECONDS}", seconds <= SECONDS))
        whole = results["rescore"]["whole"]
        rows.append(("rescore: seconds of the whole", whole, f"<= {SECONDS}", whole <= SECONDS))
    for what, value, target, holds in rows:
        print(f"{'holds' if holds else 'FAILS'}: {what}: {value:.2f} ({target})")
    return [dict(zip(("what", "value", "target", "holds"), row, strict=True)) for row in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; all by default")
    parser.add_argument("--openvino", action="store_true", help="the towers under OpenVINO, not XLA")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("-o", "--output", type=Path, default=HERE / "results" / "speed_evaluate.json")
    args = parser.parse_args()
    sections, engine = args.sections or SECTIONS, "openvino" if args.openvino else "xla"
    if unknown := set(sections) - set(SECTIONS):
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    info = {"machine": machine(), "rounds": args.rounds, "engine": engine}
    if info["machine"]["load"] > 0.5:
        print(f"The machine is busy (load {info['machine']['load']:.1f}): parts that meet it alone suffer less.")
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LIT_CACHE"] = str(Path(folder, "cache"))
        for name, images in (("all", args.images), ("tenth", args.images // 10)):
            write_photographs(Path(folder, name), images)
        for section in sections:
            print(f"{section}, {engine}")
            if section == "side":
                results[section] = side_by_side(lit.load(engine=engine), Path(folder, "all"), args.rounds)
            elif section == "embedded":
                results[section] = overlap(lit.load(engine=engine), Path(folder, "all"), args.rounds)
            elif section == "rescore":
                results[section] = rescore(lit.load(), args.rounds)
            else:
                precision = "bfloat16" if section.endswith("bfloat16") else "float32"
                results[section] = overlap(vit(precision, engine), Path(folder, "tenth"), args.rounds)
    results = info | results | {"targets": targets(results)}
    args.output.parent.mkdir(exist_ok=True)
    args.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
