"""The drawings of the emoji: several independent hands, each drawing joined to what it means."""

import dataclasses
import json
import re
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "embedded"))
import packages
from assets import Package, member
from concepts import Concept, slug


@dataclasses.dataclass(frozen=True)
class Drawing:
    """One picture before it is rendered.

    Attributes:
      style: by whose hand.
      name: of its file, unique in the style.
      source: an SVG document, or the bytes of a raster picture.
      concept: the id of what it means; empty for clip art.
    """

    style: str
    name: str
    source: str | bytes
    concept: str = ""


@dataclasses.dataclass(frozen=True)
class Style:
    """One hand.

    Attributes:
      name, package: what it is called here, and where it lies.
      author, homepage: for the attribution that CC-BY asks for.
      held_out: its pictures are for testing alone.
    """

    name: str
    package: Package
    author: str
    homepage: str
    held_out: bool = False


#: Noto 1 and Noto are two generations of one design and stand on the same side of the split, as the two Fluents do.
STYLES = (
    Style("noto", packages.NOTO, "Google", "https://github.com/googlefonts/noto-emoji"),
    Style("noto-v1", packages.NOTO_OLD, "Google", "https://github.com/googlefonts/noto-emoji"),
    Style("twemoji", packages.TWEMOJI, "Twitter and contributors", "https://github.com/jdecked/twemoji"),
    Style("emojione", packages.EMOJIONE, "Emoji One, EmojiTwo", "https://github.com/EmojiTwo/emojitwo"),
    Style("fxemoji", packages.FXEMOJI, "Mozilla", "https://github.com/mozilla/fxemoji"),
    Style("streamline", packages.STREAMLINE, "Streamline", "https://github.com/webalys-hq/streamline-vectors"),
    Style("fluent-flat", packages.FLUENT_FLAT, "Microsoft", "https://github.com/microsoft/fluentui-emoji", True),
    Style("fluent-3d", packages.FLUENT_3D, "Microsoft", "https://github.com/microsoft/fluentui-emoji", True),
)


def drawings(style: Style, known: Sequence[Concept], folder: Path) -> Iterator[Drawing]:
    """The drawings of a style that mean one of the concepts, in the order of their names."""
    archive = packages.fetch(style.package, folder)
    if style.package is packages.FLUENT_3D:
        yield from _raster(style.name, archive, known)
        return
    icons = json.loads(member(archive, "package/icons.json"))
    chars = json.loads(member(archive, "package/chars.json"))
    yield from iconify(style.name, icons, chars, known)


def iconify(
    style: str, icons: Mapping[str, Any], chars: Mapping[str, str], known: Sequence[Concept]
) -> Iterator[Drawing]:
    """The icons of a set in Iconify's format whose code points, else whose name, are those of one concept.

    Source: iconify.design/docs/types/iconify-json.html: bodies of SVGs, and the size that all share by default.
    """
    ids = {concept.id for concept in known}
    by_code = {icon: key for points, icon in chars.items() if (key := _without_selector(points)) in ids}
    meanings = {} if chars else _unambiguous(known)  # a set that tells code points is taken at its word
    for name in sorted(icons["icons"]):
        plain = re.sub(r"-\d+$", "", name.replace("flag-for-", "flag-"))  # "bird-2" is a second bird
        concept = by_code.get(name) or meanings.get(name) or meanings.get(plain) or meanings.get(plain.replace("-", ""))
        if concept:
            yield Drawing(style, name, _svg(icons["icons"][name], icons), concept)


def _without_selector(points: str) -> str:
    return "-".join(point for point in points.split("-") if point != "fe0f")


def _unambiguous(known: Sequence[Concept]) -> dict[str, str]:
    """Slug, or slug written as one word, -> concept: Unicode's names first, then what else names one concept alone."""
    owners: dict[str, set[str]] = {}
    for concept in known:
        for name in concept.slugs:
            owners.setdefault(name, set()).add(concept.id)
            owners.setdefault(name.replace("-", ""), set()).add(concept.id)
    further = {name: min(owner) for name, owner in owners.items() if len(owner) == 1}
    return further | {slug(concept.name): concept.id for concept in known}


def _svg(icon: Mapping[str, Any], icons: Mapping[str, Any]) -> str:
    default = {"left": 0, "top": 0, "width": 16, "height": 16} | icons
    left, top, width, height = (icon.get(key, default[key]) for key in ("left", "top", "width", "height"))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width}" height="{height}" viewBox="{left} {top} {width} {height}">{icon["body"]}</svg>'
    )


def _raster(style: str, archive: Path, known: Sequence[Concept]) -> Iterator[Drawing]:
    """Fluent has no flags of countries; those in the package are by other hands, perhaps by one that is trained on."""
    ids = {concept.id for concept in known if concept.group != "flags"}
    with tarfile.open(archive) as tar:
        for entry in sorted(tar.getmembers(), key=lambda entry: entry.name):
            name = Path(entry.name).stem
            if entry.name.endswith(".webp") and _without_selector(name) in ids:
                file = tar.extractfile(entry)
                assert file is not None
                yield Drawing(style, name, file.read(), _without_selector(name))
