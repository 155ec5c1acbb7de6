"""Whether two figures may stand side by side."""

import dataclasses
from collections.abc import Mapping

from lit.report.seal import GROUPS, Seal

#: Factor, the first seal's value, the second's; a seal that lacks the factor has "(not stated)".
Difference = tuple[str, str, str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparability:
    """What two seals say of each other.

    Attributes:
      comparable: protocol and content of the data agree; the figures measure the same thing.
      identical: all four groups agree; the figures are one measurement.
      differences: group -> factors that differ; groups that agree are left out.
      sentence: all of it for people.
    """

    comparable: bool
    identical: bool
    differences: Mapping[str, tuple[Difference, ...]]
    sentence: str

    def __str__(self) -> str:
        return self.sentence


def compare_seals(a: Seal, b: Seal) -> Comparability:
    """Says whether the figures under two seals can be compared, and in what they differ.

    The protocol must agree, and the data.  Where both seals give the content of the data, a hash over images and their
    classes in order, that hash decides: other words for the same content are told and forbid nothing.

    The model is what is being compared.  Software is told, for it may move a last digit, and forbids nothing.
    """
    found = {group: _differences(getattr(a, group), getattr(b, group)) for group in GROUPS}
    differences = {group: rows for group, rows in found.items() if rows}
    forbid = {group: differences[group] for group in GROUPS[:2] if group in differences}
    if _same_content(a, b):
        forbid.pop("data", None)
    return Comparability(
        comparable=not forbid,
        identical=not differences,
        differences=differences,
        sentence=f"Not comparable: {_of_groups(forbid)}." if forbid else _sentence(differences, a),
    )


def _same_content(a: Seal, b: Seal) -> bool:
    return bool(a.data.get("content")) and a.data["content"] == b.data.get("content")


def _of_groups(differences: Mapping[str, tuple[Difference, ...]]) -> str:
    return "; ".join(f"the {group} differs in {_told(rows)}" for group, rows in differences.items())


def _differences(a: Mapping[str, str], b: Mapping[str, str]) -> tuple[Difference, ...]:
    factors = list(a) + [factor for factor in b if factor not in a]
    rows = ((factor, a.get(factor, "(not stated)"), b.get(factor, "(not stated)")) for factor in factors)
    return tuple(row for row in rows if (row[0] in a) != (row[0] in b) or row[1] != row[2])


def _sentence(differences: Mapping[str, tuple[Difference, ...]], a: Seal) -> str:
    if not differences:
        return f"The same measurement: both carry the seal {a.hash[:12]}."
    if "data" in differences:
        others = {group: rows for group, rows in differences.items() if group != "data"}
        rest = _sentence(others, a) if others else "The same model and protocol."
        return f"{rest} The data have the same content and differ in {_told(differences['data'])}."
    software = f"in {_told(differences['software'])}" if "software" in differences else ""
    if "model" not in differences:
        return f"The same model, data and protocol; the software differs {software}, which may move a last digit."
    said = f"Comparable: the same data and protocol; the models differ in {_told(differences['model'])}"
    return f"{said}. The software differs as well, {software}; that may move a last digit." if software else f"{said}."


def _told(rows: tuple[Difference, ...]) -> str:
    return ", ".join(f"{factor} ({_short(a)} / {_short(b)})" for factor, a, b in rows)


def _short(value: str) -> str:
    value = " ".join(value.split())
    return value if len(value) <= 60 else f"{value[:40].rstrip()}…{value[-16:].lstrip()}"
