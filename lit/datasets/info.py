"""What tfds wrote beside the files of a prepared dataset: its name, splits, features and file format."""

import json
from typing import Any

from lit.datasets import guest
from lit.datasets.prepared import read_json, reading
from lit.errors import DatasetError


def read_info(directory: Any, stored: str) -> Any:
    """The `tfds.core.DatasetInfo` of one version, as if its files were all of one format; no TensorFlow is imported.

    Args:
      directory: of the version, see `find_prepared`.
      stored: the format: "tfrecord", "array_record".

    Raises:
      DatasetError: a file cannot be read, or tfds makes nothing of it.
    """
    said, features = read_json(directory / "dataset_info.json"), read_json(directory / "features.json")
    tfds = guest.tfds()
    with reading(f"the dataset in {directory}"):
        try:
            identity = tfds.core.DatasetIdentity(
                name=said.get("name", ""),
                version=tfds.core.Version(said.get("version", "")),
                data_dir=str(directory),
                module_name="",
            )
            info = tfds.core.DatasetInfo(builder=identity, features=_features(features))
            info.read_from_directory(directory)
            if info.file_format.file_suffix != stored:  # the same records are there in both
                info.set_file_format(stored, override=True, override_if_initialized=True)
        except ValueError as error:
            raise DatasetError(f"the dataset in {directory} cannot be opened: {error}") from error
    return info


def _features(said: dict[str, Any]) -> Any:
    from lit.datasets import video

    said = json.loads(json.dumps(said).replace(video.THEIRS, video.OURS))
    return guest.tfds().features.FeatureConnector.from_json(said)
