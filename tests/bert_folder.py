"""A small BERT as transformers saves it."""

import json

import numpy as np
import safetensors.numpy
from tiny import write_vocab
from weight_rule import weights

from lit.config import BertConfig
from lit.nn.two_towers import param_shapes

BERT = BertConfig(width=32, depth=2, mlp_dim=64, num_heads=4, vocab_size=200, max_positions=40, gelu="erf")


def transformers_names(flat):
    """Our names to those of transformers' BertModel, written by other rules than those of the code."""
    theirs = {}
    for name, array in flat.items():
        for ours, text in (
            ("BertEncoder_0/embedder/embedders_token_ids/embedding", "embeddings.word_embeddings.weight"),
            ("BertEncoder_0/embedder/embedders_position_ids/embedding", "embeddings.position_embeddings.weight"),
            ("BertEncoder_0/embedder/embedders_segment_ids/embedding", "embeddings.token_type_embeddings.weight"),
            ("BertEncoder_0/layer_norm/", "embeddings.LayerNorm."),
            ("BertEncoder_0/encoder_block/layer_sequence/layers_", "encoder.layer."),
            ("attention_block/attention_layer/", "attention.self."),
            ("attention_block/dense_layer/", "attention.output.dense."),
            ("attention_block/layer_norm/", "attention.output.LayerNorm."),
            ("mlp_block/mlp/dense_layer/", "intermediate.dense."),
            ("mlp_block/dense_layer/", "output.dense."),
            ("mlp_block/layer_norm/", "output.LayerNorm."),
            ("scale", "weight"),
            ("kernel", "weight"),
            ("/", "."),
        ):
            name = name.replace(ours, text)
        theirs[name] = np.ascontiguousarray(array.T) if array.ndim == 2 and "embeddings." not in name else array
    return theirs


def write_bert(place, config=BERT, flat=None, *, prefix="", pooling=None, old_norms=False, npz=False, **changes):
    """Writes the folder, and returns it; `changes` are of its config.json."""
    place.mkdir(exist_ok=True)
    state = transformers_names(weights(param_shapes(config)) if flat is None else flat)
    if old_norms:
        state = {n.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): a for n, a in state.items()}
    state = {prefix + n: a for n, a in state.items()}
    state |= {f"{prefix}pooler.dense.weight": np.ones((config.width, config.width), np.float32)}
    state |= {"cls.predictions.bias": np.ones(3, np.float32), "embeddings.position_ids": np.arange(40)[None]}
    if npz:
        np.savez(place / "bert.npz", **state)
    else:
        safetensors.numpy.save_file(state, place / "model.safetensors")
    values = {
        "model_type": "bert", "hidden_size": config.width, "num_hidden_layers": config.depth,
        "intermediate_size": config.mlp_dim, "num_attention_heads": config.num_heads, "vocab_size": config.vocab_size,
        "max_position_embeddings": config.max_positions, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
    } | changes  # fmt: skip
    (place / "config.json").write_text(json.dumps(values))
    if pooling:
        (place / "1_Pooling").mkdir(exist_ok=True)
        (place / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    write_vocab(place / "vocab.txt")
    return place
