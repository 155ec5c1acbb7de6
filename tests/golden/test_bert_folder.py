"""A BERT as transformers saves it, read and run: against transformers' own BertModel.

The golden file (eval/embedded/oracle.py) holds what PyTorch's BertModel makes in float64 of the embedded model's text
tower; here the same weights go into a folder under transformers' names, and come back as a tower.
"""

import json
import re
from pathlib import Path

import jax
import numpy as np
import pytest
import safetensors.numpy

from lit.checkpoints import fit, flatten, load_bert, load_bundle
from lit.nn import two_towers
from lit.resources import directory

GOLDEN = np.load(Path(__file__).parent / "data" / "embedded_towers.npz")
#: Ours to theirs, in this order; written by hand beside transformers' modeling_bert.py.
RULES = (
    (r"BertEncoder_0/", ""),
    (r"embedder/embedders_token_ids/embedding", "embeddings.word_embeddings.weight"),
    (r"embedder/embedders_position_ids/embedding", "embeddings.position_embeddings.weight"),
    (r"embedder/embedders_segment_ids/embedding", "embeddings.token_type_embeddings.weight"),
    (r"^layer_norm/", "embeddings.LayerNorm."),
    (r"encoder_block/layer_sequence/layers_(\d+)/", r"encoder.layer.\1."),
    (r"attention_block/attention_layer/(\w+)/", r"attention.self.\1."),
    (r"attention_block/dense_layer/", "attention.output.dense."),
    (r"attention_block/layer_norm/", "attention.output.LayerNorm."),
    (r"mlp_block/mlp/dense_layer/", "intermediate.dense."),
    (r"mlp_block/dense_layer/", "output.dense."),
    (r"mlp_block/layer_norm/", "output.LayerNorm."),
    (r"(kernel|scale)$", "weight"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """all-MiniLM-L6-v2's files, made from the embedded model's weights."""
    place = tmp_path_factory.mktemp("minilm")
    state = {}
    for name, array in flatten(load_bundle(directory("embedded")).params["txt"]).items():
        theirs = name
        for ours, replacement in RULES:
            theirs = re.sub(ours, replacement, theirs)
        state[theirs] = np.ascontiguousarray(array.T) if name.endswith("kernel") else array
    safetensors.numpy.save_file(state, place / "model.safetensors")
    config = {
        "model_type": "bert", "hidden_size": 384, "num_hidden_layers": 6, "intermediate_size": 1536,
        "num_attention_heads": 12, "vocab_size": 30522, "max_position_embeddings": 512, "type_vocab_size": 2,
        "layer_norm_eps": 1e-12, "hidden_act": "gelu", "position_embedding_type": "absolute",
    }  # fmt: skip
    (place / "config.json").write_text(json.dumps(config))
    (place / "1_Pooling").mkdir()
    (place / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    return place


def test_the_features_of_transformers_own_model(folder):
    bert = load_bert(folder)
    assert bert.config == load_bundle(directory("embedded")).config.text
    params = fit(bert.params, bert.config, source=str(folder))
    module = two_towers.build_tower(bert.config)
    run = jax.jit(lambda params, tokens: module.apply({"params": params}, tokens)[0])
    # As in test_embedded_towers: float32 rounding through six layers.
    np.testing.assert_allclose(run(params, GOLDEN["ids"]), GOLDEN["text"], rtol=0, atol=2e-6)
