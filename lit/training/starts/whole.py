"""A start that is a whole model: the embedded one, a released one, a saved one."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lit import checkpoints, files, resources, zoo
from lit.config import LiTConfig
from lit.errors import CheckpointNotFoundError, ConfigError
from lit.nn.two_towers import param_shapes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Whole:
    """A model as it was loaded.

    Attributes:
      config: the model.
      params: '/'-joined name -> float32 array; they fit.
      vocab: its vocabulary; a `FileRef` is fetched only when it is needed.
      origin: for people.
      licenses: files that travel with a saved model.
    """

    config: LiTConfig
    params: Mapping[str, np.ndarray]
    vocab: Path | zoo.FileRef
    origin: str
    licenses: tuple[Path, ...] = ()


def load_whole(key: str, name: str, *, offline: bool | None) -> Whole:
    """Loads what a recipe names.

    Args:
      key: the dotted key of the recipe, for messages.
      name: "embedded", a released model, a folder, or a LiT .npz.
      offline: as in `lit.load`.

    Raises:
      UnknownNameError: it is no name and no path.
      CheckpointError: it cannot be loaded.
    """
    if name in ("embedded", zoo.EMBEDDED):
        return _bundle(resources.directory("embedded"), f"the embedded model {zoo.EMBEDDED}")
    path = Path(name)
    if path.suffix == ".npz":
        return _npz(key, path)
    if name not in zoo.MODELS and path.is_dir():
        return _bundle(path, f"the saved model {path}")
    if name not in zoo.MODELS and (len(path.parts) > 1 or path.suffix):
        raise CheckpointNotFoundError(
            f"{key}: there is no {name}; give the folder of a saved model, an .npz, 'embedded', or one of "
            f"{', '.join(zoo.MODELS)}."
        )
    released = zoo.find(name)
    weights = files.fetch(released.weights, offline=offline)
    return _released(released, weights, f"the released model {name}")


def vocab_file(vocab: Path | zoo.FileRef, *, offline: bool | None) -> Path:
    """The vocabulary on this machine."""
    return vocab if isinstance(vocab, Path) else files.fetch(vocab, offline=offline)


def _bundle(folder: Path, origin: str) -> Whole:
    bundle = checkpoints.load_bundle(folder)
    params = checkpoints.flatten(bundle.params)
    return Whole(config=bundle.config, params=params, vocab=bundle.vocab, origin=origin, licenses=bundle.licenses)


def published(flat: Mapping[str, np.ndarray]) -> zoo.ReleasedModel | None:
    """The released model that has these parameters, by their names and shapes; a LiT .npz says nothing else."""
    shapes = {name: tuple(array.shape) for name, array in flat.items()}
    return next((model for model in zoo.MODELS.values() if shapes == param_shapes(model.config)), None)


def _npz(key: str, path: Path) -> Whole:
    released = published(checkpoints.load_npz(path))
    if released is None:
        raise ConfigError(
            f"{key}: {path} has the parameters of none of {', '.join(zoo.MODELS)}; only these can be taken whole from "
            "an .npz. Load it into a model and save that as a folder (lit.checkpoints.save_bundle)."
        )
    return _released(released, path, f"{path} ({released.name})")


def _released(released: zoo.ReleasedModel, weights: Path, origin: str) -> Whole:
    params = checkpoints.fit(checkpoints.load_npz(weights), released.config, source=str(weights))
    return Whole(config=released.config, params=checkpoints.flatten(params), vocab=released.vocab, origin=origin)
