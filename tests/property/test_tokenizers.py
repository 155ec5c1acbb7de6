"""What holds for every text."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit.config import TokenizerConfig
from lit.tokenizers import load_tokenizer
from lit.tokenizers.words import aligned, plain

DATA = Path(__file__).parents[1] / "golden" / "data" / "tokens"
BERT = load_tokenizer(TokenizerConfig(kind="wordpiece"), DATA / "bert_vocab.txt")
MINILM = load_tokenizer(TokenizerConfig(kind="wordpiece", context_length=12, sep=True), DATA / "bert_vocab.txt")
#: Cuts nothing off.
LONG = load_tokenizer(TokenizerConfig(kind="wordpiece", context_length=4000), DATA / "bert_vocab.txt")
BOTCHAN = load_tokenizer(TokenizerConfig(kind="sentencepiece"), DATA / "botchan_en_unigram_1000.model")

#: All of Unicode, half surrogate pairs included, mixed with what tokenizers care about.
texts = st.text(
    st.one_of(st.characters(), st.characters(categories=["Cs"]), st.sampled_from(" \t\n.,-[]#aABéß中\u200b\u0301"))
)
every = pytest.mark.parametrize("tokenizer", [BERT, MINILM, BOTCHAN], ids=["bert", "minilm", "botchan"])


@every
@given(st.lists(texts, max_size=5))
def test_never_raises_and_the_shape_is_fixed(tokenizer, batch):
    tokens = tokenizer(batch)
    assert tokens.shape == (len(batch), tokenizer.context_length)
    assert tokens.dtype == np.int32
    assert (tokens >= 0).all()


@every
@given(st.lists(texts, min_size=1, max_size=5))
def test_a_text_does_not_depend_on_its_batch(tokenizer, batch):
    together = tokenizer(batch)
    np.testing.assert_array_equal(together, np.concatenate([tokenizer([text]) for text in batch]))
    np.testing.assert_array_equal(together[::-1], tokenizer(batch[::-1]))


@every
@given(texts)
def test_an_explanation_agrees_with_the_ids(tokenizer, text):
    explained = tokenizer.explain(text)
    assert explained.ids == tuple(tokenizer([text])[0].tolist())
    assert len(explained.pieces) == len(explained.ids)
    assert bool(explained.cut) == bool(explained.cut_text)
    assert str(explained)


@given(texts)
def test_what_was_cut_is_the_end_of_the_text(text):
    explained = BERT.explain(text)
    cleaned = explained.text
    assert cleaned.endswith(explained.cut_text)


@pytest.mark.slow
@given(texts, texts)
def test_nothing_reaches_across_a_space(left, right):
    pieces = [[p for p in LONG.explain(t).pieces[1:] if p != "[PAD]"] for t in (left, right, left + " " + right)]
    assert pieces[0] + pieces[1] == pieces[2]


@given(texts)
def test_plain_text_stays_as_it_is(text):
    assert plain(plain(text)) == plain(text)
    np.testing.assert_array_equal(BERT([text.upper().lower()]), BERT([text.upper()]))


@settings(max_examples=300)
@given(texts)
def test_characters_can_be_cleaned_one_by_one(text):
    parts, origin = aligned(text)
    assert sorted(parts) == sorted(plain(text))
    assert len(origin) == len(parts)
    assert origin == sorted(origin)
