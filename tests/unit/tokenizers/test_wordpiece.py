"""WordPiece: the contract of the ids, explanations, and vocabularies that cannot be used."""

import inspect

import numpy as np
import pytest

from lit.config import TokenizerConfig
from lit.errors import CheckpointError, ConfigError, InputError
from lit.tokenizers import Tokenizer, load_tokenizer
from lit.tokenizers.wordpiece import WordPiece

VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "cat", "dog", "un", "##happy", "##s", ".", "中", "[", "]", "pad"]


def wordpiece(vocab=VOCAB, *, length=8, sep=False):
    config = TokenizerConfig(kind="wordpiece", context_length=length, sep=sep)
    return load_tokenizer(config, "\n".join(vocab).encode())


def ids(text, **kwargs):
    return wordpiece(**kwargs)([text])[0].tolist()


def test_it_is_a_tokenizer():
    tokenizer = wordpiece()
    assert isinstance(tokenizer, Tokenizer)
    assert tokenizer.context_length == 8
    tokens = tokenizer(["a cat", "a"])
    assert (tokens.dtype, tokens.shape) == (np.int32, (2, 8))
    assert tokenizer([]).shape == (0, 8)


def test_cls_first_no_sep_zeros_last():
    assert ids("a cat.") == [2, 4, 5, 10, 0, 0, 0, 0]
    assert ids("") == [2, 0, 0, 0, 0, 0, 0, 0]
    assert ids("a " * 20) == [2] + [4] * 7


def test_sep_on_request_also_when_cut():
    assert ids("a cat", sep=True) == [2, 4, 5, 3, 0, 0, 0, 0]
    assert ids("a " * 20, sep=True) == [2] + [4] * 6 + [3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CATS", [5, 9]),
        ("unhappy", [7, 8]),
        ("ünhäppy", [7, 8]),  # accents are dropped
        ("c\u200bat", [5]),  # invisible characters join
        ("cat\x00dog", [5, 6]),  # control characters separate
        ("cat\u0600dog", [5, 6]),  # so do format characters that show
        ("ｃａｔ", [5]),  # full width
        ("cat中dog", [5, 11, 6]),
        ("[PAD]", [12, 14, 13]),  # no special token, just its spelling
        ("catx", [1]),  # one piece is missing: the whole word is unknown
        ("cat\u3000dog", [5, 6]),
        ("cat\u2028dog", [1]),  # a line separator is no white space here
        ("a\tcat\r\ndog", [4, 5, 6]),
    ],
)
def test_words(text, expected):
    assert ids(text)[1 : 1 + len(expected)] == expected
    assert not any(ids(text)[1 + len(expected) :])


@pytest.mark.parametrize(("length", "known"), [(100, True), (101, False)])
def test_words_of_more_than_100_bytes_are_unknown(length, known):
    vocab = [*VOCAB, "x" * length, "é" * 50]
    assert ids("x" * length, vocab=vocab)[1] == (len(VOCAB) if known else 1)


def test_bytes_count_not_characters():
    vocab = [*VOCAB, "ж", "##ж"]
    assert ids("ж" * 50, vocab=vocab, length=60)[1:51] == [15] + [16] * 49
    assert ids("ж" * 51, vocab=vocab, length=60)[1:3] == [1, 0]


def test_without_unk_the_unknown_is_the_number_after_the_last():
    vocab = [v for v in VOCAB if v != "[UNK]"]
    assert ids("zzz", vocab=vocab)[1] == len(vocab)
    assert wordpiece(vocab).explain("zzz").unknown == ("zzz",)


def test_explain_shows_pieces_ids_and_what_was_cut():
    tokenizer = wordpiece(length=5)
    text = "A cat, UnHäppy Dogs."
    explained = tokenizer.explain(text)
    assert explained.ids == tuple(tokenizer([text])[0].tolist())
    assert explained.pieces == ("[CLS]", "a", "cat", "[UNK]", "un")
    assert explained.used == 5
    assert explained.cut == ("##happy", "dog", "##s", ".")
    assert explained.cut_text == "Häppy Dogs."
    assert explained.unknown == (",",)
    assert str(explained) == (
        "[CLS]  a  cat  [UNK]  un\n"
        "2      4  5    1      7\n"
        "\n"
        "5 of 5 ids used.\n"
        "Cut off: 'Häppy Dogs.' (4 pieces). The model does not see it.\n"
        "Not in the vocabulary: ','."
    )


def test_explain_a_text_that_fits():
    explained = wordpiece(sep=True).explain("a cat")
    assert explained.pieces == ("[CLS]", "a", "cat", "[SEP]", "[PAD]", "[PAD]", "[PAD]", "[PAD]")
    assert (explained.cut, explained.cut_text, explained.unknown) == ((), "", ())
    assert str(explained).endswith("4 of 8 ids used, 4 padding.")


def test_a_long_explanation_is_folded():
    lines = str(wordpiece(length=64).explain("unhappy cats " * 12)).splitlines()
    assert max(map(len, lines)) <= 100
    assert sum(line.startswith(("[CLS]", "un", "cat", "##")) for line in lines) > 1


def test_half_a_surrogate_pair_is_the_replacement_character():
    tokenizer = wordpiece([*VOCAB, "\ufffd"])
    assert tokenizer(["a \ud800"])[0, 2] == len(VOCAB)
    assert tokenizer.explain("\udfff").pieces[1] == "\ufffd"


@pytest.mark.parametrize("text", ["a cat " * 1667, "x" * 10_000, "中" * 10_000, "." * 10_000])
def test_a_text_of_10000_characters(text):
    tokenizer = wordpiece()
    explained = tokenizer.explain(text)
    assert explained.ids == tuple(tokenizer([text])[0].tolist())
    assert len(explained.ids) == 8


def test_the_memory_of_words_is_bounded(monkeypatch):
    monkeypatch.setattr("lit.tokenizers.wordpiece._MEMORY", 10)
    tokenizer = wordpiece()
    first = tokenizer([f"a cat{i}" for i in range(100)])
    assert len(tokenizer._memory) <= 10
    np.testing.assert_array_equal(tokenizer([f"a cat{i}" for i in range(100)]), first)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ("a cat", r"a list of texts and got a lone str; write \['a cat'\]"),
        (b"a cat", "a list of texts and got a lone bytes"),
        (None, "a list of texts and got NoneType"),
        (["a", 3], "text 1 is 3, a int; it must be a string"),
        (["a", "b", b"c"], "text 2 is b'c', a bytes"),
        ([None], "text 0 is None, a NoneType"),
        ([["a"]], "text 0 is \\['a'\\], a list"),
    ],
)
def test_wrong_use(texts, says):
    with pytest.raises(InputError, match=says):
        inspect.unwrap(WordPiece.__call__)(wordpiece(), texts)  # the type checks of the tests would be first


def test_explain_takes_one_string():
    with pytest.raises(InputError, match="the text is \\['a cat'\\], a list; it must be a string"):
        inspect.unwrap(WordPiece.explain)(wordpiece(), ["a cat"])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the vocabulary is empty"),
        (b"\n", "the vocabulary is empty"),
        (b"[PAD]\n[CLS]\na\nb\na\n", "has 'a' twice, in lines 3 and 5"),
        (b"[PAD]\n[CLS]\n\nb\n", "line 3 of the vocabulary is empty"),
        (b"[PAD]\na\nb\n", r"has no \[CLS\]"),
        (b"[UNK]\n[PAD]\n[CLS]\n", r"\[PAD\] has id 1; it must come first"),
        (b"[PAD]\n[CLS]\n\xff\xfe\x00", "byte 12 of 15 is not UTF-8"),
        (b"PK\x03\x04", r"has no \[CLS\]"),
    ],
)
def test_vocabularies_that_cannot_be_used(content, says, tmp_path):
    config = TokenizerConfig(kind="wordpiece")
    with pytest.raises(CheckpointError, match=says):
        load_tokenizer(config, content)
    (tmp_path / "vocab.txt").write_bytes(content)
    with pytest.raises(CheckpointError, match="vocab.txt: .*" + says):
        load_tokenizer(config, tmp_path / "vocab.txt")


def test_sep_must_be_in_the_vocabulary():
    vocab = [v for v in VOCAB if v != "[SEP]"]
    assert wordpiece(vocab)(["a"]).any()
    with pytest.raises(CheckpointError, match=r"has no \[SEP\]"):
        wordpiece(vocab, sep=True)


@pytest.mark.parametrize(("length", "sep"), [(1, False), (2, True)])
def test_there_must_be_room_for_text(length, sep):
    with pytest.raises(ConfigError, match="no room for text"):
        wordpiece(length=length, sep=sep)


def test_windows_line_ends_and_a_byte_order_mark():
    content = b"\xef\xbb\xbf" + "\r\n".join(VOCAB).encode() + b"\r\n"
    tokenizer = load_tokenizer(TokenizerConfig(kind="wordpiece"), content)
    np.testing.assert_array_equal(tokenizer(["a cat"]), wordpiece(length=16)(["a cat"]))
    assert tokenizer.fingerprint == wordpiece(length=16).fingerprint


def test_the_fingerprint_tells_tokenizers_apart():
    prints = {
        wordpiece().fingerprint,
        wordpiece(length=9).fingerprint,
        wordpiece(sep=True).fingerprint,
        wordpiece(VOCAB[:-1]).fingerprint,
        wordpiece([*VOCAB[:-2], VOCAB[-1], VOCAB[-2]]).fingerprint,
    }
    assert len(prints) == 5
    assert wordpiece().fingerprint in prints
    assert {len(p) for p in prints} == {64}
