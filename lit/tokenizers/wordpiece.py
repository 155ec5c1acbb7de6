"""WordPiece as BERT's uncased models were trained with, and as tensorflow-text's BertTokenizer does it, in pure Python.

`tokenizers` (Hugging Face) has a WordPiece, but not this one: it lower-cases where tensorflow-text applies
NFKC_Casefold, drops control characters where they separate words here, counts 100 characters where 100 bytes count
here, and gives special-token strings in a text their special meaning.  Ids differ, so it is written out.
"""

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from lit import config as configs
from lit.arrays import TokenIds
from lit.config import TokenizerConfig
from lit.errors import CheckpointError, ConfigError
from lit.tokenizers.protocol import Explanation, checked, checked_texts
from lit.tokenizers.words import aligned, plain, words

#: UTF-8 bytes; a longer word is unknown.  Source: tensorflow_text.BertTokenizer, max_bytes_per_word.
_LONGEST_WORD = 100
#: Chunks that are remembered, and the longest (characters) worth remembering: some tens of MB at most.
_MEMORY, _LONGEST_MEMORY = 200_000, 64


class WordPiece:
    """Texts to ids, for BERT towers: [CLS], the pieces, [SEP] where the configuration asks for it, zeros.

    Args:
      config: of kind "wordpiece".
      vocab: one piece a line; a line's number, from 0, is the piece's id.

    Raises:
      CheckpointError: the vocabulary lacks a special token, or holds a piece twice; it says where.
      ConfigError: the context length leaves no room for text.
    """

    def __init__(self, config: TokenizerConfig, vocab: Sequence[str]) -> None:
        self._ids = _numbered(vocab)
        self.config, self._vocab = config, tuple(vocab)
        self._cls = _special(self._ids, "[CLS]")
        self._tail = (_special(self._ids, "[SEP]"),) if config.sep else ()
        # As tensorflow's lookup tables have it: what is in no row gets the number after the last one.
        self._unknown = self._ids.get("[UNK]", len(vocab))
        if self._ids.get("[PAD]", 0) != 0:
            raise CheckpointError(f"[PAD] has id {self._ids['[PAD]']}; it must come first, because padding is id 0.")
        self._room = config.context_length - 1 - len(self._tail)
        if self._room < 1:
            raise ConfigError(f"context_length is {config.context_length}; special tokens leave no room for text.")
        self._memory: dict[str, list[int]] = {}

    @property
    def context_length(self) -> int:
        """Ids per text."""
        return self.config.context_length

    @property
    def vocab_size(self) -> int:
        """Rows that a table of embeddings needs: one more than the largest id."""
        return max(len(self._vocab), self._unknown + 1)

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over configuration, vocabulary, and the version of Python's Unicode tables."""
        said = [configs.to_dict(self.config), unicodedata.unidata_version, self._vocab]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def __call__(self, texts: Iterable[str]) -> TokenIds:
        """Ids of texts: (texts, context_length) int32; see `Tokenizer`.

        Raises:
          InputError: a lone string, or an item that is not a string; the message says which.
        """
        texts = checked_texts(texts)
        out = np.zeros((len(texts), self.context_length), np.int32)
        for row, text in enumerate(texts):
            ids = [self._cls, *self._first_ids(text), *self._tail]
            out[row, : len(ids)] = ids
        return out

    def explain(self, text: str) -> Explanation:
        """How one text becomes ids, and what was cut off; see `Tokenizer`."""
        text = checked(text)
        cleaned, origin = aligned(text)
        ids, starts, unknown = [], [], []
        for word, at in words(cleaned):
            for number, offset in self._pieces(word):
                ids.append(number)
                starts.append(at + offset)
                if number == self._unknown:
                    unknown.append(word)
        used = [self._cls, *ids[: self._room], *self._tail]
        cut = ids[self._room :]
        padded = used + [0] * (self.context_length - len(used))
        return Explanation(
            text=text,
            ids=tuple(padded),
            pieces=tuple(self._spelt(i) for i in padded),
            used=len(used),
            cut=tuple(self._spelt(i) for i in cut),
            cut_text=text[origin[starts[self._room]] :] if cut else "",
            unknown=tuple(dict.fromkeys(unknown)),
        )

    def _spelt(self, number: int) -> str:
        return self._vocab[number] if number < len(self._vocab) else "[UNK]"

    def _first_ids(self, text: str) -> list[int]:
        """As many ids as there is room for.  Nothing reaches across a space, so spaces cut the work into chunks."""
        ids: list[int] = []
        memory = self._memory
        for chunk in text.split(" "):
            known = memory.get(chunk)
            ids += self._chunk(chunk) if known is None else known
            if len(ids) >= self._room:
                break
        return ids[: self._room]

    def _chunk(self, chunk: str) -> list[int]:
        ids = [number for word, _ in words(plain(chunk)) for number, _ in self._pieces(word)]
        if len(chunk) <= _LONGEST_MEMORY:
            if len(self._memory) >= _MEMORY:
                self._memory.clear()
            self._memory[chunk] = ids
        return ids

    def _pieces(self, word: str) -> list[tuple[int, int]]:
        """(id, offset in the word) of the longest piece that fits, again and again; or one [UNK] for the whole word."""
        if len(word) > _LONGEST_WORD or len(word.encode()) > _LONGEST_WORD:
            return [(self._unknown, 0)]
        pieces, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                number = self._ids.get(prefix + word[start:end])
                if number is not None:
                    break
            else:
                return [(self._unknown, 0)]
            pieces.append((number, start))
            start = end
        return pieces


def _numbered(vocab: Sequence[str]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for i, piece in enumerate(vocab):
        if ids.setdefault(piece, i) != i:
            raise CheckpointError(f"the vocabulary has {piece!r} twice, in lines {ids[piece] + 1} and {i + 1}.")
    return ids


def _special(ids: dict[str, int], token: str) -> int:
    if token not in ids:
        raise CheckpointError(f"the vocabulary ({len(ids)} pieces) has no {token}; is it a WordPiece vocabulary?")
    return ids[token]
