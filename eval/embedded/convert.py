"""The two pre-trained towers in lit's parameter names; batch norms folded into their convolutions."""

from collections.abc import Mapping

import numpy as np

from lit import checkpoints
from lit.config import EfficientNetLiteConfig
from lit.nn.efficientnet import plan

#: Source: efficientnet_lite_pytorch 0.1.0, utils.py, `batch_norm_epsilon`.
BATCH_NORM_EPSILON = 1e-3


def lite0(state: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """EfficientNet-Lite0: the tower's parameters under `img/`, and its classifier, (1280, 1000) and (1000,)."""
    params: dict[str, np.ndarray] = {}

    def fold(name: str, conv: str, norm: str) -> None:
        scale = np.float64(state[f"{norm}.weight"]) / np.sqrt(state[f"{norm}.running_var"] + BATCH_NORM_EPSILON)
        kernel = state[f"{conv}.weight"] * scale[:, None, None, None]
        shift = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
        params[f"img/{name}/kernel"] = np.float32(kernel.transpose(2, 3, 1, 0))  # OIHW to HWIO
        params[f"img/{name}/bias"] = np.float32(shift)

    fold("stem", "_conv_stem", "_bn0")
    for i, (_, _, expansion, _) in enumerate(plan(EfficientNetLiteConfig())):
        theirs = f"_blocks.{i}"
        if expansion != 1:
            fold(f"block{i:02d}/expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
        fold(f"block{i:02d}/depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1")
        fold(f"block{i:02d}/project", f"{theirs}._project_conv", f"{theirs}._bn2")
    fold("top", "_conv_head", "_bn1")
    return params, state["_fc.weight"].T.copy(), state["_fc.bias"]


def minilm(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """MiniLM: the tower's parameters under `txt/`.  The pooler is left out: sentence embeddings do not use it."""
    return {f"txt/{name}": array for name, array in checkpoints.bert_params(state).items()}
