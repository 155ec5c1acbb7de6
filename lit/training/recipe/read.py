"""From a TOML file, and what the command line changes in it, to a recipe."""

import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lit import config as configs
from lit.errors import ConfigError
from lit.training.recipe.train_config import TrainConfig


def load_recipe(path: str | Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Reads a recipe; strict.

    Args:
      path: a TOML file; paths inside it are relative to where the run is started.
      overrides: "a.b=value", each as TOML has it; what is no TOML value is a text ("model.image=embedded").

    Raises:
      ConfigError: the file cannot be read or is no TOML; a key is unknown or missing, a value of the wrong type or out
        of range, or two settings contradict each other.  The message names the file and the whole dotted key.
    """
    path = Path(path)
    values = _read(path)
    for override in overrides:
        _set(values, override)
    try:
        return configs.from_dict(TrainConfig, values, at="")
    except ConfigError as error:
        changed = "".join(f" --set {o}" for o in overrides)
        raise ConfigError(f"{path}{changed and ' with' + changed}: {error}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors begin a file with a mark
    except FileNotFoundError as error:
        close = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*.toml")], n=1)
        meant = f" Did you mean {path.parent / close[0]}?" if close else " Check the path."
        raise ConfigError(f"there is no recipe {path}.{meant}") from error
    except OSError as error:
        raise ConfigError(f"the recipe {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no recipe: byte {error.start:,} is not UTF-8, and TOML is.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no valid TOML: {error}.") from error


def _set(values: dict[str, Any], override: str) -> None:
    """Changes one key in place; tables that are not there are made."""
    key, equals, text = override.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise ConfigError(f"--set {override}: write it as section.key=value, such as optimizer.learning_rate=3e-4.")
    level = values
    for i, part in enumerate(parts[:-1]):
        level = level.setdefault(part, {})
        if not isinstance(level, dict):
            raise ConfigError(f"--set {override}: {'.'.join(parts[: i + 1])} is a value and holds no keys.")
    level[parts[-1]] = _value(text.strip())


def _value(text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if len(parsed) == 1 else text
