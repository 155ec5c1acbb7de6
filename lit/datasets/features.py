"""From a serialized example to what lit needs of it: the picture as stored, labels, captions, a name."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from lit.datasets import guest
from lit.datasets.feature_tree import at, find, inner, pruned
from lit.errors import DatasetError

#: Between the name of a sequence of sequences and what is stored of it.
_RAGGED = b"/ragged_"


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Features by path ("image", "captions/text"); an empty path is not asked for."""

    image: str
    label: str = ""
    identity: str = ""
    captions: str = ""

    def paths(self) -> dict[str, str]:
        """Role -> path, of those that are asked for."""
        return {role: path for role, path in dataclasses.asdict(self).items() if path}


@dataclasses.dataclass(frozen=True)
class Values:
    """What one example holds."""

    image: bytes | np.ndarray
    labels: tuple[int, ...]
    identity: str
    texts: tuple[str, ...]


class Decoder:
    """Reads the wanted features of one builder, and no others.

    Args:
      features: the builder's (`info.features`).
      wanted: which of them.
      of: the dataset, for messages.

    Attributes:
      label_names: of the label feature; None where it is a plain number or not asked for.

    Raises:
      DatasetError: a feature is not there, or is of a kind that cannot play its role.
    """

    def __init__(self, features: Any, wanted: Wanted, of: str) -> None:
        found = {role: find(features, path, role, of) for role, path in wanted.paths().items()}
        self._paths = {role: keys for role, (keys, _) in found.items()}
        leaves = {role: leaf for role, (_, leaf) in found.items()}
        _check(leaves, wanted, of)
        self._features = pruned(features, list(self._paths.values()))
        self._decoders: Any = None
        self._video = isinstance(leaves["image"], guest.tfds().features.Video)
        if isinstance(leaves["image"], guest.tfds().features.Image):
            self._decoders = guest.tfds().decode.SkipDecoding()
            for part in reversed(self._paths["image"]):
                self._decoders = {part: self._decoders}
        self.label_names = _label_names(leaves["label"]) if "label" in leaves else None

    def __call__(self, record: bytes) -> Values:
        """Decodes one record.

        Raises:
          ValueError, KeyError, TypeError: it does not hold what the features promise.
        """
        from google.protobuf.message import DecodeError

        try:
            if _RAGGED in record:
                record = _without_ragged(record, {"/".join(path) for path in self._paths.values()})
            tree = self._features.deserialize_example_np(record, decoders=self._decoders)
        except DecodeError as error:
            raise ValueError(f"the record is damaged ({error})") from error
        except (RuntimeError, AttributeError) as error:  # what tfds's parser makes of its KeyErrors, and its own
            raise ValueError(f"tfds cannot parse the record ({error})") from error
        found = {role: at(tree, path) for role, path in self._paths.items()}
        if missing := ["/".join(self._paths[role]) for role, value in found.items() if value is None]:
            raise ValueError(f"the record has no feature {missing[0]!r}")
        return Values(
            image=self._frame(found["image"]) if self._video else _picture(found["image"]),
            labels=_labels(found["label"]) if "label" in found else (),
            identity=_text(found["identity"]) if "identity" in found else "",
            texts=tuple(map(_text, _flat(found["captions"]))) if "captions" in found else (),
        )

    def _frame(self, frames: Any) -> bytes:
        from lit.datasets.video import middle_frame

        return bytes(middle_frame(frames))


def _without_ragged(record: bytes, wanted: Collection[str]) -> bytes:
    """The record without sequences of sequences that are not asked for: tfds's parser stumbles over those alone.

    Source: tensorflow_datasets/core/example_parser.py, _features_to_numpy.
    """
    from tensorflow_datasets.proto import tf_example_pb2

    messages: Any = tf_example_pb2  # its classes are made when it is imported
    example = messages.Example.FromString(record)
    stored = example.features.feature
    for key in [key for key in stored if _RAGGED.decode() in key]:
        if key.partition(_RAGGED.decode())[0] not in wanted:
            del stored[key]
    return example.SerializeToString()


def _check(leaves: Mapping[str, Any], wanted: Wanted, of: str) -> None:
    """Whether each feature can play its role; from what the builder says, before any example is read."""
    kinds = guest.tfds().features
    image = leaves["image"].feature if isinstance(leaves["image"], kinds.Video) else leaves["image"]
    dtype, rank = getattr(image, "np_dtype", None), len(getattr(image, "shape", None) or ())
    raw = not hasattr(image, "feature") and ((dtype == np.uint8 and rank in (2, 3)) or (_is_text(image) and rank == 0))
    if not (dtype in (np.uint8, np.uint16) if isinstance(image, kinds.Image) else raw):
        raise DatasetError(f"{of}: the feature {wanted.image!r} holds no picture of 8 or 16 bits: it is {image!r}.")
    label = inner(leaves.get("label"))
    if label is not None and (
        isinstance(label, kinds.Image) or not np.issubdtype(getattr(label, "np_dtype", None), np.integer)
    ):
        raise DatasetError(f"{of}: the feature {wanted.label!r} holds no labels: it is {leaves['label']!r}.")
    if "captions" in leaves and not _is_text(inner(leaves["captions"])):
        raise DatasetError(f"{of}: the feature {wanted.captions!r} holds no text: it is {leaves['captions']!r}.")
    name = leaves.get("identity")
    if name is not None and (
        getattr(name, "shape", None) != () or not (_is_text(name) or np.issubdtype(name.np_dtype, np.integer))
    ):
        raise DatasetError(f"{of}: the feature {wanted.identity!r} names no example: it is {name!r}.")


def _is_text(feature: Any) -> bool:
    return getattr(feature, "np_dtype", None) in (np.object_, np.str_, np.bytes_, str, bytes)


def _label_names(feature: Any) -> tuple[str, ...] | None:
    feature = inner(feature)
    if not isinstance(feature, guest.tfds().features.ClassLabel) or feature.num_classes is None:
        return None
    return tuple(feature.names)


def _flat(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in _flat(item)]
    return list(value.ravel()) if isinstance(value, np.ndarray) else [value]


def _labels(value: Any) -> tuple[int, ...]:
    """tfds writes -1 where there is no label."""
    return tuple(dict.fromkeys(int(label) for label in _flat(value) if label != -1))


def _text(value: Any) -> str:
    value = value.item() if isinstance(value, np.ndarray) else value
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _picture(value: Any) -> bytes | np.ndarray:
    if isinstance(value, np.ndarray) and value.ndim >= 2:
        return value[..., 0] if value.ndim == 3 and value.shape[-1] == 1 else value
    return bytes(value.item() if isinstance(value, np.ndarray) else value)
