"""Configurations of the towers whose outputs were recorded from the original code, and those recordings."""

from pathlib import Path

import numpy as np

from lit.config import LiTConfig, PreprocessConfig, TextTransformerConfig, TokenizerConfig, ViTConfig

DATA = Path(__file__).parent / "golden" / "data" / "towers"


def recorded(name: str) -> dict[str, np.ndarray]:
    with np.load(DATA / f"{name}.npz") as arrays:
        return {key: arrays[key] for key in arrays.files}


def pixels(key: str) -> np.ndarray:
    """Recorded pictures ("224/nocrop", ...) in [-1, 1]."""
    return recorded("pictures")[key] / np.float32(255) * np.float32(2) - np.float32(1)


def _testing(**changes) -> ViTConfig:
    return ViTConfig(width=10, depth=1, mlp_dim=10, num_heads=2, patch_size=16, out_dim=10, **changes)


def _big_vision(size: str, pool: str, **changes) -> ViTConfig:
    names = {"tok": ("cls", True), "0": ("cls", False), "gap": ("gap", False), "map": ("map", False)}
    pool, class_token = names[pool]
    fields = {"image_size": 64, "pool": pool, "class_token": class_token, "layout": "big_vision"}
    return ViTConfig.of_size(size, **{**fields, "out_dim": 10, **changes})


#: vit_jax, 10 classes.  A name is the recorded one.
VIT = {
    "testing": _testing(),
    "testing-unpooled": _testing(pool="none", class_token=False),
    "ViT-Ti_16": ViTConfig.of_size("Ti/16", out_dim=10),
    "ViT-Ti_16+rep32": ViTConfig.of_size("Ti/16", out_dim=10, representation_size=32),
    "ViT-Ti_16+nohead": ViTConfig.of_size("Ti/16"),
    "ViT-S_16": ViTConfig.of_size("S/16", out_dim=10),
    "ViT-S_16-gap-norep": ViTConfig.of_size("S/16", out_dim=10, pool="gap", class_token=False),
    "ViT-B_16": ViTConfig.of_size("B/16", out_dim=10),
    "ViT-B_32": ViTConfig.of_size("B/32", out_dim=10),
    "ViT-B_32@384": ViTConfig.of_size("B/32", out_dim=10, image_size=384),
    "ViT-L_16": ViTConfig.of_size("L/16", out_dim=10),
    "ViT-H_14": ViTConfig.of_size("H/14", out_dim=10),
}
#: big_vision's vit.Model on pictures of 64 x 64.
BIG_VISION = {
    "vit_mu16_map": _big_vision("mu/16", "map"),
    "vit_mu16_gap": _big_vision("mu/16", "gap"),
    "vit_mu16_tok": _big_vision("mu/16", "tok"),
    "vit_mu16_0": _big_vision("mu/16", "0"),
    "vit_mu16_gap_rep": _big_vision("mu/16", "gap", representation_size=32),
    "vit_mu16_map_rep24": _big_vision("mu/16", "map", representation_size=24),
    "vit_mu8_sincos_gap": _big_vision("mu/8", "gap", posemb="sincos2d"),
    "vit_Ti16_map": _big_vision("Ti/16", "map"),
    "vit_Ti16_tok": _big_vision("Ti/16", "tok"),
}


def _two_towers(name: str, image_pool: str, *, image_dim: int | None, bias: bool = False, **text) -> LiTConfig:
    text = {"vocab_size": 500, "out_dim": image_dim or 32, **text}
    return LiTConfig(
        name=name,
        image=_big_vision("mu/16", image_pool, out_dim=image_dim),
        text=TextTransformerConfig.of_size("mu", **text),
        dim=image_dim or 32,
        tokenizer=TokenizerConfig(kind="sentencepiece"),
        preprocess=PreprocessConfig(image_size=64),
        bias=bias,
    )


#: big_vision's two_towers.Model.
TWO_TOWERS = {
    "tt_siglip": _two_towers("tt_siglip", "map", image_dim=None, bias=True),
    "tt_nobias": _two_towers("tt_nobias", "tok", image_dim=24),
    "tt_textmap": _two_towers("tt_textmap", "gap", image_dim=32, bias=True, pool="map"),
    "tt_textgap": _two_towers("tt_textgap", "gap", image_dim=None, pool="gap"),
    "tt_textmax": _two_towers("tt_textmax", "gap", image_dim=None, pool="max"),
    "tt_textfirst": _two_towers("tt_textfirst", "gap", image_dim=None, pool="cls", depth=2, num_heads=4),
}
