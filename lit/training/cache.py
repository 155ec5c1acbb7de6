"""The locked image tower's part of a training, done once: every picture of a corpus as an embedding."""

import time

from lit.captions import CachedPairs, Corpus, LeftOut
from lit.captions.corpus import stripped
from lit.captions.left_out import counted
from lit.captions.pairs import key_of
from lit.evaluation import meeting
from lit.evaluation.embedding import EmbeddedDataset, embed_dataset
from lit.image_embedder import ImageEmbedder

UNUSABLE = "the picture cannot be used"


def embed_corpus(
    side: ImageEmbedder,
    corpus: Corpus,
    *,
    batch_size: int | None = None,
    skip_bad: bool = True,
    keep: bool = True,
    progress: bool = False,
) -> CachedPairs:
    """Embeds the pictures of a corpus in one pass, or takes them from the store, where they are kept.

    Where a run was cut off, the next one computes only what is missing.  Of several processes each embeds its share
    into the store, and then reads the others'; so they should share a cache folder (`LIT_CACHE`), or each computes all.

    Args:
      side: the image side, as far as it is locked (`Prepared.locked_image_side`), or a whole model.
      corpus: any, also one that can be read in order only.
      batch_size: images per batch; see `lit.evaluation.embedding.embed_dataset`.
      skip_bad: leave out pictures that cannot be used, and count them; else the first one is an error.
      keep: take embeddings from the store, and keep them there; then a training that goes on reads no picture.
      progress: show it on standard error.

    Raises:
      ImageError: a picture cannot be used, and `skip_bad` is False.
      DatasetError: the corpus cannot be read, or no picture with a caption is left.
      OutputError: the disk is full; what was done is kept.
    """
    began = time.perf_counter()
    process, processes = meeting.here()
    computed = 0
    if keep and processes > 1:
        own = embed_dataset(
            side, corpus.dataset, batch_size=batch_size, skip_bad=skip_bad, progress=progress and not process,
            shard=process, shards=processes,
        )  # fmt: skip
        computed = own.timing.computed
        meeting.exchange("the pictures of the corpus are embedded")
    embedded = embed_dataset(
        side, corpus.dataset, keep=keep, batch_size=batch_size, skip_bad=skip_bad, progress=progress and not process
    )
    good, left_out = corpus.sorted_out(embedded.ids, embedded.texts)
    texts = tuple(stripped(embedded.texts[row]) for row in good)
    everything = len(good) == len(embedded.ids)
    digests = embedded.digests if everything else embedded.digests[good]
    return CachedPairs(
        name=corpus.name,
        # Not the embeddings, whose last bits another machine or release may move.
        key=key_of(texts, side.image_weights_digest.encode(), repr(side.config.preprocess).encode(), digests.tobytes()),
        ids=tuple(embedded.ids[row] for row in good),
        texts=texts,
        vectors=embedded.zimg if everything else embedded.zimg[good],
        kind=side.kind,
        digests=digests,
        left_out=left_out + _unusable(embedded),
        computed=computed + embedded.timing.computed,
        reused=max(embedded.timing.reused - computed, 0),
        seconds=time.perf_counter() - began,
    )


def _unusable(embedded: EmbeddedDataset) -> LeftOut:
    return counted((UNUSABLE, f"{excluded.id}: {excluded.reason}") for excluded in embedded.excluded)
