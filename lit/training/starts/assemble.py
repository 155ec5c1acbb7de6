"""Where a training run begins: two sides, fitted to each other, and what is still to be drawn."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lit import checkpoints
from lit.config import ImageTowerConfig, LiTConfig, TextTowerConfig
from lit.errors import ConfigError
from lit.tokenizers import Tokenizer, load_tokenizer
from lit.training.locking import Lock, trained_names
from lit.training.recipe import ModelConfig, TrainConfig
from lit.training.starts.image import image_side
from lit.training.starts.licenses import inherited
from lit.training.starts.parameters import completed, kept_scale
from lit.training.starts.side import Side
from lit.training.starts.text import text_side
from lit.training.starts.whole import vocab_file


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
      licenses: name -> file, of the saved models that something was taken from, for the bundle.
    """

    config: LiTConfig
    params: dict[str, Any]
    tokenizer: Tokenizer
    vocab: Path
    trained: frozenset[str]
    pretrained: frozenset[str]
    origin: dict[str, str]
    licenses: Mapping[str, Path]


def start(config: TrainConfig, *, offline: bool | None = None) -> Start:
    """Puts together what a recipe names.

    Args:
      config: the recipe.
      offline: True never touches the network; None asks the environment variable LIT_OFFLINE.

    Raises:
      ConfigError: the parts do not go together; the message names the keys.
      UnknownNameError: a start is no name and no path.
      CheckpointError: a file is missing, damaged, of another kind, or does not fit.
    """
    recipe = config.model
    image = image_side(recipe, offline=offline)
    text = text_side(recipe, image, offline=offline)
    image = _image_ends(recipe, image)
    text, new_head = _text_ends(recipe, text, image.width)
    model = _model(config, image, text)
    assert text.vocab is not None  # `text_side` has found one
    vocab = vocab_file(text.vocab, offline=offline)
    tokenizer = load_tokenizer(model.tokenizer, vocab)
    _enough_embeddings(tokenizer, model.text)
    new = [*(["img"] if recipe.image_learns else []), *(["txt"] if new_head else [])]
    heads = [place for side in new for place in (f"{side}/head", f"{side}_head")]  # it has one of the two
    lock = Lock(recipe.lock)
    if lock is Lock.LL and not heads:
        raise ConfigError(
            "model.lock is 'LL' and neither tower has a head to train: nothing would learn but the temperature. Set "
            "model.image_head = 'linear' (or text_head), or unlock a tower."
        )
    scale = {} if new else kept_scale(config, model, text)  # new heads begin as any new model does
    old = {**image.params, **text.params, **scale}
    params = completed(config, model, old)
    return Start(
        config=model,
        params=params,
        tokenizer=tokenizer,
        vocab=vocab,
        trained=trained_names(checkpoints.flatten(params), lock, heads=heads),
        pretrained=frozenset(old),
        origin={"image": image.origin, "text": text.origin, "vocab": str(vocab)},
        licenses=inherited(image.licenses, text.licenses),
    )


def _image_ends(recipe: ModelConfig, side: Side) -> Side:
    """The image side with the head that the recipe asks for; its width is that of the shared space."""
    if recipe.image_head != "none":
        return side.with_head(recipe.dim or side.width, recipe.image_head)
    if not side.params and recipe.dim not in (0, side.width):
        return side.with_head(recipe.dim)
    if recipe.dim not in (0, side.width):
        raise ConfigError(
            f"model.dim is {recipe.dim} and the image side ({side.origin}) ends {side.width} wide; leave model.dim "
            "out, or set model.image_head = 'linear', a layer from one to the other, which learns."
        )
    return side


def _text_ends(recipe: ModelConfig, side: Side, dim: int) -> tuple[Side, bool]:
    """The text side, ending where the image side does, and whether that took a new head."""
    if recipe.text_head == "none" and side.params and side.has_head and side.width == dim:
        return side, False
    asked = recipe.text_tower.out_dim if recipe.text_tower is not None else None
    if asked not in (None, dim):
        raise ConfigError(
            f"model.text_tower.out_dim is {asked} and the shared space is {dim} wide (model.dim, or the image side); "
            "leave out_dim out: a head of the right width is added."
        )
    return side.with_head(dim, "mlp" if recipe.text_head == "mlp" else "linear"), True


def _model(config: TrainConfig, image: Side, text: Side) -> LiTConfig:
    assert image.preprocess is not None  # every image side has one
    assert text.tokenizer is not None  # and every text side this
    try:
        return LiTConfig(
            name=config.name,
            image=_image_config(image.tower),
            text=_text_config(text.tower),
            dim=image.width,
            tokenizer=text.tokenizer,
            preprocess=image.preprocess,
            image_head=image.head,
            text_head=text.head,
            bias=config.objective.loss == "sigmoid",
            locked=Lock(config.model.lock).locked,
        )
    except ConfigError as error:
        raise ConfigError(f"the parts that model names do not go together: {error}") from error


def _image_config(tower: ImageTowerConfig | TextTowerConfig) -> ImageTowerConfig:
    assert isinstance(tower, ImageTowerConfig)
    return tower


def _text_config(tower: ImageTowerConfig | TextTowerConfig) -> TextTowerConfig:
    assert isinstance(tower, TextTowerConfig)
    return tower


def _enough_embeddings(tokenizer: Tokenizer, tower: TextTowerConfig) -> None:
    if tokenizer.vocab_size > tower.vocab_size:
        raise ConfigError(
            f"the vocabulary has {tokenizer.vocab_size:,} ids and the text tower {tower.vocab_size:,} embeddings; set "
            f"model.text_tower.vocab_size = {tokenizer.vocab_size}, or take the vocabulary that goes with the tower."
        )
