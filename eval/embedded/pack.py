"""Packs the embedded model, lit/embedded: the joint by names, the learned heads beside it, in few bytes.

python eval/embedded/pack.py             # after build.py and `lit train eval/recipes/embedded.toml`
python eval/embedded/measure.py          # measures the very file that was written, and completes its card
"""

import argparse
import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path

import card
import numpy as np

from lit import checkpoints
from lit.config import JointHeadConfig, LiTConfig, ProjectionHeadConfig

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

#: Of the learned heads in a cosine, and what multiplies one: chosen by calibrate.py, on pictures that measure.py does
#: not use.
SHARE, LOGIT_SCALE = 0.1, 60.0


def joined(begun: checkpoints.Bundle, learned: checkpoints.Bundle) -> tuple[LiTConfig, dict[str, np.ndarray]]:
    """The model whose heads are those of both, on the towers that they share.

    Raises:
      ValueError: the towers are not the same, to the bit: the learned heads are of others.
    """
    old, new = (checkpoints.flatten(bundle.params) for bundle in (begun, learned))
    towers = [name for name in old if name.startswith(("img/", "txt/"))]
    moved = [name for name in towers if name not in new or not np.array_equal(old[name], new[name])]
    if moved:
        raise ValueError(f"the towers of the two models differ: {', '.join(moved[:3])}, ...; train from build.py's.")
    heads, flat = {}, {name: old[name] for name in towers} | {"t": np.full(1, math.log(LOGIT_SCALE), np.float32)}
    flat |= {n.replace("_head/", "_head/first/"): a for n, a in old.items() if n.startswith(("img_head/", "txt_head/"))}
    for side, place in (("image", "img"), ("text", "txt")):
        second, named = learned_head(learned.config, side, place, new)
        first = getattr(begun.config, f"{side}_head")
        heads[f"{side}_head"] = JointHeadConfig(first=first, second=second, share=SHARE)
        flat |= {f"{place}_head/second/{name}": array for name, array in named.items()}
    config = dataclasses.replace(begun.config, name="LiT-Lite0-MiniLM", dim=heads["image_head"].width, **heads)
    return config, flat


def learned_head(
    config: LiTConfig, side: str, place: str, flat: Mapping[str, np.ndarray]
) -> tuple[ProjectionHeadConfig, dict[str, np.ndarray]]:
    """A head that stands on a tower, or is the tower's own Dense, and its parameters by the names of the former."""
    head, own = getattr(config, f"{side}_head"), f"{place}/head/"
    if head is not None:
        own = f"{place}_head/"
        return head, {name.removeprefix(own): array for name, array in flat.items() if name.startswith(own)}
    linear = ProjectionHeadConfig(dim=getattr(config, side).out_dim)
    return linear, {f"Dense_0/{leaf}": flat[own + leaf] for leaf in ("kernel", "bias")}


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
    size = (out / "model.safetensors").stat().st_size
    print(f"{out}: {size / 1e6:.1f} MB, {sum(a.size for a in flat.values()) / 1e6:.1f} M parameters")
    results = ROOT / "eval" / "results" / "embedded.json"
    report = json.loads(results.read_text()) if results.exists() else {}
    if report.get("sha256") == card.digest(out):
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
