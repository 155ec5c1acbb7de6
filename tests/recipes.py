"""Recipes for tests."""

from typing import Any

from lit.config import from_dict
from lit.training.recipe import TrainConfig

TEXT_TOWER = {
    "kind": "text-transformer",
    "width": 32,
    "depth": 1,
    "mlp_dim": 64,
    "num_heads": 2,
    "vocab_size": 200,
    "context_length": 8,
}
IMAGE_TOWER = {
    "kind": "vit",
    "width": 32,
    "depth": 1,
    "mlp_dim": 64,
    "num_heads": 2,
    "patch_size": 16,
    "image_size": 32,
}


def recipe_table(**changes: Any) -> dict[str, Any]:
    """The smallest recipe, as a TOML file holds it; sections are merged with those given."""
    table: dict[str, Any] = {
        "name": "new",
        "output": "runs/new",
        "model": {"lock": "Lu", "image": "embedded", "text_tower": TEXT_TOWER},
        "data": {"source": "pairs.csv"},
        "schedule": {"steps": 10},
    }
    for key, value in changes.items():
        table[key] = {**table.get(key, {}), **value} if isinstance(value, dict) else value
    return table


def recipe(**changes: Any) -> TrainConfig:
    """The smallest recipe with changes: `recipe(batch={"size": 4})`."""
    return from_dict(TrainConfig, recipe_table(**changes), at="")
