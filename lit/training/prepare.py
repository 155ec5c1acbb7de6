"""Everything that a training needs before its first step."""

import dataclasses
from typing import Any

import jax

from lit.captions import Batches, CachedPairs, Corpus, open_corpus
from lit.engine import XlaEngine
from lit.errors import ConfigError
from lit.image_embedder import ImageEmbedder
from lit.training.cache import embed_corpus
from lit.training.locking import split
from lit.training.mesh import make_mesh
from lit.training.optimizers import optimizer
from lit.training.recipe import TrainConfig
from lit.training.schedules import schedule
from lit.training.starts import Start, start
from lit.training.step import Learning


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prepared:
    """A training before its first step.

    Attributes:
      start: the model, its tokenizer, and what of it learns.
      trained, locked: its parameters, nested numpy arrays.
      corpus: the pairs, as they were found.
      learning: what a step is made of.
    """

    start: Start
    trained: dict[str, Any]
    locked: dict[str, Any]
    corpus: Corpus
    learning: Learning

    @property
    def recipe(self) -> TrainConfig:
        """The run."""
        return self.learning.recipe

    def locked_image_side(self) -> ImageEmbedder:
        """The image side as far as it is locked: what a corpus is embedded with, once."""
        features = self.recipe.image_rows == "features"
        own = {name: array for name, array in self.start.params.items() if name in ("t", "img", "img_head")}
        engine = XlaEngine(self.start.config, own, features=features)
        return ImageEmbedder(self.start.config, engine, "float32")


def prepare(config: TrainConfig, *, offline: bool | None = None) -> Prepared:
    """Reads the towers and the list of pairs; no picture is read, and nothing is compiled.

    Raises:
      ConfigError: the recipe contradicts itself, or the batch is larger than the corpus.
      CheckpointError, UnknownNameError: a start cannot be had.
      DatasetError: the pairs cannot be read.
    """
    mesh = make_mesh(config)
    data = config.data
    corpus = open_corpus(data.source, split=data.split or None, data_dir=data.data_dir or None, captions=data.captions)
    if len(corpus) < config.batch.size:
        raise ConfigError(
            f"batch.size is {config.batch.size:,} and {corpus.name} has {len(corpus):,} images with captions; a batch "
            f"takes each image once. Set batch.size to {len(corpus):,} or less, or bring more images."
        )
    begun = start(config, offline=offline)
    trained, locked = split(begun.params, begun.trained)
    how = optimizer(config, schedule(config), trained, pretrained=begun.pretrained & begun.trained)
    learning = Learning(recipe=config, model=begun.config, optimizer=how, mesh=mesh)
    return Prepared(start=begun, trained=trained, locked=locked, corpus=corpus, learning=learning)


def read_pairs(prepared: Prepared, *, progress: bool = False) -> CachedPairs | Corpus:
    """What batches are made of: embeddings, where the recipe wants the cache, else the pictures themselves.

    Raises:
      ImageError: a picture cannot be used, and `data.skip_bad` is false.
      DatasetError: no picture with a caption is left.
    """
    data = prepared.recipe.data
    if not prepared.recipe.cached:
        return prepared.corpus
    return embed_corpus(prepared.locked_image_side(), prepared.corpus, skip_bad=data.skip_bad, progress=progress)


def make_batches(prepared: Prepared, pairs: CachedPairs | Corpus) -> Batches:
    """This process's share of the batches."""
    config, cached = prepared.recipe, isinstance(pairs, CachedPairs)
    return Batches(
        pairs,
        prepared.start.tokenizer,
        batch_size=config.batch.size,
        seed=config.seed,
        canonicalize=config.data.canonicalize,
        workers=config.data.workers,
        process_index=jax.process_index(),
        process_count=jax.process_count(),
        preprocess=None if cached else prepared.start.config.preprocess,
        augment="none" if cached else config.data.augment,
        skip_bad=config.data.skip_bad,
    )
