"""Captions and pictures that occur more than once: in a batch they are taught to be strangers, and are not."""

import dataclasses
from collections import Counter, defaultdict

import numpy as np

from lit.captions.corpus import Corpus
from lit.captions.pairs import CachedPairs
from lit.prompts import canonicalize as canonical


@dataclasses.dataclass(frozen=True)
class Duplicates:
    """Exact duplicates in a corpus.

    A false negative is a text in the batch that is right for an image, is not its own, and is counted as wrong: the
    other pair has the same caption, or the same picture.

    Attributes:
      texts: captions that another image, or the same one, has too: all but the first of each.
      images: pictures likewise; None where they were not read.
      false_texts, false_images: false negatives that a batch has on average, of each kind; a batch of B pairs has
        B (B - 1) negatives.
    """

    texts: int
    images: int | None
    false_texts: float
    false_images: float | None


def duplicates(pairs: CachedPairs | Corpus, batch_size: int, *, canonicalize: bool = True) -> Duplicates:
    """Counts them.

    Args:
      pairs: of a corpus, the pictures are not read, and so not compared.
      batch_size: pairs of all processes together.
      canonicalize: captions are the same where `lit.prompts.canonicalize` makes them so.
    """
    weights: defaultdict[str, list[float]] = defaultdict(list)
    for captions in pairs.texts:
        texts = [canonical(text) for text in captions] if canonicalize else captions
        # Millions of Counters take their time, and many a picture has one caption.
        same = Counter(texts) if len(texts) > 1 else dict.fromkeys(texts, 1)
        for text, count in same.items():
            weights[text].append(count / len(captions))
    captions = sum(map(len, pairs.texts))
    n = len(pairs)
    # Two images are both in a batch, one before the other, with this probability.
    meet = batch_size * (batch_size - 1) / (n * (n - 1)) if n > 1 else 0.0
    false_texts = meet * sum(sum(w) ** 2 - sum(v * v for v in w) for w in weights.values() if len(w) > 1)
    if not isinstance(pairs, CachedPairs):
        return Duplicates(captions - len(weights), None, false_texts, None)
    counts = np.array(list(Counter(map(bytes, pairs.digests)).values()))  # many times faster than np.unique of rows
    return Duplicates(
        captions - len(weights), int((counts - 1).sum()), false_texts, meet * float((counts * (counts - 1)).sum())
    )
