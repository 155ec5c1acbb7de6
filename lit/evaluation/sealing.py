"""Puts everything that determines a figure into words, for its seal."""

import functools
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from lit import __version__
from lit.evaluation.plan import Plan
from lit.evaluation.words import Words
from lit.model import Model
from lit.report.seal import Seal

_SOFTWARE = ("jax", "jaxlib", "flax", "numpy", "scipy", "pillow", "simplejpeg", "sentencepiece")
#: Rises when what is hashed changes: reports under different rules differ in their hashes alone.
_RULE = "1"
_METRICS = {
    "top1": "top-1: the best class is the image's; of equal scores the first class wins",
    "mean_per_class": "mean over classes of the top-1 accuracy within each",
    "image_to_text_r1": "recall at 1: one of the image's captions is the best",
    "text_to_image_r1": "recall at 1: the caption's image is the best",
}


def seal_of(
    plan: Plan, model: Model, *, content: str, scored: str, bad: int, protocol: Mapping[str, str] | None = None
) -> Seal:
    """The seal of one evaluation.

    Args:
      plan: suite, dataset, words.
      model: embeds.
      content: `content_of` what was scored.
      scored: how many images, in words.
      bad: images that could not be decoded and were left out.
      protocol: further factors of the protocol.
    """
    own = _words(plan.words, plan) if plan.words else _captions(plan)
    return Seal(
        data={
            "dataset": plan.dataset.name,
            "split": plan.dataset.split,
            "source": plan.dataset.description.get("source", "memory"),
            "images": scored,
            "content": content,
            "left out": f"{bad} that could not be decoded" if bad else "none",
            **({"labels": plan.label_map.words} if plan.label_map else {}),
        },
        protocol={**own, **(protocol or {})},
        model=_model(model),
        software=_software(model, plan),
    )


def content_of(
    digests: Iterable[bytes | np.ndarray],
    known: Iterable[Sequence[int] | Sequence[str]],
    *,
    ordered: bool = False,
) -> str:
    """A hash over images and what is known of them.

    Args:
      digests: SHA-256 of each image's bytes, in order.
      known: for each image its labels or captions.
      ordered: whether the order matters, as it does for drawing examples, and not for counting right answers.
    """
    said = functools.lru_cache(maxsize=4096)(lambda row: json.dumps(row, ensure_ascii=True).encode())
    pairs = [bytes(digest) + said(tuple(of_image)) for digest, of_image in zip(digests, known, strict=True)]
    return f"sha256 {hashlib.sha256(b'|'.join(pairs if ordered else sorted(pairs))).hexdigest()}"


def short_hash(value: Any) -> str:
    """The first 16 hex digits of the SHA-256 of a JSON value."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=True).encode()).hexdigest()[:16]


def _words(words: Words, plan: Plan) -> dict[str, str]:
    repaired = plan.suite.repaired
    # Of a file its name alone: the same list in another place is the same list.
    said = Path(words.classes).stem if isinstance(words.classes, str | Path) else "own"
    return {
        "protocol": words.protocol,
        "class names": f"{said}: {len(words.class_names)} names, sha256 {short_hash(words.spoken)}",
        "templates": f"{words.prompts.name}: {len(words.prompts.templates)}, "
        f"sha256 {short_hash(list(words.prompts.templates))}",
        "canonicalisation": "lower case, no punctuation, underscores as spaces"
        if words.canonicalize
        else "none: names and templates as published",
        "averaging": "mean of the prompts' unit vectors, "
        + ("scaled to unit norm" if words.renormalize else "not scaled to unit norm"),
        **(
            {"repaired names": f"{len(repaired)} beside the published, sha256 {short_hash(sorted(repaired.items()))}"}
            if repaired
            else {}
        ),
        "score": "inner product, summed in float64",
        "calibration": "15 bins of equal width",
        "metric": _METRICS.get(plan.suite.metric, plan.suite.metric)
        + ("; an image has several right labels, one is enough" if plan.suite.any_hit else ""),
    }


def _captions(plan: Plan) -> dict[str, str]:
    taken = plan.suite.captions_per_image
    return {
        "captions": f"the first {taken} of each image" if taken else "all of each image",
        "canonicalisation": "none: captions as they are",
        "score": "inner product, summed in float64; of equal scores the first wins",
        "metric": _METRICS.get(plan.suite.metric, plan.suite.metric),
    }


def _model(model: Model) -> dict[str, str]:
    how, tokenizer = model.config.preprocess, model.config.tokenizer
    resize = {"stretch": "stretched to", "crop": "smaller side to, and the centre of,"}[how.resize]
    decoder = {"tf": "as tf.io.decode_jpeg by default (fast DCT)", "accurate": "accurate DCT, as Pillow"}[how.jpeg]
    return {
        "model": model.name,
        "weights": f"sha256 {model.weights_digest}",
        "precision": model.precision,
        "JPEG decoder": decoder,
        "resize": f"{resize} {how.image_size} x {how.image_size}, {how.kernel}, "
        f"{'antialiased' if how.antialias else 'no antialias'}, {how.rounding} to 8 bits",
        "value range": f"{how.value_range[0]:g} to {how.value_range[1]:g}",
        "EXIF orientation": "applied" if how.exif else "ignored",
        "tokenizer": f"{tokenizer.kind}, {tokenizer.context_length} tokens, "
        f"sha256 {short_hash(model.tokenizer.fingerprint)}",
    }


def _software(model: Model, plan: Plan) -> dict[str, str]:
    versions = {name: metadata.version(name) for name in _SOFTWARE}
    python = ".".join(map(str, sys.version_info[:3]))
    return {
        "lit": __version__,
        "rule of the seal": _RULE,
        "engine": model.engine_description,
        "python": python,
        **versions,
        **{said: value for said, value in plan.dataset.description.items() if said not in ("dataset", "source")},
    }
