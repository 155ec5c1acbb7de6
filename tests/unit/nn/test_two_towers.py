"""Names, shapes, pairings, precisions."""

import hashlib
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden_towers import BIG_VISION, DATA, TWO_TOWERS, VIT
from tiny import random_params, tiny_config

from lit.checkpoints import unflatten
from lit.config import (
    BertConfig,
    EfficientNetLiteConfig,
    PreprocessConfig,
    PrototypeHeadConfig,
    TextTransformerConfig,
    TokenizerConfig,
    ViTConfig,
)
from lit.errors import InputError, UnknownNameError
from lit.nn import two_towers
from lit.zoo import MODELS

PUBLISHED = {
    **{name: model.config for name, model in MODELS.items()},
    **VIT,
    **{f"bv_{name}": config for name, config in (BIG_VISION | TWO_TOWERS).items()},
}
#: arrays, parameters and SHA-256 of the listing of names and shapes, from the original code.
LISTINGS = json.loads((DATA / "listings.json").read_text())
#: big_vision's scan differs in how it stores parameters, not in which there are: lit has no such tower.
STACKED = {"bv_vit_Ti16_map_scan"}


def listing(config) -> str:
    return "".join(f"{name} {shape} float32\n" for name, shape in two_towers.param_shapes(config).items())


def test_every_published_listing_has_a_configuration():
    assert set(PUBLISHED) | STACKED == set(LISTINGS)


@pytest.mark.parametrize("name", ["testing", "bv_tt_siglip"])
def test_small_listings_in_full(name):
    assert listing(PUBLISHED[name]) == (DATA / f"params_{name}.txt").read_text()


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in ("ViT-L_16", "ViT-H_14") else ()) for n in PUBLISHED]
)
def test_names_and_shapes_are_the_published_ones(name):
    text, want = listing(PUBLISHED[name]), LISTINGS[name]
    shapes = two_towers.param_shapes(PUBLISHED[name])
    assert (len(shapes), sum(map(math.prod, shapes.values()))) == (want["arrays"], want["parameters"])
    assert hashlib.sha256(text.encode()).hexdigest() == want["sha256"]


@pytest.mark.parametrize("name", MODELS)
def test_parameter_counts_of_released_models(name):
    assert MODELS[name].parameter_count == LISTINGS[name]["parameters"]


def test_minilm_shape():
    """22,713,216 parameters less the pooler's 147,840.  Source: model card of all-MiniLM-L6-v2 (safetensors)."""
    shapes = two_towers.param_shapes(BertConfig.of_size("minilm-6x384", gelu="erf", pool="gap"))
    assert sum(map(math.prod, shapes.values())) == 22_713_216 - 147_840


IMAGES = {
    "vit": ViTConfig.of_size("mu/16", image_size=32, out_dim=24),
    "vit-map": ViTConfig.of_size(
        "mu/16", image_size=32, pool="map", class_token=False, layout="big_vision", out_dim=24
    ),
    "efficientnet": EfficientNetLiteConfig(width_coefficient=0.1, depth_coefficient=0.1, image_size=32),
}
TEXTS = {
    "bert": BertConfig(width=32, depth=1, mlp_dim=64, num_heads=2, vocab_size=200, max_positions=64, out_dim=24),
    "bert-gap": BertConfig(
        width=32, depth=1, mlp_dim=64, num_heads=2, vocab_size=200, gelu="erf", pool="gap", out_dim=24
    ),
    "text": TextTransformerConfig.of_size("mu", vocab_size=200, out_dim=24),
    "text-map": TextTransformerConfig.of_size("mu", vocab_size=200, out_dim=24, pool="map"),
}


def pair(image: str, text: str):
    head = PrototypeHeadConfig(num_prototypes=24) if image == "efficientnet" else None
    return tiny_config(
        image=IMAGES[image],
        text=TEXTS[text],
        dim=24,
        image_head=head,
        tokenizer=TokenizerConfig(kind="wordpiece", context_length=16),
        preprocess=PreprocessConfig(image_size=32),
    )


def inputs(n=3, seed=0):
    rng = np.random.default_rng(seed)
    tokens = rng.integers(1, 200, (n, 16), dtype=np.int32)
    tokens[0, 5:] = 0
    return rng.uniform(-1, 1, (n, 32, 32, 3)).astype(np.float32), tokens


def run(config, images, tokens, *, dtype="float32"):
    params = two_towers.cast_params(unflatten(random_params(config)), dtype)
    return jax.jit(two_towers.build(config, dtype=dtype).apply)({"params": params}, images, tokens)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("image", IMAGES)
def test_any_image_tower_beside_any_text_tower(image, text):
    config = pair(image, text)
    shapes = two_towers.param_shapes(config)
    params = unflatten({name: jax.ShapeDtypeStruct(shape, jnp.float32) for name, shape in shapes.items()})
    zimg, ztxt, _ = jax.eval_shape(two_towers.build(config).apply, {"params": params}, *inputs())
    assert (zimg.shape, ztxt.shape, zimg.dtype, ztxt.dtype) == ((3, 24), (3, 24), jnp.float32, jnp.float32)


@pytest.mark.parametrize(
    ("image", "text"),
    [
        ("vit", "bert"),
        pytest.param("vit-map", "text-map", marks=pytest.mark.slow),
        pytest.param("efficientnet", "bert-gap", marks=pytest.mark.slow),
    ],
)
def test_unit_norm_in_both_precisions(image, text):
    zimg, ztxt, out = run(pair(image, text), *inputs())
    for z in (zimg, ztxt):
        assert (z.shape, z.dtype) == ((3, 24), jnp.float32)
        np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(out["logit_scale"], [20], rtol=1e-6)
    low = run(pair(image, text), *inputs(), dtype="bfloat16")
    for full, near in zip((zimg, ztxt), low[:2], strict=True):
        assert near.dtype == jnp.float32
        assert not np.array_equal(full, near)
        assert (np.asarray(full) * near).sum(axis=1).min() > 0.99


def test_either_side_may_be_left_out():
    config = tiny_config(bias=True, tokenizer=TokenizerConfig(kind="wordpiece", context_length=16))
    images, tokens = inputs()
    zimg, ztxt, out = run(config, images, tokens)
    only_images, only_texts = run(config, images, None), run(config, None, tokens)
    assert only_images[1] is None
    assert only_texts[0] is None
    np.testing.assert_array_equal(only_images[0], zimg)
    np.testing.assert_array_equal(only_texts[1], ztxt)
    assert {"logit_scale", "logit_bias"} <= set(only_texts[2])
    assert not any(name.startswith("img/") for name in only_texts[2])
    assert out["logit_bias"].shape == (1,)


def products(function, *arguments):
    """Every dot_general in a function, however deep."""
    found = []

    def walk(jaxpr):
        for equation in jaxpr.eqns:
            if equation.primitive.name == "dot_general":
                found.append(equation)
            for value in equation.params.values():
                for inner in value if isinstance(value, tuple | list) else [value]:
                    if hasattr(inner, "eqns") or hasattr(inner, "jaxpr"):
                        walk(getattr(inner, "jaxpr", inner))

    walk(jax.make_jaxpr(function)(*arguments).jaxpr)
    return found


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("image", "text"), [("vit", "bert"), ("vit-map", "text-map"), ("efficientnet", "text")])
def test_every_product_has_the_operands_and_the_sum_of_its_precision(image, text, dtype):
    """A product whose result is bfloat16 misses a CPU's matrix units; float32 below HIGHEST loses parity on a GPU."""
    config = pair(image, text)
    params = two_towers.cast_params(unflatten(random_params(config)), dtype)
    equations = products(two_towers.build(config, dtype=dtype).apply, {"params": params}, *inputs())
    assert len(equations) > 10
    for equation in equations:
        assert [str(v.aval.dtype) for v in equation.invars] == [dtype, dtype]
        assert str(equation.outvars[0].aval.dtype) == "float32"
        if dtype == "float32":
            assert equation.params["precision"] == (jax.lax.Precision.HIGHEST,) * 2


def test_cast_params():
    params = unflatten(random_params(pair("efficientnet", "bert")))
    assert two_towers.cast_params(params, "float32") is params
    low = two_towers.cast_params(params, "bfloat16")
    assert low["txt"]["head"]["kernel"].dtype == jnp.bfloat16
    assert low["txt"]["head"]["bias"].dtype == jnp.float32
    embedder = low["txt"]["BertEncoder_0"]["embedder"]
    assert embedder["embedders_token_ids"]["embedding"].dtype == jnp.float32
    assert low["img"]["block00"]["depthwise"]["kernel"].dtype == jnp.float32
    assert low["img"]["stem"]["kernel"].dtype == jnp.bfloat16
    with pytest.raises(UnknownNameError, match="unknown precision 'float16'"):
        two_towers.cast_params(params, "float16")
    with pytest.raises(UnknownNameError, match="unknown precision 'bf16'"):
        two_towers.build(pair("vit", "bert"), dtype="bf16")


@pytest.mark.parametrize(
    ("text", "length", "says"),
    [("bert", 65, "65 tokens; this tower takes at most 64"), ("text", 15, "15 tokens; this tower takes exactly 16")],
)
def test_texts_of_another_length_are_refused(text, length, says):
    with pytest.raises(InputError, match=says):
        run(pair("vit", text), None, np.ones((1, length), np.int32))


def test_images_of_another_size_are_refused():
    with pytest.raises(InputError, match="48 x 32; this tower takes 32 x 32"):
        run(pair("vit", "bert"), np.zeros((1, 48, 32, 3), np.float32), None)
