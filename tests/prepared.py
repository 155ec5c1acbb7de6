"""Small datasets for tests: as TensorFlow Datasets prepares them (written without TensorFlow), and tar files.

from prepared import png, write_tfds

examples = [{"image": png(0), "label": 1}, {"image": png(1), "label": 0}]
write_tfds(tmp_path, "cifar10", examples, version="3.0.2", label_names=["airplane", "automobile"], split="test")
tfds_dataset("cifar10", split="test", data_dir=tmp_path)
"""

import io
import json
import struct
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def png(seed: int = 0, side: int = 8) -> bytes:
    """A PNG file with a random picture in it; another one for each seed."""
    return _encoded(seed, side, "PNG")


def jpeg(seed: int = 0, side: int = 8) -> bytes:
    """A JPEG file, likewise."""
    return _encoded(seed, side, "JPEG")


def _encoded(seed: int, side: int, kind: str) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side + 2, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def write_tar(path: Path, members: Iterable[tuple[str, bytes]], mode: str = "w") -> Path:
    """Writes a tar file of (name, content) and returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def write_tfds(
    data_dir: Path,
    name: str,
    examples: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    version: str = "1.0.0",
    split: str = "test",
    label_names: Sequence[str] | None = None,
    features: Any = None,
    file_format: str = "array_record",
    shards: int = 1,
) -> Path:
    """Writes one version of a dataset and returns its directory.

    Args:
      data_dir: what `lit eval --data-dir` is given.
      name: of the builder, with the configuration where there is one ("imagenet_v2/matched-frequency").
      examples: feature -> value.  Pictures are encoded bytes (`png`, `jpeg`) where the feature is an Image.  A mapping
        split -> examples writes several splits.
      version: three numbers.
      split: the split's name, where `examples` is a list.
      label_names: of the label feature, where `features` is not given.  None: ten labels without names, which tfds
        then calls '0', '1', ...
      features: `tfds.features.FeaturesDict`, or a dict for one; by default image, label, and `file_name` if the
        examples have it.
      file_format: "array_record" (read without TensorFlow) or "tfrecord" (importing TensorFlow takes seconds).
      shards: files per split.
    """
    import tensorflow_datasets as tfds

    if features is None:
        label = tfds.features.ClassLabel(names=label_names) if label_names else tfds.features.ClassLabel(num_classes=10)
        features = {"image": tfds.features.Image(shape=(None, None, 3)), "label": label}
        first = examples[0] if not isinstance(examples, Mapping) else next(iter(examples.values()))[0]
        if "file_name" in first:
            features["file_name"] = tfds.features.Text()
    features = tfds.features.FeaturesDict(features)
    builder, _, config = name.partition("/")
    directory = Path(data_dir) / name / version
    directory.mkdir(parents=True, exist_ok=True)
    splits = examples if isinstance(examples, Mapping) else {split: examples}
    lengths, sizes = {}, {}
    for one, of_split in splits.items():
        records = [features.serialize_example(example) for example in of_split]
        sizes[one] = sum(map(len, records))
        parts = [list(part) for part in np.array_split(np.arange(len(records)), shards)]
        lengths[one] = [len(part) for part in parts]
        for i, part in enumerate(parts):
            file = directory / f"{builder}-{one}.{file_format}-{i:05d}-of-{shards:05d}"
            _WRITERS[file_format](file, [records[j] for j in part])
    _write_metadata(directory, builder, config, version, features, lengths, sizes, file_format)
    return directory


def _write_metadata(directory, builder, config, version, features, lengths, sizes, file_format) -> None:
    from tensorflow_datasets.core import dataset_info, naming, splits, utils

    identity = dataset_info.DatasetIdentity(
        name=builder,
        version=utils.Version(version),
        data_dir=str(directory),
        module_name="",
        config_name=config or None,
    )
    info = dataset_info.DatasetInfo(builder=identity, features=features)
    info.set_file_format(file_format)
    template = naming.ShardedFileTemplate(data_dir=directory, dataset_name=builder, filetype_suffix=file_format)
    infos = [
        splits.SplitInfo(name=one, shard_lengths=n, num_bytes=sizes[one], filename_template=template.replace(split=one))
        for one, n in lengths.items()
    ]
    info.set_splits(splits.SplitDict(infos))
    info.write_to_directory(directory)
    path = directory / "dataset_info.json"
    said = json.loads(path.read_text())
    if config:
        said["configName"] = config
    path.write_text(json.dumps(said))


def write_tfrecord(path: Path, records: Sequence[bytes]) -> None:
    """Source: tensorflow/core/lib/io/record_writer.h: length, its CRC, data, their CRC; CRCs are CRC-32C, masked."""
    with Path(path).open("wb") as file:
        for record in records:
            length = struct.pack("<Q", len(record))
            file.write(
                length + struct.pack("<I", _masked_crc(length)) + record + struct.pack("<I", _masked_crc(record))
            )


def write_array_record(path: Path, records: Sequence[bytes]) -> None:
    from array_record.python.array_record_module import ArrayRecordWriter

    writer = ArrayRecordWriter(str(path), "group_size:1")
    for record in records:
        writer.write(record)
    writer.close()


_WRITERS = {"tfrecord": write_tfrecord, "array_record": write_array_record}


def _crc_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _crc_table()


def _masked_crc(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
