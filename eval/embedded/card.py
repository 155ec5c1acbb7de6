"""The card of the embedded model: card.md, with the measured figures in their place."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_HEAD = "| set | pictures | n | classes | prompts | top-1 (95 % interval) | top-5 | chance, top-1 |\n"
_RULE = "|---|---|---|---|---|---|---|---|\n"


def figure(row: Mapping[str, Any]) -> str:
    """One measured set as a row of the card's table."""
    interval = f"**{row['top1']:.1%}** ({row['low']:.1%} to {row['high']:.1%})"
    prompts = f"{row['prompts']} ({row['templates']})"
    counts = f"{row['n']:,} | {row['classes']} | {prompts}"
    return f"| {row['set']} | {row['what']} | {counts} | {interval} | {row['top5']:.1%} | {1 / row['classes']:.1%} |"


def digest(bundle: Path) -> str:
    """SHA-256 (hex) over what a model computes with: its configuration, then its weights."""
    return hashlib.sha256(b"".join((bundle / n).read_bytes() for n in ("config.json", "model.safetensors"))).hexdigest()


def render(report: Mapping[str, Any] | None) -> str:
    """The whole card; without a report it says that nothing was measured yet."""
    text = (Path(__file__).parent / "card.md").read_text()
    if report is None:
        return text.replace("{figures}", "Not measured yet: run `python eval/embedded/measure.py`.")
    table = _HEAD + _RULE + "\n".join(map(figure, report["sets"]))
    return text.replace(
        "{figures}",
        f"{table}\n\nMeasured with the files of SHA-256 `{report['sha256']}` (config.json, then model.safetensors).",
    )
