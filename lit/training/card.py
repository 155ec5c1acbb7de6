"""The card of a trained model: what it learnt from, how, and what was measured."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import jax

from lit import __version__
from lit.captions import CachedPairs, Corpus
from lit.captions.duplicates import Duplicates
from lit.report import Report
from lit.training.prepare import Prepared
from lit.training.recipe import recipe_text
from lit.training.result import LAST_STEPS, reached, steps_of
from lit.training.state import num_params


def card_text(
    prepared: Prepared,
    pairs: CachedPairs | Corpus,
    twice: Duplicates,
    records: Sequence[Mapping[str, Any]],
    reports: Mapping[str, Report],
) -> str:
    """Markdown.  Nothing in it is a claim: every figure was measured in the run, or is a line of the recipe."""
    parts = [
        f"# {prepared.recipe.name}\n",
        "Trained by `lit train` (LiT, contrastive tuning: arXiv 2111.07991). "
        f"`lit.load({str(prepared.recipe.output + '/model')!r})` opens it.\n",
        "## Towers\n",
        _towers(prepared),
        "## Data\n",
        _data(pairs, twice),
        "## Measured\n",
        _measured(records, reports),
        "## Recipe\n",
        f"```toml\n{recipe_text(prepared.recipe)}```\n",
        f"lit {__version__}, jax {jax.__version__}, flax {version('flax')}, optax {version('optax')}; "
        f"{prepared.learning.mesh.size} x {jax.devices()[0].device_kind}.\n",
    ]
    return "\n".join(parts)


def _towers(prepared: Prepared) -> str:
    model, origin = prepared.start.config, prepared.start.origin
    rows = [
        f"- {side} tower: {tower.kind}, from {origin.get(side) or 'scratch'}, "
        + ("locked" if side in model.locked else "trained")
        for side, tower in (("image", model.image), ("text", model.text))
    ]
    for side, place, head in (("image", "img", model.image_head), ("text", "txt", model.text_head)):
        names = [n for n in prepared.start.trained if n.startswith((f"{place}/head/", f"{place}_head/"))]
        if names and side in model.locked:
            kind = "one layer" if head is None else head.kind
            rows.append(f"- {side} head: {kind}, {model.dim} wide, trained on the locked tower")
    learnt, locked = num_params(prepared.trained), num_params(prepared.locked)
    return "\n".join([*rows, f"- {learnt:,} parameters were trained, {locked:,} were locked", ""])


def _data(pairs: CachedPairs | Corpus, twice: Duplicates) -> str:
    captions = sum(map(len, pairs.texts))
    rows = [
        f"- {pairs.name}: {len(pairs):,} images, {captions:,} captions",
        f"- {pairs.left_out}",
        f"- {words_of(twice)}",
        "",
    ]
    return "\n".join(rows)


def words_of(found: Duplicates) -> str:
    """What occurs twice, and what that does to a batch."""
    images = "" if found.images is None else f" and {found.images:,} pictures"
    wrong = found.false_texts + (found.false_images or 0.0)
    return f"{found.texts:,} captions{images} occur before; {wrong:.2g} false negatives in a batch on average"


def _measured(records: Sequence[Mapping[str, Any]], reports: Mapping[str, Report]) -> str:
    steps = steps_of(records)
    loss, accuracy = reached(records)
    if loss is None or accuracy is None:
        return "Nothing was measured.\n"
    n, last = min(LAST_STEPS, len(steps)), steps[-1]
    rows = [
        "| | |\n|---|---|",
        f"| loss, mean of the last {n} steps | {loss:.4f} |",
        f"| right in the batch, both directions, last {n} steps | {100 * accuracy:.1f} % |",
        f"| logit scale | {last['logit_scale']:.3f} |",
        f"| pairs per second | {last['pairs_per_second']:,.0f} |",
        f"| share of time waiting for data | {100 * last['waiting']:.0f} % |",
    ]
    for suite, report in reports.items():
        f = report.figures[report.headline]
        rows.append(
            f"| {suite}, {report.headline} | {100 * f.value:.1f} % ({100 * f.low:.1f} to {100 * f.high:.1f}, "
            f"95 %, n = {f.n:,}) |"
        )
    return "\n".join([*rows, ""])
