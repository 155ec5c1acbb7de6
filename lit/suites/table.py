"""From the tables of a TOML file to the fields of a suite: names and types, everything that is wrong at once."""

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from lit.errors import UnknownNameError
from lit.suites.suite import Expected, Suite


def suite_fields(table: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    """The fields of a `Suite`; what is wrong with the table is appended to `problems`."""
    fields = _fields(table, Suite, "", problems)
    for special, convert in (("expected", _expected), ("repaired", _repaired), ("notes", _notes)):
        if special in table:
            fields[special] = convert(table[special], problems)
    return fields


def _fields(table: Mapping[str, Any], kind: type, where: str, problems: list[str]) -> dict[str, Any]:
    """The plain fields (text, numbers, choices) of a dataclass."""
    hints = typing.get_type_hints(kind)
    required = {f.name for f in dataclasses.fields(kind) if f.default is f.default_factory is dataclasses.MISSING}
    problems += [f"{where}{name!r} is missing" for name in sorted(required - set(table))]
    found = {}
    for key, value in table.items():
        if key not in hints:
            problems.append(where + str(UnknownNameError("key", key, hints)).rstrip("."))
        elif typing.get_origin(hints[key]) is Literal:
            choices = typing.get_args(hints[key])
            if value not in choices:
                problems.append(f"{where}{key} is {value!r}; it must be one of {', '.join(map(repr, choices))}")
            found[key] = value
        elif hints[key] in _PLAIN:
            if type(value) not in _PLAIN[hints[key]]:
                problems.append(f"{where}{key} is {value!r}; it must be {_WORDS[hints[key]]}")
            found[key] = value
    return found


#: A boolean is no number here, though Python takes it for one.
_PLAIN: dict[type, tuple[type, ...]] = {str: (str,), int: (int,), bool: (bool,), float: (float, int)}
_WORDS = {str: "text in quotes", int: "a whole number", bool: "true or false", float: "a number"}


def _expected(value: Any, problems: list[str]) -> tuple[Expected, ...]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        problems.append("expected is not a list of tables; begin each with [[expected]]")
        return ()
    return tuple(_rows(value, problems))


def _rows(rows: list[dict[str, Any]], problems: list[str]) -> Iterator[Expected]:
    for i, row in enumerate(rows, 1):
        before = len(problems)
        fields = _fields(row, Expected, f"expected {i}: ", problems)
        if len(problems) == before:
            yield Expected(**{**fields, "value": float(fields["value"])})


def _repaired(value: Any, problems: list[str]) -> dict[int, str]:
    if not isinstance(value, dict):
        problems.append("repaired is not a table of class position = name")
        return {}
    wrong = [key for key, name in value.items() if not (key.isdecimal() and isinstance(name, str) and name.strip())]
    problems += [f"repaired: {key} = {value[key]!r} is not class position = name" for key in wrong]
    return {int(key): name for key, name in value.items() if key not in wrong}


def _notes(value: Any, problems: list[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(note, str) for note in value):
        problems.append("notes is not a list of texts")
        return ()
    return tuple(value)
