"""The seal of a figure: everything that can move it, in plain words, under one hash."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping

#: In the order in which people read them.
GROUPS = ("data", "protocol", "model", "software")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seal:
    """What determined a figure, in four groups of factor -> value.

    Attributes:
      data: dataset, split, label map, the images themselves (a hash over their bytes, labels and order).
      protocol: names, templates, canonicalisation, averaging, metric.
      model: weights, tokenizer, decoder, resize, crop, value range, precision.
      software: versions of what computed it, and the device.
    """

    data: Mapping[str, str]
    protocol: Mapping[str, str]
    model: Mapping[str, str]
    software: Mapping[str, str]

    @property
    def hash(self) -> str:
        """SHA-256 (hex) over all of it."""
        groups = {group: dict(getattr(self, group)) for group in GROUPS}
        said = json.dumps(groups, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(said.encode()).hexdigest()
