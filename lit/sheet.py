"""The contact sheet: pictures on one page, each with its best classes and bars for their probabilities."""

import dataclasses
import functools
import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

#: Suffixes that a sheet can be saved under.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
#: A page beyond this many pictures is no longer looked at, and its file no longer opened.
MOST = 60

_CARD_W, _PICTURE_H, _GAP, _PAD = 440, 330, 28, 22
_ROW_H, _CAPTION_H, _FOOTER_H = 46, 40, 56
_PAGE, _CARD, _EMPTY = "#eceef1", "#ffffff", "#f6f7f9"
_INK, _FAINT, _TRACK, _BEST, _OTHER = "#1b2430", "#7a8594", "#e6e9ee", "#2f6fde", "#a9c3ef"
#: For scripts that Pillow's own typeface lacks, the first of these that the machine has.
_WIDE_FONTS = (
    "NotoSansCJK-Regular.ttc", "NotoSans-Regular.ttf", "Arial Unicode.ttf", "DejaVuSans.ttf", "arial.ttf",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Tile:
    """One picture of a sheet.

    Attributes:
      picture: any size, RGB.
      caption: below it; its file name, say.
      labels: (class name, probability in [0, 1]), best first.
    """

    picture: Image.Image
    caption: str
    labels: tuple[tuple[str, float], ...]


def contact_sheet(tiles: Sequence[Tile], *, footer: str = "", columns: int | None = None) -> Image.Image:
    """Lays out a page.

    Args:
      tiles: at least one, at most `MOST` are looked at.
      footer: one line at the bottom: which model and prompts, say.
      columns: None makes the page a little wider than high.

    Returns:
      RGB; its size follows from the number of tiles and of their labels.
    """
    tiles = tiles[:MOST]
    rows_of_labels = max(len(tile.labels) for tile in tiles)
    card_h = _PICTURE_H + _CAPTION_H + rows_of_labels * _ROW_H + _PAD
    columns = columns or _columns(len(tiles), math.sqrt(1.5 * len(tiles) * card_h / _CARD_W))
    rows = math.ceil(len(tiles) / columns)
    size = (columns * (_CARD_W + _GAP) + _GAP, rows * (card_h + _GAP) + _GAP + (_FOOTER_H if footer else 0))
    page = Image.new("RGB", size, _PAGE)
    for i, tile in enumerate(tiles):
        row, column = divmod(i, columns)
        at = (_GAP + column * (_CARD_W + _GAP), _GAP + row * (card_h + _GAP))
        page.paste(_card(tile, card_h), at, _rounded((_CARD_W, card_h), 18))
    if footer:
        line = _fitted(footer, 19, size[0] - 2 * _GAP)
        ImageDraw.Draw(page).text((_GAP, size[1] - _FOOTER_H + 4), line, _FAINT, _font(19, line))
    return page


def _columns(tiles: int, ideal: float) -> int:
    """About `ideal`, rather with a full last row."""

    def flaw(columns: int) -> float:
        return -tiles % columns / tiles + abs(columns - ideal) / ideal

    return min(range(1, min(tiles, math.ceil(ideal) + 1) + 1), key=flaw)


def _card(tile: Tile, height: int) -> Image.Image:
    card = Image.new("RGB", (_CARD_W, height), _CARD)
    card.paste(_EMPTY, (0, 0, _CARD_W, _PICTURE_H))
    picture = tile.picture.convert("RGB")
    scale = min(_CARD_W / picture.width, _PICTURE_H / picture.height)
    fitted = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.resize(fitted, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC)
    card.paste(picture, ((_CARD_W - picture.width) // 2, (_PICTURE_H - picture.height) // 2))
    draw = ImageDraw.Draw(card)
    caption = _fitted(tile.caption, 17, _CARD_W - 2 * _PAD, keep_end=True)
    draw.text((_PAD, _PICTURE_H + 12), caption, _FAINT, _font(17, caption))
    for i, (name, probability) in enumerate(tile.labels):
        _label(card, _PICTURE_H + _CAPTION_H + i * _ROW_H, name, probability, best=i == 0)
    return card


def _label(card: Image.Image, top: int, name: str, probability: float, *, best: bool) -> None:
    """A class name on the left, its probability on the right, a bar below both."""
    draw, right, size = ImageDraw.Draw(card), _CARD_W - _PAD, 24 if best else 20
    percent = f"{probability:.1%}".replace("%", " %")
    name = _fitted(name, size, right - _PAD - 100)
    baseline = top + 26
    draw.text((_PAD, baseline), name, _INK if best else "#46505e", _font(size, name), anchor="ls")
    draw.text((right, baseline), percent, _INK if best else _FAINT, _font(19, percent), anchor="rs")
    _bar(card, top + 34, right - _PAD, _TRACK)
    width = round((right - _PAD) * min(max(probability, 0), 1))
    if width:
        _bar(card, top + 34, width, _BEST if best else _OTHER)


def _bar(card: Image.Image, top: int, width: int, colour: str) -> None:
    card.paste(colour, (_PAD, top, _PAD + width, top + 7), _rounded((width, 7), 3))


@functools.lru_cache(maxsize=512)
def _rounded(size: tuple[int, int], radius: int) -> Image.Image:
    """A mask with smooth corners: drawn four times as large, and shrunk."""
    big = Image.new("L", (size[0] * 4, size[1] * 4))
    ImageDraw.Draw(big).rounded_rectangle((0, 0, big.width - 1, big.height - 1), 4 * radius, 255)
    return big.resize(size, Image.Resampling.BOX)


def _fitted(text: str, size: int, width: int, *, keep_end: bool = False) -> str:
    """The text, with an ellipsis where it is too long: at its end, or in its middle, for a file name's end matters."""
    whole = text = " ".join(text.split())
    font = _font(size, whole)
    for kept in range(min(len(whole), width), 0, -1):
        if font.getlength(text) <= width:
            break
        tail = kept // 2 if keep_end else 0
        text = f"{whole[: kept - tail].rstrip()}…{whole[len(whole) - tail :] if tail else ''}"
    return text


def _font(size: int, text: str) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    # Pillow's own typeface has ASCII, and of the rest these two.
    return _load_font(size, all(c.isascii() or c in "…·" for c in text))


@functools.lru_cache(maxsize=32)
def _load_font(size: int, plain: bool) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for name in () if plain else _WIDE_FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
