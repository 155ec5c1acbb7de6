"""The second engine: the same towers, translated; compared with XLA, which is the oracle here."""

import subprocess
import sys

import numpy as np
import pytest
from tiny import pictures, random_params, tiny_config

import lit
from lit import checkpoints
from lit.config import (
    EfficientNetLiteConfig,
    JointHeadConfig,
    LiTConfig,
    ProjectionHeadConfig,
    PrototypeHeadConfig,
    TextTransformerConfig,
    TokenizerConfig,
    ViTConfig,
)
from lit.engine import XlaEngine
from lit.errors import MissingExtraError
from lit.openvino_engine import OpenVinoEngine

MAP_AND_GAP = {
    "image": ViTConfig.of_size("mu/8", image_size=32, pool="map", layout="big_vision", posemb="sincos2d", out_dim=32),
    "text": TextTransformerConfig.of_size("mu", vocab_size=200, pool="map", out_dim=32),
    "tokenizer": TokenizerConfig(kind="sentencepiece", context_length=16),
}
CONVOLUTIONS = {
    "image": EfficientNetLiteConfig(image_size=32, width_coefficient=0.25, depth_coefficient=0.3),
    "image_head": PrototypeHeadConfig(num_prototypes=32),
    "text_head": PrototypeHeadConfig(num_prototypes=32, centre=True, bias=False, temperature=0.5),
}
JOINT = CONVOLUTIONS | {
    "dim": 48,
    "image_head": JointHeadConfig(
        first=PrototypeHeadConfig(num_prototypes=32), second=ProjectionHeadConfig(dim=16), share=0.2
    ),
    "text_head": JointHeadConfig(
        first=PrototypeHeadConfig(num_prototypes=32, centre=True, bias=False),
        second=ProjectionHeadConfig(dim=16, hidden=64),
        share=0.2,
    ),
}
CONFIGS = {
    "vit and bert": {},
    "map heads, fixed positions": MAP_AND_GAP,
    "convolutions and prototypes": CONVOLUTIONS,
    "joint heads": JOINT,
}


def inputs(config: LiTConfig, n: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """uint8 pixels, and token ids of which some rows end in padding."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
    tokens = rng.integers(1, 200, (n, config.tokenizer.context_length), dtype=np.int32)
    tokens[0, 5:] = 0
    return pixels, tokens


def both(config: LiTConfig, precision: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """(OpenVINO, XLA in float32) for images and for texts."""
    params = checkpoints.fit(random_params(config), config, source="random")
    ours, oracle = OpenVinoEngine(config, params, precision=precision), XlaEngine(config, params)
    pixels, tokens = inputs(config)
    return [
        (np.asarray(ours.images(pixels)), np.asarray(oracle.images(pixels))),
        (np.asarray(ours.texts(tokens)), np.asarray(oracle.texts(tokens))),
    ]


@pytest.mark.parametrize("changes", CONFIGS.values(), ids=CONFIGS)
def test_float32_agrees_with_xla(changes):
    """The same operations in another order of summation: unit vectors within 1e-5, twenty to a hundred roundings."""
    for ours, oracle in both(tiny_config(**changes), "float32"):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, oracle, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("changes", CONFIGS.values(), ids=CONFIGS)
def test_bfloat16_stays_near_float32(changes):
    """Eight bits of mantissa, one block: each rounding turns a vector by at most 2**-9, so cosines stay above 0.999."""
    for ours, oracle in both(tiny_config(**changes), "bfloat16"):
        assert (ours * oracle).sum(axis=1).min() > 0.999
        np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-2)


def test_an_image_embeds_alike_alone_and_in_any_batch(tiny_bundle):
    model = lit.load(tiny_bundle, engine="openvino")
    together = model.embed_images(pictures(7), batch_size=4)
    alone = np.concatenate([model.embed_images([image], batch_size=4) for image in pictures(7)])
    assert alone.tobytes() == together.tobytes()


def test_texts_of_several_lengths_agree_with_xla(tiny_bundle, tiny_model):
    texts = ["a dog", "", "a photo of a red dog and the blue cat in the car " * 2]
    embeddings = lit.load(tiny_bundle, engine="openvino").embed_texts(texts)
    np.testing.assert_allclose(embeddings, tiny_model.embed_texts(texts), atol=1e-5)


def test_the_fingerprint_tells_the_engines_apart(tiny_bundle, tiny_model):
    model = lit.load(tiny_bundle, engine="openvino")
    assert "openvino 20" in model._engine.description
    assert model.fingerprint != tiny_model.fingerprint


def test_each_shape_compiles_once(tiny_bundle):
    model = lit.load(tiny_bundle, engine="openvino")
    model.embed_images(pictures(9), batch_size=4)
    model.embed_images(pictures(3), batch_size=4)
    assert len(model._engine._compiled) == 1


def test_without_openvino_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lit-jax\[openvino\]'"):
        OpenVinoEngine(tiny_config(), {})


def test_openvino_is_imported_without_its_telemetry():
    code = (
        "import sys; from lit.openvino_engine import _import_openvino; _import_openvino(); "
        "print([n for n in sys.modules if 'openvino_telemetry' in n])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
