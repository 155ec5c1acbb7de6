"""How the logit scale was chosen: the likelihood of held pictures under a range of scales.

None of these pictures is in what measure.py reports.  A scale moves probabilities and never a rank.
"""

import argparse
from pathlib import Path

import numpy as np
import sets

import lit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", type=Path, default=Path("build/assets"), help="where archives are kept")
    folder = parser.parse_args().assets
    model = lit.load()
    for held in (sets.cifar10(folder, "train"), sets.fashion(folder, slice(200))):
        classifier = lit.ZeroShotClassifier(model, held.class_names, prompts=held.prompts)
        similarity = classifier.similarity(held.pictures).astype(np.float64)
        right = np.arange(len(held.labels)), held.labels
        accuracy = (similarity.argmax(axis=1) == held.labels).mean()
        print(f"{held.name}: {len(held.labels)} pictures, top-1 {accuracy:.3f}")
        for scale in (20, 30, 40, 50, 60, 70, 80, 100, 130):
            logits = scale * similarity
            log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
            confidence = np.exp(log_p.max(axis=1)).mean()
            print(f"  scale {scale:4d}: mean -log p {-log_p[right].mean():.3f}, mean confidence {confidence:.3f}")


if __name__ == "__main__":
    main()
