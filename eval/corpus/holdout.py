"""Which concepts are held out, and the proof that nothing of a test is in the training part."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from captioning import drawn
from concepts import Concept

from lit.prompts import canonicalize

#: Things that can be drawn; no people, signs and flags, whose names are made of one another's parts.
GROUPS = ("animals & nature", "food & drink", "travel & places", "activities", "objects")
#: A concept that so many others are named after stays in training ("cat": nine cat faces).
_FAMILY = 3
_SEED = "held-out concepts"

Row = Mapping[str, Any]


class LeakError(AssertionError):
    """Something of a test is in the training part."""


def words(text: str) -> str:
    """Canonical words between single spaces, hyphens apart, a plural like its singular (as far as an s makes it)."""
    plain = canonicalize(re.sub(r"[-/–]", " ", text)).split()
    return " ".join(w[:-1] if len(w) > 3 and w.endswith("s") and not w.endswith("ss") else w for w in plain)


def mentions(names: Iterable[str]) -> re.Pattern[str]:
    """Finds any of the names, as whole words, in `words(text)`."""
    alternatives = sorted({re.escape(words(name)) for name in names} - {""}, key=lambda name: (-len(name), name))
    return re.compile(rf"(?<!\S)(?:{'|'.join(alternatives)})(?!\S)") if alternatives else re.compile(r"(?!)")


def held_out(known: Sequence[Concept], count: int) -> set[str]:
    """About `count` concepts; with each, all whose names contain one of its names ("tiger" and "tiger face")."""
    named = {concept.id: words(concept.name) for concept in known}
    of = {concept.id: concept for concept in known}
    held: set[str] = set()
    for key in drawn(_SEED, (concept.id for concept in known if concept.group in GROUPS)):
        if len(held) >= count:
            break
        family = _family(of[key], of, named)
        if len(family) <= _FAMILY and all(of[member].group in GROUPS for member in family):
            held |= family
    return held


def _family(concept: Concept, of: Mapping[str, Concept], named: Mapping[str, str]) -> set[str]:
    """The concept and those named after it or one of those, until there are no more or too many."""
    family: set[str] = {concept.id}
    fresh = [concept]
    while fresh and len(family) <= _FAMILY:
        pattern = mentions(name for member in fresh for name in member.names)
        found = {key for key, name in named.items() if pattern.search(name)} - family
        family |= found
        fresh = [of[key] for key in sorted(found)]
    return family


def check(
    train: Sequence[Row], tests: Mapping[str, Sequence[Row]], *, held: Collection[str], unseen_names: Sequence[str]
) -> dict[str, int]:
    """Proves that train and tests are apart: strings of captions, names, concepts, styles, ids and pixels.

    Args:
      train: rows with "id", "text", "tags", "style", "concept" and "pixels", the digest of the rendered picture.
      tests: by name.
      held: ids of the concepts that are held out.
      unseen_names: their names and aliases.

    Returns:
      what was compared, in numbers.

    Raises:
      LeakError: all that was found, with examples.
    """
    known = {canonicalize(text): row["id"] for row in train for text in row["text"]}
    wrong = []
    pattern = mentions(unseen_names)
    for row in train:
        if row["concept"] in held:
            wrong.append(f"{row['id']}: its concept {row['concept']} is held out")
        said = (*row["text"], *row["tags"])
        wrong += [f"{row['id']}: {t!r} names a held-out concept" for t in said if pattern.search(words(t))]
    ids, pixels = {row["id"] for row in train}, {row["pixels"] for row in train}
    styles = {row["style"] for row in train}
    for name, rows in tests.items():
        for row in rows:
            same = [t for t in row["text"] if canonicalize(t) in known]
            wrong += [f"{name}, {row['id']}: {t!r} is a caption of {known[canonicalize(t)]}" for t in same]
            wrong += [f"{name}, {row['id']}: is in the training part"] * (row["id"] in ids)
            wrong += [f"{name}, {row['id']}: the same pixels are in the training part"] * (row["pixels"] in pixels)
            wrong += [f"{name}, {row['id']}: style {row['style']} is trained on"] * (
                name == "style" and row["style"] in styles
            )
    if wrong:
        raise LeakError(f"{len(wrong)} leaks between training and testing, such as: " + "; ".join(wrong[:5]))
    texts = {canonicalize(text) for rows in tests.values() for row in rows for text in row["text"]}
    return {"training captions": len(known), "test captions": len(texts), "held-out names": len(unseen_names)}
