"""Frozen dataclasses as plain JSON values, and back: exact, and strict about what it takes."""

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from itertools import chain
from typing import Any

from lit.errors import InputError

_SAID = {str: "text", int: "a whole number", float: "a number"}


def to_plain(value: Any) -> Any:
    """Dataclasses and mappings become dicts; everything else stays for `json` to write."""
    if dataclasses.is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: to_plain(v) for key, v in value.items()}
    if isinstance(value, tuple | list) and any(map(dataclasses.is_dataclass, value)):
        return [to_plain(v) for v in value]
    return value


def from_plain(kind: Any, value: Any, where: str = "") -> Any:
    """Builds what the annotation `kind` says from JSON values.

    Args:
      kind: a dataclass, `tuple[X, ...]`, `tuple[X, Y]`, `Mapping[str, X]`, `X | None`, str, int or float.
      value: from `json.loads`.
      where: names the place in messages ("figures.top1").

    Raises:
      InputError: a field is missing or unknown, or a value is not of its kind; says which.
    """
    if kind in _SAID:
        return _scalar(kind, value, where)
    if dataclasses.is_dataclass(kind):
        return _record(kind, value, where)
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        return None if value is None else from_plain(inside[0], value, where)
    if origin is tuple:
        return _tuple(inside, value, where)
    return {
        key: from_plain(inside[1], v, f"{where}.{key}") for key, v in _expect(dict, value, where, "a table").items()
    }


def first_not_finite(value: Any, where: str = "") -> str | None:
    """Where in plain values the first NaN or infinity is, if there is one."""
    if isinstance(value, float):
        return where if value - value != 0 else None
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, tuple | list) else ()
    found = (first_not_finite(v, f"{where}.{key}".removeprefix(".")) for key, v in pairs)
    return next((place for place in found if place is not None), None)


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _record(kind: Any, value: Any, where: str) -> Any:
    value = _expect(dict, value, where, "a table")
    needed = {f.name for f in dataclasses.fields(kind) if f.default is f.default_factory is dataclasses.MISSING}
    hints, at = _hints(kind), f"{where}." if where else ""
    if missing := needed - value.keys():
        raise InputError(f"it lacks {at}{sorted(missing)[0]}")
    if unknown := value.keys() - hints.keys():
        raise InputError(f"it has {at}{sorted(unknown)[0]!r}, which is no field of a {kind.__name__}")
    return kind(**{name: from_plain(hints[name], v, at + name) for name, v in value.items()})


def _tuple(inside: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    value = _expect(list, value, where, "a list")
    if inside[-1] is not Ellipsis:
        if len(value) != len(inside):
            raise InputError(f"{where} has {len(value)} entries and needs {len(inside)}")
        kinds = inside
    elif (at_once := _column(inside[0], value)) is not None:
        return at_once
    else:
        kinds = [inside[0]] * len(value)
    return tuple(from_plain(kind, v, f"{where}[{i}]") for i, (kind, v) in enumerate(zip(kinds, value, strict=True)))


def _column(kind: Any, value: list[Any]) -> tuple[Any, ...] | None:
    """A long column without a call per value, where all values are of their kind already; None: look at each."""
    if kind in _SAID:
        return tuple(value) if set(map(type, value)) <= {kind} else None
    inside = typing.get_args(kind)
    if typing.get_origin(kind) is not tuple or inside[0] not in _SAID or not set(map(type, value)) <= {list}:
        return None
    sized = inside[-1] is Ellipsis or set(map(len, value)) <= {len(inside)}
    same = set(inside) <= {inside[0], Ellipsis} and set(map(type, chain.from_iterable(value))) <= {inside[0]}
    return tuple(map(tuple, value)) if sized and same else None


def _scalar(kind: type, value: Any, where: str) -> Any:
    if type(value) is kind:
        return value
    if kind is float and type(value) is int:
        return float(value)
    raise InputError(f"{where} is {value!r:.60} and must be {_SAID[kind]}")


def _expect(kind: type, value: Any, where: str, said: str) -> Any:
    if not isinstance(value, kind):
        raise InputError(f"{where or 'what it holds'} is {value!r:.60} and must be {said}")
    return value
