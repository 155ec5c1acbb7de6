"""SentencePiece: sticky EOS, explanations, and models that cannot be used."""

import inspect
from pathlib import Path

import numpy as np
import pytest

from lit.config import TokenizerConfig
from lit.errors import CheckpointError, CheckpointNotFoundError, InputError
from lit.tokenizers import Tokenizer, load_tokenizer
from lit.tokenizers.sentencepiece import SentencePiece

MODEL = Path(__file__).parents[2] / "golden" / "data" / "tokens" / "botchan_en_unigram_1000.model"
EOS = 2


def sentencepiece(vocab=MODEL, *, length=8):
    return load_tokenizer(TokenizerConfig(kind="sentencepiece", context_length=length), vocab)


def test_the_end_is_sticky():
    tokenizer = sentencepiece()
    assert isinstance(tokenizer, Tokenizer)
    tokens = tokenizer(["", "the", "the " * 20])
    assert (tokens.dtype, tokens.shape) == (np.int32, (3, 8))
    assert tokens[0].tolist() == [EOS] * 8
    assert tokens[1, 1:].tolist() == [EOS] * 7
    assert tokens[2, -1] == EOS
    assert EOS not in tokens[2, :-1]
    assert tokenizer([]).shape == (0, 8)


def test_explain():
    tokenizer = sentencepiece(length=6)
    text = "I went to the school\u20ac."
    explained = tokenizer.explain(text)
    assert explained.ids == tuple(tokenizer([text])[0].tolist())
    assert explained.pieces[0] == "▁I"
    assert explained.pieces[-1] == "</s>"
    assert explained.used == 6
    assert explained.cut[-1] == "."
    assert explained.cut_text.endswith("\u20ac.")
    assert explained.unknown == ("\u20ac",)
    kept = "".join(explained.pieces[:-1]).replace("▁", "")
    assert kept + explained.cut_text.replace(" ", "") == text.replace(" ", "")


def test_explain_a_text_that_fits():
    explained = sentencepiece().explain("the")
    assert explained.pieces == ("▁the", *["</s>"] * 7)
    assert (explained.used, explained.cut, explained.cut_text) == (2, (), "")


def test_odd_texts():
    tokenizer = sentencepiece()
    for text in ("\0", "a\0b", "\ud800", "x" * 10_000, "中" * 10_000, "the school " * 1000):
        assert tokenizer.explain(text).ids == tuple(tokenizer([text])[0].tolist())
    np.testing.assert_array_equal(tokenizer(["\ud800"]), tokenizer(["\ufffd"]))


@pytest.mark.parametrize(("texts", "says"), [("the", "a lone str"), (["the", 3], "text 1 is 3, a int"), (7, "got int")])
def test_wrong_use(texts, says):
    with pytest.raises(InputError, match=says):
        inspect.unwrap(SentencePiece.__call__)(sentencepiece(), texts)  # the type checks of the tests would be first


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda model: b"", "is empty"),
        (lambda model: model[:-1], "no whole SentencePiece model"),
        (lambda model: model[: len(model) // 2], "no whole SentencePiece model"),
        (lambda model: b"[PAD]\n[CLS]\n" * 50, "no whole SentencePiece model"),
        (lambda model: model.replace(b"</s>", b"<ZZ>"), "has no </s> among its 1000 pieces"),
    ],
)
def test_models_that_cannot_be_used(damage, says, tmp_path):
    content = damage(MODEL.read_bytes())
    with pytest.raises(CheckpointError, match=says):
        sentencepiece(content)
    (tmp_path / "my.model").write_bytes(content)
    with pytest.raises(CheckpointError, match="my.model: .*" + says):
        sentencepiece(tmp_path / "my.model")


def test_a_wordpiece_config_with_a_sentencepiece_model_and_the_reverse(tmp_path):
    with pytest.raises(CheckpointError, match="Is this a SentencePiece model"):
        load_tokenizer(TokenizerConfig(kind="wordpiece"), MODEL)
    with pytest.raises(CheckpointError, match="another kind of vocabulary"):
        sentencepiece(MODEL.parent / "bert_vocab.txt")


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(CheckpointNotFoundError, match="no vocabulary .*nowhere"):
        sentencepiece(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="cannot be read"):
        sentencepiece(tmp_path)


def test_the_fingerprint_tells_tokenizers_apart():
    assert sentencepiece().fingerprint == sentencepiece(MODEL.read_bytes()).fingerprint
    assert sentencepiece().fingerprint != sentencepiece(length=9).fingerprint
