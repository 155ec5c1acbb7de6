"""The table says what was published; its parameter counts follow from its configurations."""

import dataclasses
import json
import math
import re

import pytest

from lit import config as configs
from lit import resources
from lit.config import BertConfig, LiTConfig, TextTransformerConfig, ViTConfig
from lit.errors import ConfigError, UnknownNameError
from lit.nn import two_towers
from lit.zoo import EMBEDDED, FILES, MODELS, FileRef, find, names


def dense(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


def block(width: int, mlp_dim: int) -> int:
    """Attention, two layer norms, MLP: the same count before or after the residual."""
    return 4 * dense(width, width) + 2 * 2 * width + dense(width, mlp_dim) + dense(mlp_dim, width)


def image_parameters(c: ViTConfig) -> int:
    tokens = c.grid**2 + 1
    stem = dense(c.patch_size**2 * 3, c.width) + c.width + tokens * c.width
    head = dense(c.width, c.out_dim) if c.out_dim else 0
    return stem + c.depth * block(c.width, c.mlp_dim) + 2 * c.width + head


def text_parameters(c: BertConfig | TextTransformerConfig) -> int:
    if isinstance(c, BertConfig):
        embeddings = (c.vocab_size + c.max_positions + c.num_segments) * c.width
    else:
        embeddings = (c.vocab_size + c.context_length) * c.width
    assert c.out_dim is not None
    return embeddings + 2 * c.width + c.depth * block(c.width, c.mlp_dim) + dense(c.width, c.out_dim)


@pytest.mark.parametrize("name", MODELS)
def test_parameter_counts_follow_from_the_configurations(name):
    config = MODELS[name].config
    assert isinstance(config.image, ViTConfig)
    counted = image_parameters(config.image) + text_parameters(config.text) + 1  # and t
    assert counted == MODELS[name].parameter_count


@pytest.mark.parametrize("name", MODELS)
def test_the_towers_have_these_parameters(name):
    shapes = two_towers.param_shapes(MODELS[name].config)
    assert sum(map(math.prod, shapes.values())) == MODELS[name].parameter_count


def test_the_embedded_models_name():
    text = (resources.directory("embedded") / "config.json").read_text(encoding="utf-8")
    assert json.loads(text)["name"] == EMBEDDED


def test_the_published_counts():
    """Source: google-research/vision_transformer, vit_jax/models_test.py."""
    assert {name: model.parameter_count for name, model in MODELS.items()} == {
        "LiT-B16B_2": 195_280_897,
        "LiT-L16L": 638_443_521,
        "LiT-L16S": 331_140_353,
        "LiT-L16Ti": 311_913_089,
        "LiT-B16B": 195_871_489,
    }


@pytest.mark.parametrize("name", MODELS)
def test_configurations_are_data(name):
    config = MODELS[name].config
    assert configs.from_dict(LiTConfig, configs.to_dict(config)) == config
    assert config.name == MODELS[name].name == name


def test_files_are_named_as_published():
    """Source: google-research/vision_transformer, vit_jax/models_lit.py, BASE_PATH and vocab_path."""
    for name, model in MODELS.items():
        ending = "txt" if model.config.text.kind == "bert" else "model"
        assert (model.weights.name, model.vocab.name) == (f"{name}.npz", f"{name}.{ending}")
        for file in (model.weights, model.vocab):
            assert file.mirrors[-1] == f"gs://vit_models/lit/{file.name}"  # which answers no more: last
            assert FILES[file.name] is file


def test_every_number_has_a_source():
    for model in MODELS.values():
        for number in model.published:
            assert 0 < number.value < 1
            assert re.match(r"github\.com/google-research/(vision_transformer|big_vision), ", number.source)
            assert f"| {number.metric} | {100 * number.value:.4g} % |" in model.card()
        seen = [(p.metric, p.protocol, p.source) for p in model.published]
        assert len(set(seen)) == len(seen)


def test_the_model_cards_numbers():
    """Source: google-research/vision_transformer, model_cards/lit.md (2022-08-16)."""
    card = {name: [p.value for p in MODELS[name].published if "model_cards/lit.md" in p.source] for name in MODELS}
    assert card["LiT-B16B_2"] == [0.739, 0.651, 0.790, 0.833, 0.253, 0.516, 0.318]
    assert card["LiT-L16L"] == [0.757, 0.666, 0.805, 0.833, 0.256, 0.485, 0.311]
    assert card["LiT-B16B"] == [0.721, 0.635, 0.797, 0.811, 0.267, 0.493, 0.312]
    assert card["LiT-L16S"] == card["LiT-L16Ti"] == []
    assert "No evaluation of this model was published." in MODELS["LiT-L16S"].card()


def test_find():
    assert find("LiT-L16L") is MODELS["LiT-L16L"]
    with pytest.raises(UnknownNameError) as caught:
        find("lit-b16b-2")
    assert "unknown model 'lit-b16b-2'. Did you mean 'LiT-B16B_2'?" in str(caught.value)
    assert f"Known: {', '.join(names())}." in str(caught.value)
    assert names()[0] == EMBEDDED


@pytest.mark.parametrize("name", ["../up.npz", "a/b.npz", "a\\b.npz", ".hidden", "", "a\0b", "c:x"])
def test_a_file_name_leads_nowhere_else(name):
    with pytest.raises(ConfigError, match="is not a file name"):
        FileRef(name=name, kind="npz")


def test_a_checksum_is_64_hex_digits():
    with pytest.raises(ConfigError, match="64 lower-case hex digits"):
        FileRef(name="a.npz", kind="npz", sha256="ABC")


def test_the_table_is_frozen():
    with pytest.raises(TypeError):
        MODELS["mine"] = MODELS["LiT-L16L"]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        MODELS["LiT-L16L"].parameter_count = 1  # type: ignore[misc]
