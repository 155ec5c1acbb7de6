"""Pictures with captions on disk, and the recipe of a model that learns them in a second."""

import numpy as np
from PIL import Image

COLOURS = {"red": (220, 40, 40), "green": (40, 200, 60), "blue": (40, 60, 220)}
THINGS = ("dog", "cat", "car", "boat")


def save_corpus(folder, each=2):
    """A manifest of pictures: a colour with bars whose number says what it is; two captions each."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, lines = np.random.default_rng(0), ["image,text"]
    for colour, rgb in COLOURS.items():
        for bars, thing in enumerate(THINGS, 1):
            for n in range(each):
                pixels = np.full((32, 32, 3), rgb, np.uint8)
                for bar in range(bars):
                    pixels[:, 8 * bar : 8 * bar + 4] = 255
                noisy = np.clip(pixels + rng.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)
                name = f"{colour}-{thing}-{n}.png"
                Image.fromarray(noisy).save(folder / name)
                lines += [f"{name},a {colour} {thing}", f"{name},photo of the {colour} {thing}"]
    (folder / "pairs.csv").write_text("\n".join(lines) + "\n")
    return folder / "pairs.csv"


def write_recipe(path, *, bundle, vocab, source, output, **sections):
    """A recipe as TOML; `sections` are tables that change it."""
    tables = {
        "model": {
            "lock": "Lu",
            "image": str(bundle),
            "vocab": str(vocab),
            "tokenizer": {"kind": "wordpiece", "context_length": 8},
            "text_tower": {
                "kind": "text-transformer", "width": 32, "depth": 1, "mlp_dim": 64, "num_heads": 2, "vocab_size": 200,
                "context_length": 8,
            },
        },
        "data": {"source": str(source)},
        "schedule": {"steps": 12},
        "optimizer": {"learning_rate": 0.01},
        "batch": {"size": 8},
        "checkpoint": {"every": 4},
    }  # fmt: skip
    for name, table in sections.items():
        tables[name] = {**tables.get(name, {}), **table}
    lines = ["name = 'toy'", f"output = '{output}'"]
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {toml(value)}" for key, value in table.items())]
    path.write_text("\n".join(lines) + "\n")
    return path


def toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value)
