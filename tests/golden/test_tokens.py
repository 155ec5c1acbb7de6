"""Ids equal those of the original code: no tolerance, ids are whole numbers."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from lit.config import TokenizerConfig
from lit.prompts import PromptSet, load_classes
from lit.tokenizers import load_tokenizer

DATA = Path(__file__).parent / "data" / "tokens"
TEXTS = json.loads((DATA / "texts.json").read_text())
VOCABS = {"bert": ("wordpiece", "bert_vocab.txt"), "botchan": ("sentencepiece", "botchan_en_unigram_1000.model")}


@pytest.mark.parametrize("length", [16, 64])
@pytest.mark.parametrize("name", VOCABS)
def test_every_text(name, length):
    kind, vocab = VOCABS[name]
    tokenizer = load_tokenizer(TokenizerConfig(kind=kind, context_length=length), DATA / vocab)
    expected = np.load(DATA / "tokens.npz")[f"{name}_{length}"]
    np.testing.assert_array_equal(tokenizer(TEXTS), expected)
    for text, row in zip(TEXTS, expected, strict=True):
        assert tokenizer.explain(text).ids == tuple(row.tolist())


def test_the_end_that_the_original_pads_with():
    tokenizer = load_tokenizer(TokenizerConfig(kind="sentencepiece"), DATA / VOCABS["botchan"][1])
    assert tokenizer([""])[0, 0] == np.load(DATA / "tokens.npz")["botchan_eos"]


@pytest.mark.parametrize("name", VOCABS)
def test_80000_short_prompts_in_seconds(name):
    kind, vocab = VOCABS[name]
    tokenizer = load_tokenizer(TokenizerConfig(kind=kind), DATA / vocab)
    prompts = PromptSet.load("clip-paper")
    texts = [text for class_name in load_classes("imagenet") for text in prompts.format(class_name)]
    started = time.process_time()  # work, whatever else the machine does
    tokens = tokenizer(texts)
    # 0.3 s and 0.7 s on the two-core machine; ten times as much would be a fault.
    assert time.process_time() - started < 7
    assert tokens.shape == (80_000, 16)
