"""A recipe as TOML."""

import json
from collections.abc import Mapping
from typing import Any

from lit import config as configs
from lit.training.recipe.train_config import TrainConfig


def recipe_text(config: TrainConfig) -> str:
    """The whole recipe, defaults and all; `load_recipe` reads the same recipe from it."""
    values = configs.to_dict(config)
    top = [f"{key} = {_value(value)}\n" for key, value in values.items() if not isinstance(value, Mapping)]
    tables = [_table(key, value) for key, value in values.items() if isinstance(value, Mapping)]
    return "\n".join(["".join(top), *tables])


def _table(name: str, values: Mapping[str, Any]) -> str:
    # TOML has no null: a key that is left out is None.
    lines = [f"{key} = {_value(value)}\n" for key, value in values.items() if value is not None]
    return f"[{name}]\n" + "".join(lines)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k} = {_value(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        # JSON's texts are TOML's, but for this one character, which TOML does not take bare.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
