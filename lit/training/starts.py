"""Where a training run begins: towers, tokenizer and preprocessing, from wherever each comes from."""

import dataclasses
from pathlib import Path
from typing import Any

from lit.config import LiTConfig
from lit.tokenizers import Tokenizer
from lit.training.recipe import TrainConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class Start:
    """A model before its first step.

    Attributes:
      config: the model that comes out; its `locked` says what is locked.
      params: nested float32 numpy parameters that fit it.
      tokenizer: fits `config.tokenizer`.
      vocab: the file of its vocabulary, for the bundle.
      trained: '/'-joined names of the parameters that learn (`lit.training.locking.split` takes them).
      pretrained: names of the parameters that came from a checkpoint.
      origin: for people, where each side comes from: "image", "text", "vocab".
    """

    config: LiTConfig
    params: dict[str, Any]
    tokenizer: Tokenizer
    vocab: Path
    trained: frozenset[str]
    pretrained: frozenset[str]
    origin: dict[str, str]


def start(config: TrainConfig, *, offline: bool | None = None) -> Start:
    """Puts together what a recipe names.

    Args:
      config: the recipe.
      offline: True never touches the network; None asks the environment variable LIT_OFFLINE.

    Raises:
      ConfigError: the parts do not go together; the message names the keys.
      CheckpointError: a file is missing, damaged, of another kind, or does not fit.
    """
    raise NotImplementedError
