"""Everything that a training needs before its first step."""

import dataclasses
from typing import Any

import jax
import numpy as np

from lit.captions import Batches, CachedPairs, Corpus, open_corpus
from lit.checkpoints import unflatten
from lit.config import TextTransformerConfig
from lit.errors import ConfigError
from lit.model import Model
from lit.nn.two_towers import param_shapes
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
    return embed_corpus(image_model(prepared.start), prepared.corpus, skip_bad=data.skip_bad, progress=progress)


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


def image_model(begun: Start) -> Model:
    """The image side with a text tower of zeros: embeddings are stored under the model that made them, and those of a
    corpus must not be lost because another text tower is to be trained on them.
    """
    c = begun.config
    words = TextTransformerConfig(
        width=2, depth=1, mlp_dim=2, num_heads=1, vocab_size=begun.tokenizer.vocab_size,
        context_length=begun.tokenizer.context_length, out_dim=c.dim,
    )  # fmt: skip
    config = dataclasses.replace(c, name="image side", text=words, text_head=None, bias=False, locked=("image",))
    own = {name: array for name, array in begun.params.items() if name in ("img", "img_head")}
    zeros = {n: np.zeros(shape, np.float32) for n, shape in param_shapes(config).items() if not n.startswith("img")}
    return Model(config, {**unflatten(zeros), **own}, begun.tokenizer)
