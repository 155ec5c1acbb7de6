"""lit's own bundle: a model and all that belongs to it, in one directory.

::

    model.safetensors    parameters under their '/'-joined names
    config.json          the LiTConfig (`lit.config.to_dict`)
    vocab.txt            the vocabulary, under the name that config.json's tokenizer gives it
    card.md              what the model is, for people
    LICENSES/            the licences of its parts, where they differ

Parameters are stored as float32, float16 or bfloat16, or as int8 with scales.  An int8 tensor `NAME` has a companion
`NAME:scale` in float32, of the same rank, with length 1 on every axis that shares a scale; the parameter is
`NAME * NAME:scale`.  What `save_bundle` writes: a table of embeddings (last name `embedding`) has one scale for each
row, any other parameter one for each index of its last axis, which for a kernel is its output; the scale is the
largest magnitude over 127, and values are rounded to the nearest integer.  A reader needs the product alone, whatever
the axes.  The file's metadata say `format: lit-bundle-1`.  On loading, everything becomes float32.
"""

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from lit import config as configs
from lit.checkpoints.load import fit
from lit.checkpoints.names import flatten
from lit.config import LiTConfig
from lit.errors import CheckpointError, CheckpointNotFoundError, ConfigError, OutputError

FORMAT = "lit-bundle-1"
_SCALE = ":scale"
_WEIGHTS, _CONFIG, _CARD, _LICENSES = "model.safetensors", "config.json", "card.md", "LICENSES"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bundle:
    """What a directory holds.

    Attributes:
      config: the model.
      params: nested float32 parameters that fit it.
      vocab: path of its vocabulary.
      card: what the model is, for people (Markdown); empty where there is none.
      licenses: the files in LICENSES, by their names; whoever makes a model of this one passes them on.
    """

    config: LiTConfig
    params: dict[str, Any]
    vocab: Path
    card: str
    licenses: tuple[Path, ...] = ()


def save_bundle(
    directory: str | Path,
    *,
    config: LiTConfig,
    params: Mapping[str, Any],
    vocab: str | Path,
    card: str,
    int8: Collection[str] = (),
    licenses: Iterable[Path] | Mapping[str, Path] = (),
    overwrite: bool = False,
) -> Path:
    """Writes a bundle; the directory appears complete or not at all.

    Args:
      directory: where to; its parents are made.
      config: the model.
      params: nested parameters; they are stored in the precision that they have.
      vocab: file to copy, renamed to `config.tokenizer.vocab`.
      card: Markdown.
      int8: names of parameters ('/'-joined) to store as int8 with scales: a quarter of the space.
      licenses: files to copy into LICENSES; a mapping says under which names.
      overwrite: replace a directory that is there.

    Raises:
      OutputError: the directory is there already, or cannot be written.
      ConfigError: `int8` names a parameter that does not exist, or the vocabulary's name is no plain file name.
    """
    directory = Path(directory)
    flat = {name: np.ascontiguousarray(np.asarray(value)) for name, value in flatten(params).items()}
    unknown = sorted(set(int8) - set(flat))
    if unknown:
        raise ConfigError(f"int8 names parameters that the model does not have: {', '.join(unknown)}.")
    named = licenses if isinstance(licenses, Mapping) else {Path(path).name: path for path in licenses}
    copies = {config.tokenizer.vocab: Path(vocab)} | {f"{_LICENSES}/{name}": Path(p) for name, p in named.items()}
    _plain_name(config.tokenizer.vocab, directory)
    for path in copies.values():
        if not path.is_file():
            raise CheckpointNotFoundError(f"{path}, which belongs into the bundle, is not a file; check the path.")
    _require_free(directory, overwrite)
    tensors: dict[str, np.ndarray] = {}
    for name, array in flat.items():
        tensors |= quantise(name, array) if name in int8 else {name: array}
    texts = {_CONFIG: json.dumps(configs.to_dict(config), indent=2) + "\n", _CARD: card}
    try:
        _write(directory, tensors, texts, copies)
    except (OSError, safetensors.SafetensorError) as error:
        raise OutputError(f"{directory} cannot be written ({error}); check its permissions and the disk.") from error
    return directory


def _write(
    directory: Path, tensors: Mapping[str, np.ndarray], texts: Mapping[str, str], copies: Mapping[str, Path]
) -> None:
    """Writes everything beside the directory, then moves it there in one step."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{directory.name}-", dir=directory.parent) as work:
        new = Path(work) / "new"
        new.mkdir()
        safetensors.numpy.save_file(dict(tensors), new / _WEIGHTS, metadata={"format": FORMAT})
        for name, text in texts.items():
            (new / name).write_text(text, encoding="utf-8")
        # safetensors makes a file for its owner alone; a model is as readable as the files beside it.
        shutil.copymode(new / _CONFIG, new / _WEIGHTS)
        for name, path in copies.items():
            (new / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(path, new / name)
        if directory.exists():
            directory.rename(Path(work) / "old")
        new.rename(directory)


def _require_free(directory: Path, overwrite: bool) -> None:
    if directory.exists() and not directory.is_dir():
        raise OutputError(f"{directory} is a file; a bundle is a directory. Choose another name.")
    if directory.exists() and not overwrite and any(directory.iterdir()):
        raise OutputError(f"{directory} is there already; choose another directory, or pass overwrite=True.")


def load_bundle(directory: str | Path) -> Bundle:
    """Reads what `save_bundle` wrote: everything, or an error.

    Raises:
      CheckpointNotFoundError: the directory or one of its files is missing; it says which.
      CheckpointError: a file is truncated, corrupt or of another format, or parameters hold NaN or infinity.
      ParamsMismatchError: parameters do not fit the configuration: all differences at once.
    """
    directory = Path(directory)
    try:
        config = configs.from_dict(LiTConfig, json.loads(_file(directory, _CONFIG).read_text(encoding="utf-8")))
        vocab = _plain_name(config.tokenizer.vocab, directory)
    except ValueError as error:  # a ConfigError, or what json and the decoder raise
        raise CheckpointError(f"{directory / _CONFIG} is not the configuration of a model: {error}") from error
    vocab = _file(directory, vocab)
    weights = _file(directory, _WEIGHTS)
    card = directory / _CARD
    params = fit(_read(weights), config, source=str(weights))
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    licenses = tuple(sorted(path for path in (directory / _LICENSES).glob("*") if path.is_file()))
    return Bundle(config=config, params=params, vocab=vocab, card=text, licenses=licenses)


def quantise(name: str, array: np.ndarray) -> dict[str, np.ndarray]:
    """The two tensors, int8 and scale, that stand for a parameter in a file."""
    array = array.astype(np.float32)
    kept = 0 if name.endswith("embedding") else array.ndim - 1
    shared = tuple(axis for axis in range(array.ndim) if axis != kept)
    scale = np.abs(array).max(axis=shared, keepdims=True) / np.float32(127)
    scale = np.where(scale > 0, scale, np.float32(1))
    return {name: np.rint(array / scale).astype(np.int8), name + _SCALE: scale}


def _read(path: Path) -> dict[str, np.ndarray]:
    """Parameters of a file, dequantised."""
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            found = (file.metadata() or {}).get("format")
            if found != FORMAT:
                raise CheckpointError(f"{path} is of format {found!r}; a bundle's is {FORMAT!r}.")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
    except (safetensors.SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is truncated or corrupt ({error}); copy or build the bundle again.") from error
    flat = {}
    for name, tensor in tensors.items():
        whole = tensors.get(name.removesuffix(_SCALE)) if name.endswith(_SCALE) else None
        if whole is not None and whole.dtype == np.int8:
            continue
        if tensor.dtype == np.int8 and name + _SCALE in tensors:
            tensor = _dequantised(tensor, tensors[name + _SCALE], f"{path}: {name}")
        flat[name] = tensor
    return flat


def _dequantised(tensor: np.ndarray, scale: np.ndarray, what: str) -> np.ndarray:
    fits = scale.ndim == tensor.ndim and all(s in (1, n) for s, n in zip(scale.shape, tensor.shape, strict=True))
    if scale.dtype != np.float32 or not fits:
        raise CheckpointError(
            f"{what} is of shape {tensor.shape}, and its scale is {scale.dtype} {scale.shape}; expected float32, with "
            "the same length or 1 on each axis. Copy or build the bundle again."
        )
    return tensor.astype(np.float32) * scale


def _file(directory: Path, name: str) -> Path:
    path = directory / name
    if not path.is_file():
        raise CheckpointNotFoundError(
            f"{directory} is not a complete bundle: {name} is missing; copy or build the bundle again."
        )
    return path


def _plain_name(name: str, directory: Path) -> str:
    if Path(name).name != name or name in (_WEIGHTS, _CONFIG, _CARD, _LICENSES):
        raise ConfigError(f"{directory}: the vocabulary is called {name!r}; it must be a plain file name of its own.")
    return name
