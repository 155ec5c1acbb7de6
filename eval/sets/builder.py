"""Writes a source as a prepared directory of TensorFlow Datasets, through tfds's own writer."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import tensorflow_datasets as tfds
from sources import Features, Source


class PackagedSet(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Examples in the order and under the keys (0, 1, ...) of tfds's builders, hence shuffled into files as theirs."""

    def __init__(self, source: Source, archives: Path, *, data_dir: Path, file_format: str):
        self.name = source.name
        self.VERSION = tfds.core.Version(source.version)
        self._source, self._archives = source, archives
        super().__init__(data_dir=str(data_dir), version=source.version, file_format=file_format)

    def _info(self) -> tfds.core.DatasetInfo:
        source, named = self._source, self._source.label_names
        names = named(self._archives) if callable(named) else named
        label = (
            tfds.features.ClassLabel(num_classes=names)
            if isinstance(names, int)
            else tfds.features.ClassLabel(names=list(names))
        )
        features = {
            **{name: tfds.features.Text() for name in source.text},
            "image": tfds.features.Image(shape=source.shape, encoding_format=source.encoding),
            "label": label,
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description=source.description,
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
            homepage=source.homepage,
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in self._source.splits}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, Features]]:
        yield from enumerate(self._source.examples(self._archives, split))


def prepared(source: Source, data_dir: Path) -> tfds.core.DatasetBuilder | None:
    """The builder of what is there already; None where nothing is."""
    place = data_dir / source.name / source.version
    return tfds.builder_from_directory(str(place)) if (place / "dataset_info.json").is_file() else None


def discard_remains(source: Source, data_dir: Path) -> None:
    """tfds writes into `incomplete.*` and renames it at the end; a run that was killed leaves one behind."""
    for left in (data_dir / source.name).glob("incomplete.*"):
        shutil.rmtree(left)


def check(builder: tfds.core.DatasetBuilder, source: Source) -> None:
    """Raises ValueError if the splits do not have the examples that they should."""
    found = {name: split.num_examples for name, split in builder.info.splits.items()}
    if found != dict(source.splits):
        raise ValueError(
            f"{builder.data_path} has {found}, expected {dict(source.splits)}; delete it and prepare it again."
        )
