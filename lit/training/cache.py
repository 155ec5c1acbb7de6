"""The locked image tower's part of a training, done once: every picture of a corpus as an embedding."""

from lit.captions import CachedPairs, Corpus
from lit.model import Model


def embed_corpus(
    model: Model,
    corpus: Corpus,
    *,
    batch_size: int | None = None,
    skip_bad: bool = True,
    keep: bool = True,
    progress: bool = False,
) -> CachedPairs:
    """Embeds the pictures of a corpus, or takes them from the store, where they are kept.

    Raises:
      ImageError: a picture cannot be used, and `skip_bad` is False.
      DatasetError: no picture with a caption is left.
    """
    raise NotImplementedError
