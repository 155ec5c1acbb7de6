"""Where a prepared dataset of TensorFlow Datasets lies.  Nothing is ever downloaded or prepared."""

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lit.datasets import guest
from lit.errors import DatasetError

_NAME = re.compile(r"(?P<builder>\w+)(?:/(?P<config>[^/:]+))?(?::(?P<version>\d+\.\d+\.\d+))?")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_FILES = ("dataset_info.json", "features.json")


def find_prepared(name: str, data_dir: str | os.PathLike[str] | None = None) -> Any:
    """The directory of one version, an `etils.epath.Path`.

    Args:
      name: "cifar10", "imagenet_v2/matched-frequency", with a version "cifar10:3.0.2"; otherwise the newest.  Without a
        configuration: the default one, or the only one there is.
      data_dir: what `tfds build --data_dir` was given, here or at `gs://`; None: TFDS_DATA_DIR, or
        ~/tensorflow_datasets.  The dataset's own directory, or that of a version, is understood too.

    Raises:
      DatasetError: it is not there, or not completely; with what was looked for and what is there.
      MissingExtraError: tfds is not installed.
    """
    guest.tfds()
    from etils import epath

    match = _NAME.fullmatch(name)
    if not match:
        raise DatasetError(f"{name!r} is not a name of TensorFlow Datasets: 'cifar10', 'sun397/tfds', 'cifar10:3.0.2'.")
    builder, config, version = match["builder"], match["config"], match["version"]
    given = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets" if data_dir is None else os.fspath(data_dir)
    root = epath.Path(given).expanduser()
    with reading(f"the data directory {root}"):
        if (root / _FILES[0]).exists():
            return root
        if root.name == builder and not (root / builder).exists():
            root = root.parent
        if not (root / builder).exists():
            raise DatasetError(_not_there(name, root, f"no folder {builder!r} in it", _folders(root), "datasets"))
        folder = _config_folder(name, root, builder, config)
        versions = _versions(folder)
        if version is None and versions:
            version = versions[-1]
        if version not in versions:
            lacks = f"no complete version {version}" if version else "no complete version"
            raise DatasetError(_not_there(name, root, f"{lacks} in {folder}", _folders(folder), "folders"))
        return folder / version


def refuse_another(directory: Any, name: str, info: Any) -> None:
    """Compares what was asked for with what lies in the directory of a version, which may have been given itself.

    Args:
      directory: of the version; where it does not say its configuration (old ones), its folder does.
      name: as asked for; what it leaves open is not compared.
      info: `tfds.core.DatasetInfo`, of the directory.

    Raises:
      DatasetError: it is another dataset, configuration or version.
    """
    match = _NAME.fullmatch(name)
    assert match is not None
    config = info.config_name or (directory.parent.name if directory.parent.name == match["config"] else "")
    there = {"builder": info.name, "config": config, "version": str(info.version)}
    if any(asked is not None and asked != there[part] for part, asked in match.groupdict().items()):
        holds = f"{info.name}{f'/{config}' if config else ''}:{info.version}"
        raise DatasetError(f"{directory} holds {holds!r}, not {name!r}. Name the directory that has it.")


def read_json(path: Any) -> Any:
    """The content of a JSON file.

    Raises:
      DatasetError: it cannot be read, or is damaged.
    """
    with reading(str(path)):
        try:
            return json.loads(path.read_text())
        except ValueError as error:
            raise DatasetError(f"{path} is damaged: {error}. Prepare the dataset anew.") from error


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turns refusals of the file system, TensorFlow's for remote ones included, into a `DatasetError`."""
    try:
        yield
    except OSError as error:
        raise DatasetError(f"{what} could not be read: {error}.") from error
    except _tensorflow_errors() as error:
        raise DatasetError(f"{what} could not be read: {error}.") from error


def _tensorflow_errors() -> tuple[type[BaseException], ...]:
    tf = sys.modules.get("tensorflow")
    return (tf.errors.OpError,) if tf is not None and hasattr(tf, "errors") else ()


def _folders(folder: Any) -> list[str]:
    """Names of the folders in a folder; none where there is no such folder."""
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.exists() else []


def _versions(folder: Any) -> list[str]:
    """Versions that are prepared completely, oldest first."""
    found = [name for name in _folders(folder) if _VERSION.fullmatch(name)]
    found = [name for name in found if all((folder / name / file).exists() for file in _FILES)]
    return sorted(found, key=lambda name: tuple(map(int, name.split("."))))


def _config_folder(name: str, root: Any, builder: str, config: str | None) -> Any:
    folder = root / builder
    if config is None:
        if _versions(folder):
            return folder
        default = folder / ".config" / "metadata.json"
        config = read_json(default).get("default_config_name") if default.exists() else None
    configs = [c for c in _folders(folder) if not c.startswith(".") and _versions(folder / c)]
    if config is None and len(configs) == 1:
        config = configs[0]
    if config is None and configs:
        one = f"{builder}/{configs[0]}"
        raise DatasetError(
            f"{name} has several configurations in {folder}; name one, as {one!r}: {', '.join(configs)}."
        )
    if config is not None and not (folder / config).exists():
        raise DatasetError(
            _not_there(name, root, f"no configuration {config!r} in {folder}", _folders(folder), "folders")
        )
    return folder / config if config is not None else folder


def _not_there(name: str, root: Any, lacks: str, there: list[str], what: str) -> str:
    there = [entry for entry in there if not entry.startswith(".") and entry != "downloads"]
    exists = f"{what} there: {', '.join(there) if there else 'none'}" if root.exists() else "it does not exist"
    unfinished = "A preparation was not finished. " if any(".incomplete" in entry for entry in there) else ""
    return (
        f"{name} is not prepared under {root}: {lacks} ({exists}). {unfinished}lit downloads no datasets. Prepare it "
        f"with `tfds build {name} --data_dir {root}`, or name the directory that has it. Some datasets, ImageNet among "
        f"them, need archives that you put into {root / 'downloads' / 'manual'} first: "
        f"www.tensorflow.org/datasets/catalog/{re.split('[/:]', name)[0]} says which."
    )
