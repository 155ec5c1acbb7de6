"""Several captions for each concept: some for training, others for testing, never the same string in both."""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from concepts import Concept

from lit.prompts import canonicalize

#: Words in one caption beside the name.
_BESIDE = 3


@dataclasses.dataclass(frozen=True)
class Captions:
    """What is said of one concept.

    Attributes:
      training: the name, aliases, the name with its kind or with keywords, keywords.
      testing: the name with other keywords, and with its group.
      unseen: where the concept itself is held out: all of them.
    """

    training: tuple[str, ...]
    testing: tuple[str, ...]
    unseen: tuple[str, ...]


def drawn(seed: str, items: Iterable[str]) -> list[str]:
    """The items in an order that depends on the seed alone, on every machine."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{seed}\0{item}".encode()).digest())


def captions(known: Sequence[Concept]) -> dict[str, Captions]:
    """Captions by concept.  Keywords that would describe two concepts alone, describe neither."""
    made = {concept.id: _of(concept) for concept in known}
    shared = Counter(canonicalize(alone) for _, alone in made.values() for alone in alone)
    found = {}
    for key, (said, alone) in made.items():
        kept = tuple(text for text in alone if shared[canonicalize(text)] == 1)
        training = once((*said.training, *kept))
        found[key] = Captions(training, said.testing, once((*training, *said.testing)))
    return found


def _of(concept: Concept) -> tuple[Captions, tuple[str, ...]]:
    """The captions with a name, and keywords that stand alone."""
    words = drawn(concept.id, concept.keywords)
    kept = max(len(words) // 3, min(len(words), 2))
    new, old = words[:kept], words[kept:]  # keywords for testing, and for training
    training = [*concept.names, f"{concept.name}, {concept.subgroup}"]
    if old:
        training.append(", ".join((concept.name, *old[:_BESIDE])))
    testing = [f"{concept.group}: {concept.name}"]
    if new:
        testing.insert(0, ", ".join((concept.name, *new[:_BESIDE])))
    alone = (", ".join(old[:_BESIDE]),) if len(old) >= _BESIDE else ()
    return Captions(once(training), once(testing), ()), alone


def once(texts: Iterable[str]) -> tuple[str, ...]:
    """Those that differ once punctuation and case are gone."""
    return tuple({canonicalize(text): text for text in reversed(list(texts))}.values())[::-1]
