"""What the emoji mean: names, keywords and groups of each, from four public tables."""

import dataclasses
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "embedded"))
import packages
from assets import member

from lit.prompts import canonicalize

_WORDS = re.compile(r"[a-z][a-z '’-]+[a-z]")
_FLAGS = "flags"
_SHORTCODES = ("cldr", "emojibase", "github", "iamcal", "joypixels")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Concept:
    """One thing that is drawn.

    Attributes:
      id: the code points in hexadecimal, without the variation selector ("1f980").
      name: Unicode's ("crab").
      aliases: further names of this concept alone.
      slugs: names as icon sets and shortcodes spell them ("lady-beetle").
      keywords: single words and phrases, lower case, in order of the alphabet.
      group, subgroup: "animals & nature", "animal bug".
    """

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    slugs: frozenset[str] = frozenset()
    keywords: tuple[str, ...] = ()
    group: str = ""
    subgroup: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its aliases."""
        return (self.name, *self.aliases)


def code(symbol: str) -> str:
    """The id of an emoji."""
    return "-".join(f"{ord(c):x}" for c in symbol if c != "\ufe0f")


def slug(text: str) -> str:
    """A name as icon sets spell it: "flag: Côte d’Ivoire" is "flag-cote-divoire"."""
    text = text.lower().replace("’", "").translate(str.maketrans("éèãåçíñóôü", "eeaacinoou"))
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")


def concepts(folder: Path) -> list[Concept]:
    """All emoji but skin tones, in Unicode's order."""
    tables = read_tables(folder)
    return assembled(**tables)


def read_tables(folder: Path) -> dict[str, Any]:
    """The tables as their packages hold them."""
    base, lib, plain, cldr = (packages.fetch(package, folder) for package in packages.WORDS)

    def read(archive: Path, name: str) -> Any:
        return json.loads(member(archive, f"package/{name}"))

    return {
        "emoji": read(base, "en/data.json"),
        "messages": read(base, "en/messages.json"),
        "shortcodes": [read(base, f"en/shortcodes/{name}.json") for name in _SHORTCODES],
        "keywords": read(lib, "dist/emoji-en-US.json"),
        "plain": read(plain, "data-by-emoji.json"),
        "cldr": read(cldr, "annotations/en/annotations.json")["annotations"]["annotations"],
    }


def assembled(
    *,
    emoji: list[dict[str, Any]],
    messages: Mapping[str, Any],
    shortcodes: list[Mapping[str, Any]],
    keywords: Mapping[str, list[str]],
    plain: Mapping[str, Mapping[str, Any]],
    cldr: Mapping[str, Mapping[str, list[str]]],
) -> list[Concept]:
    """Joins the tables; an alias that two concepts share is nobody's."""
    groups = {entry["order"]: entry["message"] for entry in messages["groups"]}
    subgroups = {entry["order"]: entry["message"] for entry in messages["subgroups"]}
    keywords, plain, cldr = ({code(k): v for k, v in table.items()} for table in (keywords, plain, cldr))
    found = []
    for entry in emoji:
        if entry.get("group") is None or groups[entry["group"]] == "components":
            continue
        key = code(entry["emoji"])
        codes = [name for table in shortcodes for name in _several(table.get(entry["hexcode"]))]
        names = [plain.get(key, {}).get("name", ""), *cldr.get(key, {}).get("tts", [])]
        group = groups[entry["group"]]
        aliases = [] if group == _FLAGS else [*names, *(c.replace("_", " ").replace("-", " ") for c in codes)]
        tags = [*entry.get("tags", []), *cldr.get(key, {}).get("default", []), *keywords.get(key, [])[1:]]
        found.append(
            Concept(
                id=key,
                name=entry["label"],
                aliases=_new(aliases, [entry["label"]]),
                slugs=frozenset(slug(name) for name in (entry["label"], *names, *codes)),
                keywords=tuple(sorted(_new((tag.replace("_", " ") for tag in tags), [entry["label"], *aliases]))),
                group=group,
                subgroup=subgroups[entry["subgroup"]].replace(" / ", " "),
            )
        )
    return _without_shared_aliases(found)


def _several(value: str | list[str] | None) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else value


def _new(texts: Iterable[str], known: list[str]) -> tuple[str, ...]:
    """Those that are words, each once, and none that is known, whatever the spelling."""
    seen = {canonicalize(text) for text in known}
    fresh = []
    for text in (text.lower() for text in texts):
        plain = canonicalize(text)
        if _WORDS.fullmatch(text) and plain not in seen:
            seen.add(plain)
            fresh.append(text)
    return tuple(fresh)


def _without_shared_aliases(found: list[Concept]) -> list[Concept]:
    held = Counter(canonicalize(name) for concept in found for name in concept.names)
    return [
        dataclasses.replace(c, aliases=tuple(alias for alias in c.aliases if held[canonicalize(alias)] == 1))
        for c in found
    ]
