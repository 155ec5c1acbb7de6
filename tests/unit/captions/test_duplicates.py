"""Duplicates and the false negatives that they make."""

import itertools

import numpy as np
import pytest

from lit.captions import CachedPairs, Corpus, duplicates
from lit.datasets import Example


def pairs(texts, contents):
    n = len(texts)
    digests = np.array([[content] * 32 for content in contents], np.uint8)
    zimg = np.zeros((n, 2), np.float32)
    return CachedPairs(name="p", key="", ids=tuple(map(str, range(n))), texts=texts, vectors=zimg, digests=digests)


TEXTS = (("a cat", "A cat!", "two"), ("a cat",), ("two", "dog"), ("car",), ("x", "x"))


@pytest.mark.parametrize("canonicalize", [True, False])
def test_expected_false_negatives_are_those_counted_over_all_batches(canonicalize):
    """Every batch of three of the five, every choice of captions, each as likely as the others."""
    from lit.prompts import canonicalize as canonical

    contents = (0, 1, 0, 0, 2)
    false_texts, false_images, batches = 0.0, 0, 0
    for rows in itertools.combinations(range(5), 3):
        batches += 1
        false_images += sum(contents[i] == contents[j] for i, j in itertools.permutations(rows, 2))
        choices = list(itertools.product(*(TEXTS[row] for row in rows)))
        for chosen in choices:
            same = [canonical(text) if canonicalize else text for text in chosen]
            false_texts += sum(a == b for a, b in itertools.permutations(same, 2)) / len(choices)
    found = duplicates(pairs(TEXTS, contents), 3, canonicalize=canonicalize)
    assert found.false_texts == pytest.approx(false_texts / batches)
    assert found.false_images == pytest.approx(false_images / batches)
    assert found.images == 2
    assert found.texts == (4 if canonicalize else 3)


def test_nothing_twice():
    found = duplicates(pairs((("a",), ("b",)), (0, 1)), 2)
    assert (found.texts, found.images, found.false_texts, found.false_images) == (0, 0, 0, 0)
    assert duplicates(pairs((("a",),), (0,)), 1).false_texts == 0


class Listed:
    name, split, label_names, fingerprint, content_key, description = "d", "all", None, "f", "k", {}

    def __len__(self):
        return 2

    def examples(self, shard=0, shards=1):
        yield Example("0", b"", (), ("a",))
        yield Example("1", b"", (), ("a",))


def test_of_a_corpus_pictures_are_not_compared():
    found = duplicates(Corpus(Listed()), 2)
    assert (found.texts, found.images, found.false_texts, found.false_images) == (1, None, 2, None)
