"""Open Clip Art: drawings in the public domain by hundreds of hands, with the words that their makers gave them."""

import dataclasses
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import packages
from drawings import Drawing

STYLE = "openclipart"
_DC = "{http://purl.org/dc/elements/1.1/}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_PUBLIC_DOMAIN = ("http://web.resource.org/cc/PublicDomain", "http://creativecommons.org/licenses/publicdomain/")
#: Keywords about the file, not about what it shows.
_EMPTY = {
    "hash", "unsorted", "magick", "mapsym", "theme", "lemon theme icon", "simple", "special", "united nations member",
}  # fmt: skip
#: A title on so many drawings names a collection; then the name of the file says what is drawn.
_COLLECTION = 8
#: Of drawings with the same words only so many are taken: a thousand stars teach nothing.
_ALIKE = 2
#: Keywords alone, where more drawings have them, tell none from another ("icons, filesystem, computer").
_SHARED = 4


@dataclasses.dataclass(frozen=True)
class Clip:
    """A drawing and its words.

    Attributes:
      drawing: the SVG, named by its path.
      captions: the title, the title with keywords, the keywords.
      tags: the keywords.
    """

    drawing: Drawing
    captions: tuple[str, ...]
    tags: tuple[str, ...]


def clips(folder: Path) -> list[Clip]:
    """The drawings that say they are in the public domain and say what they show, by path."""
    files = packages.debian_files(packages.fetch(packages.OPENCLIPART, folder), ".svg")
    return read(sorted((name.partition("/svg/")[2].removesuffix(".svg"), svg) for name, svg in files))


def read(files: Iterable[tuple[str, bytes]]) -> list[Clip]:
    """The clips of (path, SVG) pairs."""
    described = [(path, svg, about) for path, svg in files if (about := _about(svg)) is not None]
    titles = Counter(about.title for _, _, about in described)
    worded = [_words(path, about, of_its_own=titles[about.title] < _COLLECTION) for path, _, about in described]
    shared = Counter(caption for captions, _ in worded for caption in captions)
    found, alike = [], Counter()
    for (path, svg, _), (captions, tags) in zip(described, worded, strict=True):
        captions = captions[:1] + tuple(c for c in captions[1:] if shared[c] <= _SHARED)
        alike[captions] += 1
        if captions and alike[captions] <= _ALIKE:
            text = svg.decode("utf-8", errors="replace")
            found.append(Clip(Drawing(STYLE, path.replace("/", "--"), text), captions, tags))
    return found


@dataclasses.dataclass(frozen=True)
class _About:
    title: str
    keywords: tuple[str, ...]
    authors: tuple[str, ...]


def _about(svg: bytes) -> _About | None:
    """What the metadata say; None without them, or without the dedication to the public domain."""
    try:
        work = next((e for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("}Work")), None)
    except ElementTree.ParseError:
        return None
    if work is None or not any(e.get(f"{_RDF}resource") in _PUBLIC_DOMAIN for e in work if e.tag.endswith("}license")):
        return None
    people = [e for e in work if e.tag in (f"{_DC}creator", f"{_DC}rights", f"{_DC}publisher")]
    return _About(
        title=(work.findtext(f"{_DC}title") or "").strip(),
        keywords=tuple(text for e in work.iter(f"{_RDF}li") if (text := (e.text or "").strip())),
        authors=tuple(word.lower() for e in people for text in e.itertext() for word in re.findall(r"\w+", text)),
    )


def _words(path: str, about: _About, *, of_its_own: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Captions and tags of one drawing."""
    of_file = _plain(PurePosixPath(path).name, about.authors)
    title = _plain(about.title.rpartition(" - ")[2] if of_its_own else of_file, about.authors) or of_file
    folders = [_plain(part, ()) for part in PurePosixPath(path).parent.parts]
    raw = [*(_plain(keyword, about.authors) for keyword in about.keywords), *folders]
    tags = tuple(dict.fromkeys(tag for tag in raw if tag and tag not in (title, *_EMPTY)))
    if not title:
        return (), tags
    captions = [title]
    if tags:
        captions += [", ".join((title, *tags[:3])), ", ".join(tags[:4])] if len(tags) > 1 else [f"{title}, {tags[0]}"]
    return tuple(dict.fromkeys(captions)), tags


def _plain(text: str, authors: tuple[str, ...]) -> str:
    """Words of letters without their maker's name, which files hold cut short ("bunny_gerald_g._01" by Gerald G.)."""
    words = re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)?", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text))
    kept = [w.lower() for w in words if not any(author.startswith(w.lower()) for author in authors)]
    return " ".join(kept) if any(len(word) > 2 for word in kept) else ""
