"""What of a corpus is not used, and why: counted, with a few names."""

import dataclasses
from collections.abc import Iterable, Mapping

#: Names that are kept for each reason.
NAMES = 5


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """Images that a corpus has and a training does not see.

    Attributes:
      images: reason -> how many.
      names: reason -> the first `NAMES` of them, each with what is special about it.
      captions: empty captions, and such of punctuation alone, that were dropped; an image with another one is still
        used.
    """

    images: Mapping[str, int] = dataclasses.field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    captions: int = 0

    @property
    def total(self) -> int:
        """Images that are left out, for whatever reason."""
        return sum(self.images.values())

    def __add__(self, other: "LeftOut") -> "LeftOut":
        reasons = dict.fromkeys([*self.images, *other.images])
        return LeftOut(
            {reason: self.images.get(reason, 0) + other.images.get(reason, 0) for reason in reasons},
            {reason: (*self.names.get(reason, ()), *other.names.get(reason, ()))[:NAMES] for reason in reasons},
            self.captions + other.captions,
        )

    def __str__(self) -> str:
        parts = []
        for reason, count in self.images.items():
            shown = ", ".join(self.names[reason]) + (", ..." if count > len(self.names[reason]) else "")
            parts.append(f"{count:,} {'image' if count == 1 else 'images'} left out: {reason} ({shown})")
        if self.captions:
            parts.append(f"{self.captions:,} empty {'caption' if self.captions == 1 else 'captions'} dropped")
        return "; ".join(parts) or "nothing left out"


def counted(reasons: Iterable[tuple[str, str]], captions: int = 0) -> LeftOut:
    """From (reason, name) of each image."""
    images: dict[str, int] = {}
    names: dict[str, tuple[str, ...]] = {}
    for reason, name in reasons:
        images[reason] = images.get(reason, 0) + 1
        if images[reason] <= NAMES:
            names[reason] = (*names.get(reason, ()), name)
    return LeftOut(images, names, captions)
