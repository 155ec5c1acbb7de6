"""Configurations: the JSON round trip, and what cannot be built."""

import dataclasses
import inspect
import json

import pytest

from lit.config import (
    BertConfig,
    EfficientNetLiteConfig,
    JointHeadConfig,
    LiTConfig,
    PreprocessConfig,
    ProjectionHeadConfig,
    PrototypeHeadConfig,
    TextTransformerConfig,
    TokenizerConfig,
    ViTConfig,
    from_dict,
    to_dict,
)
from lit.errors import ConfigError, UnknownNameError


def lit_config(**changes) -> LiTConfig:
    fields = {
        "name": "tiny",
        "image": ViTConfig.of_size("mu/16", image_size=64),
        "text": TextTransformerConfig.of_size("mu", vocab_size=100, out_dim=32),
        "dim": 32,
        "tokenizer": TokenizerConfig(kind="sentencepiece", vocab="sp.model"),
        "preprocess": PreprocessConfig(image_size=64),
    }
    return LiTConfig(**{**fields, **changes})


ALL = [
    lit_config(),
    lit_config(text=BertConfig.of_size("minilm-6x384", out_dim=32), locked=()),
    lit_config(
        image=EfficientNetLiteConfig(image_size=64),
        image_head=PrototypeHeadConfig(num_prototypes=32),
        text_head=PrototypeHeadConfig(num_prototypes=32, centre=True, temperature=0.18),
        preprocess=PreprocessConfig(
            image_size=64, value_range=(-127 / 128, 1.0), kernel="bicubic", antialias=True, rounding="round"
        ),
    ),
    lit_config(
        dim=48,
        image_head=JointHeadConfig(
            first=PrototypeHeadConfig(num_prototypes=32), second=ProjectionHeadConfig(dim=16), share=0.25
        ),
        text_head=ProjectionHeadConfig(dim=48, hidden=64),
    ),
]


@pytest.mark.parametrize(
    "config", ALL, ids=lambda c: f"{c.image.kind}+{c.text.kind}+{c.text_head and c.text_head.kind}"
)
def test_json_round_trip(config):
    assert from_dict(LiTConfig, json.loads(json.dumps(to_dict(config)))) == config


def test_published_sizes():
    assert ViTConfig.of_size("L/16").grid == 14
    assert (ViTConfig.of_size("g/14").width, ViTConfig.of_size("g/14").depth) == (1408, 40)
    assert BertConfig.of_size("large").num_heads == 16


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ViTConfig.of_size("B"), "no patch size"),
        (lambda: ViTConfig.of_size("B/15"), "multiple of patch_size = 15"),
        (lambda: ViTConfig.of_size("B/16", width=770), "multiple of num_heads = 12"),
        (lambda: ViTConfig.of_size("B/16", depth=0), "must be positive"),
        (lambda: ViTConfig.of_size("B/16", representation_size=0), "representation_size is 0; it must be positive"),
        (lambda: dataclasses.replace(BertConfig.of_size("base"), layer_norm_eps=-1.0), "layer_norm_eps is -1.0"),
        (lambda: PreprocessConfig(value_range=(1.0, -1.0)), "first must be the smaller"),
        (lambda: PreprocessConfig(kernel="bicubic"), "'bicubic' without antialias"),
        (lambda: PreprocessConfig(antialias=True), "set rounding='round'"),
        (lambda: lit_config(dim=48), "ends 32 wide, and dim is 48"),
        (
            lambda: lit_config(preprocess=PreprocessConfig(image_size=224)),
            "takes 64 pixels and preprocessing makes 224",
        ),
        (
            lambda: lit_config(tokenizer=TokenizerConfig(kind="sentencepiece", context_length=8)),
            "has 16 positions",
        ),
    ],
)
def test_contradictions_are_refused(make, says):
    with pytest.raises(ConfigError, match=says):
        make()


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (ViTConfig.of_size("B/16"), "pool"),
        (BertConfig.of_size("base"), "gelu"),
        (TextTransformerConfig.of_size("S", vocab_size=10), "pool"),
        (TokenizerConfig(kind="wordpiece"), "kind"),
        (PreprocessConfig(), "kernel"),
    ],
    ids=lambda c: type(c).__name__,
)
def test_a_misspelt_choice_is_refused_and_the_choices_listed(config, field):
    says = rf"{type(config).__name__}\.{field} is 'mean '; it must be one of '"
    values = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
    with pytest.raises(ConfigError, match=says):
        inspect.unwrap(type(config).__init__)(object.__new__(type(config)), **values | {field: "mean "})


def test_what_comes_out_of_a_tower_is_what_the_space_needs():
    image = ViTConfig.of_size("mu/16", image_size=64, representation_size=48)
    text = TextTransformerConfig.of_size("mu", vocab_size=100, out_dim=48)
    assert lit_config(image=image, text=text, dim=48).image.features == 48
    with pytest.raises(ConfigError, match="the image side ends 48 wide, and dim is 32"):
        lit_config(image=image)
    with pytest.raises(ConfigError, match="pool is 'none'; an image needs one vector"):
        lit_config(image=ViTConfig.of_size("mu/16", image_size=64, pool="none"))


@pytest.mark.parametrize("make", [ViTConfig.of_size, BertConfig.of_size, TextTransformerConfig.of_size])
def test_unknown_size_lists_what_there_is(make):
    with pytest.raises(UnknownNameError, match="Known: "):
        make("XXL/16")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"patchsize": 16}, "no field 'patchsize'. Did you mean 'patch_size'"),
        ({"pool": "mean"}, "'mean'; it must be one of 'cls'"),
        ({"width": "768"}, "must be int"),
        ({"width": True}, "must be int"),
    ],
)
def test_from_dict_is_strict(change, says):
    with pytest.raises(ConfigError, match=says):
        from_dict(ViTConfig, {**to_dict(ViTConfig.of_size("B/16")), **change})


def test_from_dict_names_what_is_missing_and_the_kind_of_a_tower():
    with pytest.raises(ConfigError, match="lacks name, image, text, dim"):
        from_dict(LiTConfig, {})
    values = to_dict(lit_config())
    values["image"]["kind"] = "resnet"
    with pytest.raises(ConfigError, match="'resnet'; it must be one of 'vit', 'efficientnet-lite'"):
        from_dict(LiTConfig, values)
    values["image"] = 7
    with pytest.raises(ConfigError, match="LiTConfig.image.kind is 7"):
        from_dict(LiTConfig, values)
