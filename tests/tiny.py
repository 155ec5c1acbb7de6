"""Tiny models with random parameters, and pictures, for tests."""

import numpy as np

from lit import checkpoints
from lit.config import BertConfig, LiTConfig, PreprocessConfig, TokenizerConfig, ViTConfig
from lit.nn import two_towers

_WORDS = [
    "a",
    "an",
    "the",
    "photo",
    "picture",
    "drawing",
    "of",
    "dog",
    "cat",
    "car",
    "boat",
    "red",
    "green",
    "blue",
    "in",
    "on",
    "and",
    "it",
    "is",
    ".",
    ",",
    "##s",
    "##ing",
]


def tiny_config(**changes) -> LiTConfig:
    """Two towers of width 32 and depth 1; a BERT, so that lengths are grouped, over a vocabulary of a few words."""
    fields = {
        "name": "tiny",
        "image": ViTConfig.of_size("mu/16", image_size=32),
        "text": BertConfig(width=32, depth=1, mlp_dim=64, num_heads=2, vocab_size=200, max_positions=64, out_dim=32),
        "dim": 32,
        "tokenizer": TokenizerConfig(kind="wordpiece", context_length=64),
        "preprocess": PreprocessConfig(image_size=32),
    }
    return LiTConfig(**{**fields, **changes})


def random_params(config: LiTConfig, seed: int = 0) -> dict[str, np.ndarray]:
    """Flat parameters of the right shapes; layer norms near one."""
    rng = np.random.default_rng(seed)
    params = {}
    for name, shape in two_towers.param_shapes(config).items():
        values = rng.normal(size=shape).astype(np.float32) * np.float32(0.2)
        params[name] = values + np.float32(1) if name.endswith("scale") else values
    params["t"] = np.full(1, np.log(20), np.float32)
    return params


def write_vocab(path) -> None:
    """A WordPiece vocabulary: special tokens, letters, a few words."""
    letters = list("abcdefghijklmnopqrstuvwxyz0123456789")
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *_WORDS, *letters, *("##" + c for c in letters)]
    unique = list(dict.fromkeys(vocab))
    path.write_text("\n".join(unique + [f"[unused{i}]" for i in range(200 - len(unique))]) + "\n")


def save_tiny(directory, config: LiTConfig):
    """Writes a bundle with random parameters and returns its directory."""
    vocab = directory.parent / f"{directory.name}-vocab.txt"
    write_vocab(vocab)
    params = checkpoints.fit(random_params(config), config, source="random")
    checkpoints.save_bundle(directory, config=config, params=params, vocab=vocab, card="# tiny\n\nA model for tests.\n")
    return directory


def pictures(n: int, seed: int = 0, side: int = 40) -> list[np.ndarray]:
    """Random pictures, no two alike."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (side, side + 3 * (i % 4), 3), dtype=np.uint8) for i in range(n)]
