"""How the share of the learned heads and the logit scale were chosen: accuracy and likelihood of held pictures.

    python eval/embedded/calibrate.py        # after build.py and `lit train eval/recipes/embedded.toml`

None of these pictures is in what measure.py reports.  A scale moves probabilities and never a rank.
"""

import argparse
from pathlib import Path

import numpy as np
import sets

import lit

ROOT = Path(__file__).parents[2]
SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 1.0)
SCALES = (20, 30, 40, 50, 60, 70, 80, 100, 130)


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def beside(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    """As `lit.config.JointHeadConfig` weighs them."""
    return np.concatenate([(1 - share) ** 0.5 * first, share**0.5 * second], axis=1, dtype=np.float64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", type=Path, default=ROOT / "build" / "assets", help="where archives are kept")
    parser.add_argument("--start", type=Path, default=ROOT / "build" / "embedded-start", help="from build.py")
    parser.add_argument("--learned", type=Path, default=ROOT / "runs" / "embedded" / "model", help="from lit train")
    args = parser.parse_args()
    models = [lit.load(path) for path in (args.start, args.learned)]
    for held in (sets.cifar10(args.assets, "train"), sets.fashion(args.assets, slice(200))):
        prompts = lit.PromptSet.load(held.prompts).templates
        said = [prompt.format(name) for name in held.class_names for prompt in prompts]
        zimg = [model.embed_images(held.pictures) for model in models]
        ztxt = [model.embed_texts(said) for model in models]
        right = np.arange(len(held.labels)), held.labels
        print(f"{held.name}: {len(held.labels)} pictures")
        for share in SHARES:
            images, texts = (beside(*z, share) for z in (zimg, ztxt))
            classes = unit(texts.reshape(len(held.class_names), len(prompts), -1).mean(axis=1))
            similarity = images @ classes.T
            print(
                f"  share {share:.2f}: top-1 {(similarity.argmax(axis=1) == held.labels).mean():.3f}; mean -log p",
                end="",
            )
            for scale in SCALES:
                logits = scale * similarity
                log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
                print(f" {scale}: {-log_p[right].mean():.3f}", end="")
            print()


if __name__ == "__main__":
    main()
