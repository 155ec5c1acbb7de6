"""Embeddings and intermediates of the released LiT models against recorded outputs of the original code.

    python eval/parity.py --golden DIR [--model LiT-B16B_2 ...] [--precision bfloat16]

DIR/lit/NAME.npz holds what vit_jax computed from weights drawn by the rule in `weight`; a suffix `_std0.05` of NAME
sets another spread.  DIR/model_images_preprocessed.npz holds the pictures.  Prints the largest absolute difference of
each stage, and exits with 1 if an embedding is more than 1e-6 off, or the logit scale at all.
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


def weight(name: str, shape: tuple[int, ...], std: float) -> np.ndarray:
    if name == "t":
        return np.full(shape, np.log(10), np.float32)
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    values = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32) * np.float32(std)
    return values + np.float32(1) if name.endswith("scale") else values


def stages(name: str, golden: dict[str, np.ndarray], pictures: dict[str, np.ndarray], precision: str):
    """Yields (stage, largest absolute difference); of pictures the four stretched ones come first, then the cropped."""
    config, std = find(name.partition("_std")[0]).config, float(name.partition("_std")[2] or 0.02)
    flat = {n: weight(n, s, std) for n, s in two_towers.param_shapes(config).items()}
    params = two_towers.cast_params(fit(flat, config, source="the rule"), precision)
    del flat
    pixels = np.concatenate([pictures["224/nocrop"], pictures["224/crop"]]) / np.float32(255) * 2 - 1
    apply = jax.jit(two_towers.build(config, dtype=precision).apply)
    zimg, ztxt, out = apply({"params": params}, pixels.astype(np.float32), golden["tokens"])
    out["img/embedding"] = out["img/embedding"].reshape(8, 14, 14, -1)[0]
    found = {"zimg_nocrop": zimg[:4], "zimg_crop": zimg[4:], "ztxt": ztxt, "t": out["logit_scale"]}
    found |= {
        "img_norm_nocrop": out["img/norm"][:4],
        "txt_norm": out["txt/norm"],
        "txt_pre_logits": out["txt/pre_logits"],
    }
    for stage, want in golden.items():
        have = found.get(stage, out.get(stage.removeprefix("inter/")))
        if have is not None:
            yield stage, np.abs(np.asarray(have)[tuple(map(slice, want.shape))] - want).max()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--golden", type=Path, required=True)
    parser.add_argument("--model", nargs="+", default=list(MODELS))
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    args = parser.parse_args()
    pictures, failed = np.load(args.golden / "model_images_preprocessed.npz"), False
    for name in args.model:
        for stage, worst in stages(name, dict(np.load(args.golden / "lit" / f"{name}.npz")), pictures, args.precision):
            failed |= (stage in ("zimg_nocrop", "zimg_crop", "ztxt") and not worst <= 1e-6) or (
                stage == "t" and worst != 0
            )
            print(f"{name:20} {stage:60} {worst:.2e}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
