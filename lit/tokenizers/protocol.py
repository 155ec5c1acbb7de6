"""What every tokenizer offers, and what it accepts."""

import dataclasses
import re
from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

from lit.arrays import TokenIds
from lit.errors import InputError

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explanation:
    """How one text becomes ids.

    Attributes:
      text: what was explained.
      ids: what the model gets: `context_length` of them, special tokens and padding included.
      pieces: one for each id.
      used: how many ids stand for something; the rest is padding.
      cut: the pieces that did not fit, in order.
      cut_text: the text that these came from; for SentencePiece in its normalised spelling.  Empty if all fitted.
      unknown: the words (SentencePiece: the characters) that the vocabulary has no piece for, cut-off ones included.
    """

    text: str
    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    used: int
    cut: tuple[str, ...] = ()
    cut_text: str = ""
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        """A table of pieces over ids, and below what the model does not see."""
        shown = list(zip(self.pieces, map(str, self.ids), strict=True))[: self.used]
        shown = [(_printable(piece), number) for piece, number in shown]
        rows = [""] * 2
        lines = []
        for piece, number in shown:
            width = max(len(piece), len(number))
            if rows[0] and len(rows[0]) + width > _LINE:
                lines += [*rows, ""]
                rows = [""] * 2
            rows = [row + cell.ljust(width) + "  " for row, cell in zip(rows, (piece, number), strict=True)]
        lines += rows
        padding = len(self.ids) - self.used
        lines += ["", f"{self.used} of {len(self.ids)} ids used" + (f", {padding} padding" if padding else "") + "."]
        if self.cut:
            lines.append(f"Cut off: {self.cut_text!r} ({len(self.cut)} pieces). The model does not see it.")
        if self.unknown:
            lines.append(f"Not in the vocabulary: {', '.join(map(repr, self.unknown))}.")
        return "\n".join(line.rstrip() for line in lines)


#: Columns of a printed explanation.
_LINE = 100


@runtime_checkable
class Tokenizer(Protocol):
    """Texts to ids.  Configured once, and then there is nothing to choose and nothing to forget."""

    @property
    def context_length(self) -> int:
        """Ids per text."""
        ...

    @property
    def vocab_size(self) -> int:
        """Rows that a table of embeddings needs: one more than the largest id."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over everything that determines the ids."""
        ...

    def __call__(self, texts: Iterable[str]) -> TokenIds:
        """Ids of texts.

        Args:
          texts: a list of strings, or any other iterable; not a lone string.

        Returns:
          (texts, context_length) int32: cut, or padded, to this length.

        Raises:
          InputError: a lone string, or an item that is not a string; the message says which.
        """
        ...

    def explain(self, text: str) -> Explanation:
        """How one text becomes ids, and what was cut off.

        Raises:
          InputError: this is not a string.
        """
        ...


def checked_texts(texts: Any) -> list[str]:
    """The texts as a list, each `checked`; or InputError, which names the first item that is none."""
    if isinstance(texts, str | bytes):
        raise InputError(
            f"a tokenizer takes a list of texts and got a lone {type(texts).__name__}; write [{texts!r:.60}]."
        )
    if not isinstance(texts, Iterable):
        raise InputError(f"a tokenizer takes a list of texts and got {type(texts).__name__}.")
    return [checked(text, f"text {i}") for i, text in enumerate(texts)]


def checked(text: Any, what: str = "the text") -> str:
    """The text; half a surrogate pair, which no encoding knows, becomes U+FFFD, as in TensorFlow."""
    if not isinstance(text, str):
        raise InputError(f"{what} is {text!r:.60}, a {type(text).__name__}; it must be a string.")
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _printable(piece: str) -> str:
    return piece if piece.isprintable() else repr(piece)[1:-1]
