"""Packs the embedded model, lit/embedded: the joint by names, the learned heads beside it, in few bytes.

python eval/embedded/pack.py             # after build.py and `lit train eval/recipes/embedded.toml`
python eval/embedded/measure.py          # measures the very file that was written, and completes its card
"""

import argparse
import dataclasses
import hashlib
import json
import math
from pathlib import Path

import card
import numpy as np

from lit import checkpoints
from lit.config import JointHeadConfig, LiTConfig, ProjectionHeadConfig

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

#: Of the learned heads in a cosine, and what multiplies one: chosen by calibrate.py, on pictures that measure.py does
#: not use.
SHARE, LOGIT_SCALE = 0.15, 60.0


def joined(begun: checkpoints.Bundle, learned: checkpoints.Bundle) -> tuple[LiTConfig, dict[str, np.ndarray]]:
    """The model whose heads are those of both, on the towers that they share.

    Raises:
      ValueError: the towers are not the same, to the bit: the learned heads are of others.
    """
    old, new = (checkpoints.flatten(bundle.params) for bundle in (begun, learned))
    towers = [name for name in old if name.startswith(("img/", "txt/"))]
    moved = [name for name in towers if not np.array_equal(old[name], new[name])]
    if moved:
        raise ValueError(f"the towers of the two models differ: {', '.join(moved[:3])}, ...; train from build.py's.")
    image, text = begun.config.image_head, begun.config.text_head
    projection = learned.config.text_head
    assert isinstance(projection, ProjectionHeadConfig)
    linear = ProjectionHeadConfig(dim=projection.dim)
    config = dataclasses.replace(
        begun.config,
        name="LiT-Lite0-MiniLM",
        dim=image.width + linear.width,
        image_head=JointHeadConfig(first=image, second=linear, share=SHARE),
        text_head=JointHeadConfig(first=text, second=projection, share=SHARE),
    )
    flat = {name: old[name] for name in towers} | {"t": np.full(1, math.log(LOGIT_SCALE), np.float32)}
    flat |= {n.replace("_head/", "_head/first/"): a for n, a in old.items() if n.startswith(("img_head/", "txt_head/"))}
    flat |= {f"img_head/second/Dense_0/{leaf}": new[f"img/head/{leaf}"] for leaf in ("kernel", "bias")}
    flat |= {n.replace("txt_head/", "txt_head/second/"): a for n, a in new.items() if n.startswith("txt_head/")}
    return config, flat


def stored(name: str, array: np.ndarray) -> np.ndarray:
    """float16, but for vectors: they are small, and a scale or a bias is added to everything."""
    return array.astype(np.float16) if array.ndim > 1 else array


def pack(begun: Path, learned: Path, out: Path) -> None:
    """Writes the bundle; its card has the measured figures if they are of these very bytes."""
    start = checkpoints.load_bundle(begun)
    config, flat = joined(start, checkpoints.load_bundle(learned))
    checkpoints.fit(flat, config, source="the recipe")
    int8 = [name for name, array in flat.items() if name.startswith("txt/") and array.ndim == 2]
    kept = {name: array if name in int8 else stored(name, array) for name, array in flat.items()}
    checkpoints.save_bundle(
        out,
        config=config,
        params=checkpoints.unflatten(kept),
        vocab=start.vocab,
        card=card.render(None),
        int8=int8,
        licenses=sorted((HERE / "licenses").iterdir()),
        overwrite=True,
    )
    weights = (out / "model.safetensors").read_bytes()
    sha256 = hashlib.sha256(weights).hexdigest()
    print(f"{out}: {len(weights) / 1e6:.1f} MB, {sum(a.size for a in flat.values()) / 1e6:.1f} M parameters")
    print(f"SHA-256 {sha256}")
    results = ROOT / "eval" / "results" / "embedded.json"
    report = json.loads(results.read_text()) if results.exists() else {}
    if report.get("sha256") == sha256:
        (out / "card.md").write_text(card.render(report))
    else:
        print("These bytes were not measured yet: python eval/embedded/measure.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, default=ROOT / "build" / "embedded-start", help="from build.py")
    parser.add_argument("--learned", type=Path, default=ROOT / "runs" / "embedded" / "model", help="from lit train")
    parser.add_argument("--out", type=Path, default=ROOT / "lit" / "embedded")
    args = parser.parse_args()
    pack(args.start, args.learned, args.out)


if __name__ == "__main__":
    main()
