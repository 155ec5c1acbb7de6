"""A Vision Transformer's configuration, read off the shapes of its parameters."""

import math
import re
from collections.abc import Mapping

import numpy as np

from lit.config import ViTConfig
from lit.errors import CheckpointError

#: What a classifier adds, and a start leaves out; vit_jax does so too, in `load_pretrained`.
CLASSIFIER = ("head", "pre_logits")


def infer_vit(flat: Mapping[str, np.ndarray], source: str) -> ViTConfig:
    """The tower that these parameters belong to, without classifier.

    Two things leave no trace, and are taken as published models have them: a tower with a class token pools it, and
    one without pools the mean.  Position embeddings that were computed leave none either, and are refused.

    Args:
      flat: '/'-joined names as vit_jax or big_vision has them.
      source: for messages.

    Raises:
      CheckpointError: they are no ViT's; it says what is missing.
    """
    way_on = "name its configuration in model.image_tower"
    shapes = {name: array.shape for name, array in flat.items()}
    patch = shapes.get("embedding/kernel", ())
    if len(patch) != 4 or patch[2] != 3 or patch[0] != patch[1]:
        raise CheckpointError(
            f"{source} is no Vision Transformer: its embedding/kernel is {patch or 'missing'}; a ViT's is "
            "(patch, patch, 3, width). Hybrids with a ResNet cannot be read."
        )
    inside = "Transformer/posembed_input/pos_embedding" in shapes
    positions = shapes.get("Transformer/posembed_input/pos_embedding") or shapes.get("pos_embedding")
    if positions is None:
        raise CheckpointError(f"{source} has no learned position embedding; {way_on}.")
    stacked = shapes.get("Transformer/encoderblock/MlpBlock_0/Dense_0/kernel")
    numbers = {int(m[1]) for name in shapes if (m := re.match(r"Transformer/encoderblock_(\d+)/", name))}
    block = "Transformer/encoderblock" if stacked else "Transformer/encoderblock_0"
    mlp = shapes.get(f"{block}/MlpBlock_0/Dense_0/kernel")
    query = shapes.get(f"{block}/MultiHeadDotProductAttention_0/query/kernel")
    if mlp is None or query is None:
        raise CheckpointError(f"{source} has no {block} with attention and MLP; {way_on}.")
    class_token = "cls" in shapes
    tokens = positions[1] - (1 if class_token and inside else 0)
    if math.isqrt(tokens) ** 2 != tokens:
        raise CheckpointError(f"{source} has {tokens} positions, which are no square; {way_on}.")
    return ViTConfig(
        width=patch[3],
        depth=stacked[0] if stacked else max(numbers) + 1,
        mlp_dim=mlp[-1],
        num_heads=query[-2],
        patch_size=patch[0],
        image_size=math.isqrt(tokens) * patch[0],
        pool="cls" if class_token else "map" if "MAPHead_0/probe" in shapes else "gap",
        class_token=class_token,
        layout="vit_jax" if inside else "big_vision",
    )


def without_classifier(flat: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tower's parameters alone."""
    return {name: array for name, array in flat.items() if name.split("/")[0] not in CLASSIFIER}
