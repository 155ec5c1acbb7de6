"""Runs a plan: images through the tower, classes into words, figures into a report."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

from lit.datasets import Reader
from lit.evaluation import classification_report, parallel, retrieval_report
from lit.evaluation.embedding import EmbeddedDataset, embed_dataset
from lit.evaluation.outcome import Options, Outcome
from lit.evaluation.plan import Plan, as_suite_wants, plan
from lit.evaluation.sealing import short_hash
from lit.evaluation.words import Prompts
from lit.model import Model
from lit.protocols import Classes
from lit.report import Report
from lit.suites import Suite


def evaluate(
    model: Model,
    suite: str | Path | Suite,
    *,
    data: str | Path | None = None,
    data_dir: str | Path | None = None,
    reader: Reader = "auto",
    split: str | None = None,
    classes: Classes | None = None,
    protocol: str | None = None,
    prompts: Prompts | None = None,
    renormalize: bool | None = None,
    canonicalize: bool | None = None,
    skip_bad: bool = False,
    limit: int | None = None,
    few_shot: Sequence[int] = (),
    seeds: Sequence[int] = (0, 1, 2),
    batch_size: int | None = None,
    keep: bool = True,
    keep_words: bool = True,
    progress: bool = False,
) -> Report:
    """Evaluates a model on a suite.

    Args:
      model: from `lit.load`.
      suite, data, data_dir, reader, split: what is measured; see `lit.evaluation.plan.plan`.
      classes, protocol, prompts, renormalize, canonicalize: override the suite's choices.
      skip_bad, limit, few_shot, seeds, batch_size, keep, keep_words, progress: see `lit.evaluation.outcome.Options`.

    Returns:
      Figures with intervals, predictions, and the seal over everything that determined them.

    Raises:
      DatasetError: the dataset is not there, or is not what the suite says.
      ImageError: an image cannot be decoded, and `skip_bad` is False.
      ConfigError, UnknownNameError, PromptError: the arguments cannot be used.
    """
    options = Options(
        skip_bad=skip_bad,
        limit=limit,
        few_shot=tuple(few_shot),
        seeds=tuple(seeds),
        batch_size=batch_size,
        keep=keep,
        keep_words=keep_words,
        progress=progress,
    )
    with parallel.together():
        planned = plan(
            suite, data=data, data_dir=data_dir, reader=reader, split=split, few_shot=bool(few_shot), classes=classes,
            protocol=protocol, prompts=prompts, renormalize=renormalize, canonicalize=canonicalize,
        )  # fmt: skip
        return run(model, planned, options).report


def run(model: Model, planned: Plan, options: Options | None = None) -> Outcome:
    """Runs a plan.  Under `jax.distributed` every process runs its share, and all return the same figures.

    Raises:
      see `evaluate`.
    """
    options = options or Options()
    began = time.perf_counter()
    model = as_suite_wants(model, planned.suite)
    parallel.agree(_what_all_do(model, planned, options))
    embedded = embed(model, planned, options)
    train = embed(model, planned, options, train=True) if planned.train else None
    if planned.suite.task == "retrieval":
        return retrieval_report.measure(model, planned, options, embedded, began)
    return classification_report.measure(model, planned, options, embedded, train, began)


def _what_all_do(model: Model, planned: Plan, options: Options) -> dict[str, str]:
    """In what the processes of one run must agree; copies of files differ in time and place, not in content key."""
    dataset, words = planned.dataset, planned.words
    return {
        "suite": repr(planned.suite),
        "dataset": f"split {dataset.split}, {len(dataset)} images",
        "files": dataset.content_key,
        "training files": planned.train.content_key if planned.train else "none",
        "label names": repr(dataset.label_names),
        "class texts": short_hash([words.texts, words.renormalize]) if words else "none",
        "weights": model.weights_digest,
        "model": model.fingerprint,
        "options": repr(dataclasses.replace(options, progress=False)),
    }


def embed(model: Model, planned: Plan, options: Options, *, train: bool = False) -> EmbeddedDataset:
    """This process's share of a split, embedded."""
    shard, shards = parallel.shard_of_this_process()
    dataset = planned.train if train else planned.dataset
    assert dataset is not None
    return embed_dataset(
        model,
        dataset,
        keep=options.keep,
        batch_size=options.batch_size,
        skip_bad=options.skip_bad,
        shard=shard,
        shards=shards,
        limit=None if train else options.limit,
        progress=options.progress and parallel.is_first_process(),
    )
