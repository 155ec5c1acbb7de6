"""What each choice costs: one factor at a time on the same images, or step by step towards another protocol.

Images are embedded again only for factors that touch pixels or the tower; those embeddings are kept like all others, so
a second explanation computes nothing.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from lit import metrics
from lit.errors import ConfigError
from lit.evaluation import classification, parallel
from lit.evaluation.outcome import Options, Outcome
from lit.evaluation.plan import Plan, as_suite_wants
from lit.evaluation.run import embed
from lit.evaluation.words import Words, changed, embed_repaired, embed_words, prompts_of
from lit.model import Model
from lit.protocols import PROTOCOLS, protocol_of
from lit.report.gap import GapStep


@dataclasses.dataclass(frozen=True, kw_only=True)
class Variant:
    """One way in which a measurement can differ.

    Attributes:
      factor: what is varied.
      before, after: both values in words.
      words: the classes in words, where they are what differs.
      repaired: take the suite's repaired names.
      model: the model, where it differs.
    """

    factor: str
    before: str
    after: str
    words: Words | None = None
    repaired: bool = False
    model: Model | None = None


def explain_gap(
    model: Model, plan: Plan, options: Options, outcome: Outcome, *, towards: str | None = None
) -> tuple[GapStep, ...]:
    """Measures what each factor costs.

    Args:
      model, plan, options, outcome: of a run that is done.
      towards: None varies one factor at a time, each from the plan as it is.  A protocol's name goes there from the
        plan's protocol, one factor after the other.

    Returns:
      A step for each factor: top-1 with it changed, and the paired difference on the same images.

    Raises:
      ConfigError: the plan is not of a classification suite, or follows `towards` already.
      UnknownNameError: no such protocol.
    """
    if plan.words is None or outcome.scored is None:
        raise ConfigError("explaining a gap needs a classification suite; retrieval has no class names to vary.")
    steps, last = [], outcome.scored
    model = as_suite_wants(model, plan.suite)
    for variant in _path(plan, towards) if towards else _one_at_a_time(model, plan):
        scored = _measured(model, plan, options, outcome, variant)
        steps.append(_step(variant, last, scored))
        if towards:
            last = scored
    return tuple(steps)


def _one_at_a_time(model: Model, plan: Plan) -> Iterator[Variant]:
    yield from _text_variants(plan)
    yield from _pixel_variants(model)
    if model.precision == "float32":
        yield Variant(factor="precision", before="float32", after="bfloat16", model=model.in_bfloat16())


def _text_variants(plan: Plan) -> Iterator[Variant]:
    words, suite = plan.words, plan.suite
    assert words is not None
    own = words.prompts.name
    others = dict.fromkeys(["plain", "clip-best", suite.prompts, *(rule.prompts for rule in PROTOCOLS.values())])
    for name in others:
        if name and name != own:
            yield Variant(factor="templates", before=own, after=name, words=changed(words, suite, prompts=name))
    yield Variant(
        factor="averaging",
        before=_averaging(words.renormalize),
        after=_averaging(not words.renormalize),
        words=changed(words, suite, renormalize=not words.renormalize),
    )
    yield Variant(
        factor="canonicalisation",
        before=_on(words.canonicalize),
        after=_on(not words.canonicalize),
        words=changed(words, suite, canonicalize=not words.canonicalize),
    )
    if suite.repaired and words.classes == suite.classes:
        yield Variant(factor="class names", before="as published", after="doubles told apart", repaired=True)


def _pixel_variants(model: Model) -> Iterator[Variant]:
    how = model.config.preprocess
    other = "crop" if how.resize == "stretch" else "stretch"
    yield Variant(factor="crop", before=how.resize, after=other, model=model.with_preprocess(resize=other))
    if how.kernel == "bilinear":
        smooth = not how.antialias
        yield Variant(
            factor="antialias",
            before=_on(how.antialias),
            after=_on(smooth),
            model=model.with_preprocess(antialias=smooth, rounding="round" if smooth else "truncate"),
        )
    if not how.antialias:
        rounding = "round" if how.rounding == "truncate" else "truncate"
        yield Variant(
            factor="8-bit pixels", before=how.rounding, after=rounding, model=model.with_preprocess(rounding=rounding)
        )
    jpeg = "accurate" if how.jpeg == "tf" else "tf"
    yield Variant(factor="JPEG decoder", before=how.jpeg, after=jpeg, model=model.with_preprocess(jpeg=jpeg))
    yield Variant(
        factor="EXIF orientation",
        before=_on(how.exif),
        after=_on(not how.exif),
        model=model.with_preprocess(exif=not how.exif),
    )


def _path(plan: Plan, towards: str) -> Iterator[Variant]:
    """From the plan's words to those of a protocol: templates, then canonicalisation, then averaging."""
    rule, words, suite = protocol_of(towards), plan.words, plan.suite
    assert words is not None
    goal = prompts_of(suite, towards)
    moved = False
    if words.prompts.name != goal:
        before, words, moved = words.prompts.name, changed(words, suite, prompts=goal), True
        yield Variant(factor="templates", before=before, after=goal, words=words)
    if words.canonicalize != rule.canonicalize:
        words, moved = changed(words, suite, canonicalize=rule.canonicalize), True
        before, after = _on(not rule.canonicalize), _on(rule.canonicalize)
        yield Variant(factor="canonicalisation", before=before, after=after, words=words)
    if words.renormalize != rule.renormalize:
        words, moved = changed(words, suite, renormalize=rule.renormalize), True
        before, after = _averaging(not rule.renormalize), _averaging(rule.renormalize)
        yield Variant(factor="averaging", before=before, after=after, words=words)
    if not moved:
        raise ConfigError(f"the evaluation follows protocol {towards!r} already; there is no gap to explain.")


def _measured(model: Model, plan: Plan, options: Options, outcome: Outcome, variant: Variant) -> classification.Scored:
    assert plan.words is not None
    assert outcome.class_embeddings is not None
    quiet = not (options.progress and parallel.is_first_process())
    # Texts do not pass through the pixels' preprocessing: its variants share the class embeddings.
    texts_differ = variant.words is not None or (variant.model and variant.model.precision != model.precision)
    rows = outcome.class_embeddings
    if texts_differ:
        rows = embed_words(
            variant.model or model,
            variant.words or plan.words,
            keep=options.keep and options.keep_words,
            progress=not quiet,
        )
    if variant.repaired:
        rows = embed_repaired(model, plan.words, rows, plan.suite.repaired)
    embedded = embed(variant.model or model, plan, options)
    return classification.gathered(classification.score(plan, embedded, rows, logit_scale=model.logit_scale))


def _step(variant: Variant, before: classification.Scored, after: classification.Scored) -> GapStep:
    # Another preprocessing may exclude other images: only those that both have can be paired.
    _, rows, others = np.intersect1d(before.positions, after.positions, return_indices=True)
    paired = metrics.mcnemar(before.correct[rows], after.correct[others])
    return GapStep(
        factor=variant.factor,
        before=variant.before,
        after=variant.after,
        figure=metrics.accuracy(after.correct),
        delta=paired.difference,
        low=paired.low,
        high=paired.high,
    )


def _averaging(renormalize: bool) -> str:
    return "mean scaled to unit norm" if renormalize else "mean as it is"


def _on(yes: bool) -> str:
    return "on" if yes else "off"
