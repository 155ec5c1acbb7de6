"""The released LiT models at full size against recorded outputs of the original code: `--golden DIR`.

DIR/lit/NAME.npz: what vit_jax computed from weights drawn by `weight`; NAME may end in _std0.05, another spread.
DIR/model_images_preprocessed.npz: the pictures.  Prints the largest absolute difference of each stage, and for
embeddings the smallest cosine.  Exits with 1 if an embedding is more than 1e-6 off, or the logit scale at all.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import jax
import numpy as np

from lit.checkpoints import fit
from lit.nn import two_towers
from lit.zoo import MODELS, find


def weight(name, shape, std):
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    values = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32) * np.float32(std)
    return values + np.float32(1) if name.endswith("scale") else values


def run(name, precision, pictures, tokens):
    config, std = find(name.partition("_std")[0]).config, name.partition("_std")[2]
    flat = {n: weight(n, shape, float(std or 0.02)) for n, shape in two_towers.param_shapes(config).items()}
    flat["t"] = np.full(1, np.log(10), np.float32)
    params = two_towers.cast_params(fit(flat, config, source="the rule"), precision)
    pixels = np.concatenate([pictures["224/nocrop"], pictures["224/crop"]]) / np.float32(255)
    pixels = pixels * np.float32(2) - np.float32(1)
    zimg, ztxt, out = jax.jit(two_towers.build(config, dtype=precision).apply)({"params": params}, pixels, tokens)
    out |= {f"inter/{stage}": array for stage, array in out.items()}
    out |= {"zimg_nocrop": zimg[:4], "zimg_crop": zimg[4:], "ztxt": ztxt, "t": out["logit_scale"]}
    return out | {"inter/img/embedding": out["img/embedding"].reshape(8, 14, 14, -1)[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--golden", type=Path, required=True)
    parser.add_argument("--model", nargs="+", default=list(MODELS))
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    args = parser.parse_args()
    pictures, failed = np.load(args.golden / "model_images_preprocessed.npz"), False
    for name in args.model:
        golden = np.load(args.golden / "lit" / f"{name}.npz")
        out = run(name, args.precision, pictures, golden["tokens"])
        for stage, want in [(s, golden[s]) for s in golden if s in out or s.startswith("inter")]:
            have = np.asarray(out[stage])[tuple(map(slice, want.shape))]
            worst, embedding = np.abs(have - want).max(), stage.startswith("z")
            failed |= not worst <= {"t": 0}.get(stage, 1e-6 if embedding else np.inf)
            cosine = f"  {(have * want).sum(axis=1).min():.7f}" if embedding else ""
            print(f"{name:20} {stage:62} {worst:.2e}{cosine}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
