"""What can be said about a saved model, the embedded one above all, without reading its parameters."""

import json
import math
from pathlib import Path

from lit import resources, zoo
from lit.config import LiTConfig, from_dict
from lit.errors import CheckpointError


def saved_model(name: str | None) -> Path | None:
    """The folder that a name stands for: the embedded model's, or one of the user's; None for a released model."""
    if name is None or name == zoo.EMBEDDED:
        return resources.directory("embedded")
    return Path(name) if Path(name).is_dir() else None


def saved_config(folder: Path) -> LiTConfig:
    """Its configuration.

    Raises:
      CheckpointError: the folder holds no model.
    """
    try:
        return from_dict(LiTConfig, json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder} holds no saved model: config.json cannot be used ({error}).") from error


def saved_card(folder: Path) -> str:
    """Its card (Markdown); empty where it has none."""
    card = folder / "card.md"
    return card.read_text(encoding="utf-8") if card.is_file() else ""


def parameter_count(folder: Path) -> int:
    """How many parameters it has, from the shapes at the beginning of its file."""
    with (folder / "model.safetensors").open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    scales = {name for name in header if name.endswith(":scale")}  # they belong to parameters stored as int8
    return sum(math.prod(header[name]["shape"]) for name in header.keys() - scales - {"__metadata__"})
