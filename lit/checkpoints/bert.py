"""BERT as the library transformers saves it: names, shapes and configuration to lit's own.

A folder holds `config.json`, `model.safetensors` (or one .npz with the same names), `vocab.txt`, and, where it is a
sentence transformer, `1_Pooling/config.json`.

Source: github.com/huggingface/transformers, models/bert/modeling_bert.py; github.com/UKPLab/sentence-transformers.
"""

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from lit.checkpoints.npz import load_npz
from lit.config import BertConfig, TokenizerConfig, from_dict
from lit.errors import CheckpointError, CheckpointNotFoundError, ConfigError

#: Ids of a text unless the caller says otherwise; BERT's positions reach to 512, captions hardly ever to 64.
_CONTEXT_LENGTH = 64
_GELU = {"gelu": "erf", "gelu_new": "tanh", "gelu_pytorch_tanh": "tanh", "gelu_fast": "tanh"}

#: Fields of BertConfig: transformers' names, and lit's.
_FIELDS = {
    "hidden_size": "width",
    "num_hidden_layers": "depth",
    "intermediate_size": "mlp_dim",
    "num_attention_heads": "num_heads",
    "vocab_size": "vocab_size",
    "max_position_embeddings": "max_positions",
    "type_vocab_size": "num_segments",
    "layer_norm_eps": "layer_norm_eps",
}
#: What an old config.json may lack; transformers' defaults are those of BertConfig.
_OPTIONAL = ("type_vocab_size", "layer_norm_eps")

#: Modules of one layer: the names of transformers' BertModel, and flaxformer's.
_LAYER = {
    "attention.self.query": "attention_block/attention_layer/query",
    "attention.self.key": "attention_block/attention_layer/key",
    "attention.self.value": "attention_block/attention_layer/value",
    "attention.output.dense": "attention_block/dense_layer",
    "attention.output.LayerNorm": "attention_block/layer_norm",
    "intermediate.dense": "mlp_block/mlp/dense_layer",
    "output.dense": "mlp_block/dense_layer",
    "output.LayerNorm": "mlp_block/layer_norm",
}
_EMBEDDER = {"word": "token", "position": "position", "token_type": "segment"}
#: Heads of pre-training, and a table of 0, 1, 2, ...: no part of the encoder.
_LEFT_OUT = re.compile(r"(cls|pooler|classifier)\..*|embeddings\.position_ids")


@dataclasses.dataclass(frozen=True, kw_only=True)
class BertFiles:
    """What a folder holds.

    Attributes:
      config: the tower, without a head.
      params: '/'-joined names of lit's tower -> array; not yet compared with `config` (`lit.checkpoints.fit`).
      tokenizer: as it was trained: closed with [SEP].
      vocab: its file, None where the folder has none.
    """

    config: BertConfig
    params: dict[str, np.ndarray]
    tokenizer: TokenizerConfig
    vocab: Path | None


def is_bert_folder(folder: Path) -> bool:
    """Whether a folder's config.json is transformers' and not that of one of lit's own bundles."""
    try:
        return "hidden_size" in json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def load_bert(folder: str | Path) -> BertFiles:
    """Reads a folder as transformers or sentence-transformers writes it; a `Dense` module of the latter is left out.

    Raises:
      CheckpointNotFoundError: a file is missing; it says which.
      CheckpointError: a file cannot be read, or the model is no uncased BERT, or splits or pools texts as lit cannot;
        it says in what way.
    """
    folder = Path(folder)
    config = _config(folder)
    options = _json(folder / "tokenizer_config.json", required=False)
    if options.get("do_lower_case", True) is False:
        raise CheckpointError(f"{folder}: the model is cased (do_lower_case is false); lit's WordPiece lowers case.")
    for option, does in (("strip_accents", "strips accents"), ("tokenize_chinese_chars", "parts Chinese characters")):
        if options.get(option) is False:
            raise CheckpointError(f"{folder}: {option} is false in tokenizer_config.json; lit's WordPiece {does}.")
    length = min(config.max_positions, _CONTEXT_LENGTH)
    longest = _json(folder / "sentence_bert_config.json", required=False).get("max_seq_length")
    if isinstance(longest, int) and longest > 0:
        length = min(length, longest)
    vocab = folder / "vocab.txt"
    return BertFiles(
        config=config,
        params=bert_params(_weights(folder)),
        tokenizer=TokenizerConfig(kind="wordpiece", context_length=length, sep=True),
        vocab=vocab if vocab.is_file() else None,
    )


def bert_params(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Parameters of transformers' BertModel (or of a model around one, `bert.*`) under the names of lit's tower.

    Matrices are turned: PyTorch holds (out, in).  The pooler and heads are left out; what is unknown keeps its name,
    so that `lit.checkpoints.fit` reports it.
    """
    params = {}
    for name, array in state.items():
        inner = name.removeprefix("bert.").replace(".gamma", ".weight").replace(".beta", ".bias")
        if not _LEFT_OUT.fullmatch(inner):
            ours = _renamed(inner)
            params[ours] = np.ascontiguousarray(array.T) if ours.endswith("/kernel") else array
    return params


def _renamed(name: str) -> str:
    encoder = "BertEncoder_0"
    if match := re.fullmatch(r"embeddings\.(\w+)_embeddings\.weight", name):
        return f"{encoder}/embedder/embedders_{_EMBEDDER.get(match[1], match[1])}_ids/embedding"
    module, _, kind = name.rpartition(".")
    leaf = "bias" if kind == "bias" else "scale" if module.endswith("LayerNorm") else "kernel"
    if module == "embeddings.LayerNorm":
        return f"{encoder}/layer_norm/{leaf}"
    match = re.fullmatch(r"encoder\.layer\.(\d+)\.(.+)", module)
    if match and match[2] in _LAYER and kind in ("weight", "bias"):
        return f"{encoder}/encoder_block/layer_sequence/layers_{match[1]}/{_LAYER[match[2]]}/{leaf}"
    return name


def _config(folder: Path) -> BertConfig:
    values = _json(folder / "config.json")
    kind, activation = values.get("model_type", "bert"), values.get("hidden_act", "gelu")
    if kind != "bert" or values.get("position_embedding_type", "absolute") != "absolute":
        raise CheckpointError(f"{folder} holds a model of type {kind!r}; a BERT with absolute positions can be read.")
    if activation not in _GELU:
        raise CheckpointError(f"{folder}: hidden_act is {activation!r}; it must be one of {', '.join(_GELU)}.")
    if lacking := [theirs for theirs in _FIELDS if theirs not in values and theirs not in _OPTIONAL]:
        raise CheckpointError(f"{folder / 'config.json'} lacks {', '.join(lacking)}; it is no BERT's.")
    fields = {ours: values[theirs] for theirs, ours in _FIELDS.items() if theirs in values}
    try:
        return from_dict(BertConfig, {**fields, "gelu": _GELU[activation], "pool": _pool(folder)})
    except ConfigError as error:
        raise CheckpointError(f"{folder / 'config.json'} is no BERT's: {error}") from error


def _pool(folder: Path) -> str:
    """What a sentence transformer pools by; a BERT by itself has its class token."""
    values = _json(folder / "1_Pooling" / "config.json", required=False)
    modes = [name.removeprefix("pooling_mode_") for name, on in values.items() if "pooling_mode" in name and on]
    if values and modes not in (["mean_tokens"], ["cls_token"]):
        raise CheckpointError(
            f"{folder / '1_Pooling' / 'config.json'} pools by {' and '.join(modes) or 'nothing that is known'}; lit's "
            "BERT pools by mean_tokens or by cls_token. To begin from its encoder alone, remove the folder 1_Pooling."
        )
    return "gap" if modes == ["mean_tokens"] else "cls"


def _weights(folder: Path) -> dict[str, np.ndarray]:
    path = folder / "model.safetensors"
    if path.is_file():
        try:
            return safetensors.numpy.load_file(path)
        except (safetensors.SafetensorError, OSError) as error:
            raise CheckpointError(f"{path} is truncated or corrupt ({error}); fetch it again.") from error
    arrays = sorted(folder.glob("*.npz"))
    if len(arrays) == 1:
        return load_npz(arrays[0])
    raise CheckpointNotFoundError(
        f"{folder} has no model.safetensors, and {len(arrays)} .npz files; it needs one of them. A pytorch_model.bin "
        "is a pickle, which can run code; save the model again with save_pretrained(..., safe_serialization=True)."
    )


def _json(path: Path, *, required: bool = True) -> dict[str, Any]:
    if not path.is_file():
        if required:
            raise CheckpointNotFoundError(f"{path.parent} has no {path.name}; a BERT as transformers saves it has one.")
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path} is no JSON: {error}.") from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{path} holds no table of settings.")
    return values
