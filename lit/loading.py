"""From a name, a folder or files to a model."""

import os
from pathlib import Path

from lit import checkpoints, files, resources, tokenizers, zoo
from lit.engine import Precision, check_engine, check_precision
from lit.errors import CheckpointError, CheckpointNotFoundError, ChecksumError, ConfigError
from lit.model import Model


def load(
    name: str | Path | None = None,
    *,
    weights: str | Path | None = None,
    vocab: str | Path | None = None,
    precision: Precision = "float32",
    engine: str = "xla",
    offline: bool | None = None,
) -> Model:
    """Loads a model: everything that belongs to it, or an error.

    Args:
      name: None for the embedded model, which needs no download; a released model (`lit models` lists them); or a
        directory that `lit.checkpoints.save_bundle` wrote.  A released name wins over a directory of that name; a
        `Path` always means a directory.
      weights, vocab: files that you have, for a released model; otherwise cache, then mirrors.
      precision: "float32" or "bfloat16"; see `Model`.
      engine: "xla" or "openvino"; see `Model`.
      offline: True never touches the network; None asks the environment variable LIT_OFFLINE.

    Raises:
      UnknownNameError: no such model, precision or engine.
      MissingExtraError: the engine is not installed.
      ConfigError: `weights` or `vocab` beside a model that brings its own.
      CheckpointError: a file is damaged, or of another kind.
      CheckpointNotFoundError: there is no such directory; or no place has the files: it lists every place
        tried, and the ways on.
      ChecksumError: a file is not what was published, or not what it was at first use.
      ParamsMismatchError: parameters do not fit the model: all differences at once.
    """
    check_precision(precision)
    check_engine(engine)
    place = _bundle(name)
    if place is not None:
        if weights is not None or vocab is not None:
            raise ConfigError(
                f"{name or 'the embedded model'} brings its own weights and vocabulary; name a released model."
            )
        bundle = checkpoints.load_bundle(place)
        tokenizer = tokenizers.load_tokenizer(bundle.config.tokenizer, bundle.vocab)
        return Model(bundle.config, bundle.params, tokenizer, precision=precision, engine=engine, card=bundle.card)
    released = zoo.find(str(name))
    vocab = _given(vocab, released.vocab) or files.fetch(released.vocab, offline=offline)
    tokenizer = tokenizers.load_tokenizer(released.config.tokenizer, vocab)
    weights = _given(weights, released.weights) or files.fetch(released.weights, offline=offline)
    params = checkpoints.fit(checkpoints.load_npz(weights), released.config, source=str(weights))
    return Model(released.config, params, tokenizer, precision=precision, engine=engine, card=released.card())


def _bundle(name: str | Path | None) -> Path | None:
    """The folder of a model that brings all its files; None where a released model is meant."""
    if name is None or str(name) == zoo.EMBEDDED:
        return resources.directory("embedded")
    if not isinstance(name, Path) and (name in zoo.MODELS or not str(name).strip()):
        return None
    path = Path(str(name))
    if path.is_file():
        raise CheckpointError(
            f"{path} is a file; a saved model is a folder. A file of weights goes with the name of a released model: "
            f"lit.load('LiT-B16B_2', weights={str(path)!r})."
        )
    if not path.is_dir() and (isinstance(name, Path) or os.sep in name):
        raise CheckpointNotFoundError(f"there is no folder {path}; check it, or name one of {', '.join(zoo.names())}.")
    return path if path.is_dir() else None


def _given(path: str | Path | None, published: zoo.FileRef) -> Path | None:
    """A file that the user has; the published one, where its checksum is known."""
    if path is None:
        return None
    path = Path(path)
    if not path.is_file():
        raise CheckpointNotFoundError(
            f"{path} is not a file; check the path, or leave it out to use the cache and the mirrors."
        )
    if published.sha256 is not None:
        found = files.checksum(path)
        if found != published.sha256:
            raise ChecksumError(
                f"{path} is not the published {published.name}: its SHA-256 is {found}, and that of the published file "
                f"is {published.sha256}. With other contents the model would read other words; take the published file."
            )
    return path
