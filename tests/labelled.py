"""Folders of labelled pictures whose right answers a model knows, for tests."""

import numpy as np
from PIL import Image

import lit

#: The tiny model takes pictures of noise for each of these now and then; sorted, as folders are.
CLASSES = ("car and cat", "green", "red car", "the dog")


def answers(model, each=6):
    """Pictures of noise, `each` for every class, and the class that the model takes each for: its accuracy is 1."""
    rng = np.random.default_rng(0)
    shown = [_noise(rng) for _ in range(40 * each)]
    classifier = lit.ZeroShotClassifier(model, list(CLASSES), prompts="clip-best", cache=False)
    taken = np.argmax(classifier.similarity(shown), axis=1)
    rows = [np.flatnonzero(taken == i)[:each] for i in range(len(CLASSES))]
    assert all(len(r) == each for r in rows), np.bincount(taken)
    order = np.sort(np.concatenate(rows))
    return [shown[i] for i in order], taken[order]


def _noise(rng):
    colour, spread = rng.uniform(0, 255, 3), rng.uniform(0, 120)
    return np.clip(rng.normal(colour, spread, (36, 40, 3)), 0, 255).astype(np.uint8)


def save_folders(folder, shown, labels):
    """One PNG for each picture in the folder of its class (spaces as underscores)."""
    for i, (picture, label) in enumerate(zip(shown, labels, strict=True)):
        path = folder / CLASSES[label].replace(" ", "_") / f"{i:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    return folder
