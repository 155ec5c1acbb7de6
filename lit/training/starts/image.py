"""The image side of a start."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lit import checkpoints
from lit.config import PreprocessConfig, ViTConfig
from lit.errors import CheckpointNotFoundError, ConfigError
from lit.training.recipe import ModelConfig
from lit.training.recipe.checks import empty_unless
from lit.training.starts.side import Side
from lit.training.starts.vit import infer_vit, without_classifier
from lit.training.starts.whole import Whole, load_whole, published


def image_side(model: ModelConfig, *, offline: bool | None) -> Side:
    """What `model.image` and the keys beside it say.

    Raises:
      ConfigError: keys contradict the start.
      CheckpointError: the start cannot be loaded.
    """
    if not model.image:
        tower = model.image_tower
        assert tower is not None  # the recipe's own check
        preprocess = model.preprocess or PreprocessConfig(image_size=tower.image_size)
        return Side(tower=tower, params={}, origin="scratch", preprocess=preprocess)
    path = Path(model.image)
    if path.suffix == ".npz":
        if not path.is_file():
            raise CheckpointNotFoundError(f"model.image: there is no file {path}; check the path.")
        flat = checkpoints.load_npz(path)
        if model.image_tower is not None or published(flat) is None:
            return _npz_side(model, flat, str(path))
    if checkpoints.is_bert_folder(path):
        raise ConfigError(f"model.image is {path}, which holds a BERT; name it in model.text.")
    whole = load_whole("model.image", model.image, offline=offline)
    for key in ("image_tower", "preprocess"):
        empty_unless(f"model.{key}", getattr(model, key), False, f"model.image ({whole.origin}) brings its own")
    return _of_whole(whole)


def _of_whole(whole: Whole) -> Side:
    params = {n: a for n, a in whole.params.items() if n.split("/")[0] in ("img", "img_head")}
    return Side(
        tower=whole.config.image,
        head=whole.config.image_head,
        params=params,
        origin=whole.origin,
        preprocess=whole.config.preprocess,
        whole=whole,
        licenses=whole.licenses,
    )


def _npz_side(model: ModelConfig, flat: Mapping[str, np.ndarray], source: str) -> Side:
    """A ViT by itself, whose classifier is left out, or the image tower of a LiT, whose head is kept."""
    image = {name.removeprefix("img/"): a for name, a in flat.items() if name.startswith("img/")}
    tower = model.image_tower
    if image:
        tower = tower or _with_published_head(infer_vit(image, source), image)
        params = image if tower.out_dim else without_classifier(image)
    else:
        params = without_classifier(flat)
        tower = tower or infer_vit(params, source)
        tower = dataclasses.replace(tower, out_dim=None)
    if not isinstance(tower, ViTConfig):
        raise ConfigError(f"model.image_tower is of kind {tower.kind!r} and {source} holds a ViT; use kind = 'vit'.")
    nested = checkpoints.fit(params, tower, source=source, resize=True)
    preprocess = model.preprocess or PreprocessConfig(image_size=tower.image_size)
    named = {f"img/{name}": array for name, array in checkpoints.flatten(nested).items()}
    return Side(tower=tower, params=named, origin=source, preprocess=preprocess)


def _with_published_head(tower: ViTConfig, flat: Mapping[str, np.ndarray]) -> ViTConfig:
    head = flat.get("head/kernel")
    return tower if head is None else dataclasses.replace(tower, out_dim=int(head.shape[-1]))
