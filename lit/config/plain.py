"""Configurations as plain values, and back."""

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from lit.config import checks
from lit.errors import ConfigError

_T = TypeVar("_T")


def to_dict(config: Any) -> dict[str, Any]:
    """A configuration as plain values, ready for JSON; tuples become lists."""
    return {f.name: _plain(getattr(config, f.name)) for f in dataclasses.fields(config)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_dict(value)
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def from_dict(cls: type[_T], values: Any, *, at: str | None = None) -> _T:
    """The inverse of `to_dict`; strict.

    Args:
      cls: what to make.
      values: its fields, a mapping.
      at: the dotted key under which the table stands in a file, "" for the whole file: messages then name keys as the
        file has them.  None names them by class.

    Raises:
      ConfigError: a key is unknown or missing, or a value is of the wrong type; the message names it.
    """
    label = cls.__name__ if at is None else at
    if not isinstance(values, Mapping):
        raise ConfigError(f"{label} needs a table of fields and got {values!r}.")
    fields = {f.name: f for f in dataclasses.fields(cls)}  # pyright: ignore[reportArgumentType]
    for key in values:
        if key not in fields:
            close = difflib.get_close_matches(key, fields, n=1)
            meant = f" Did you mean {_dotted(at, close[0])!r}?" if close else ""
            unknown = f"{label} has no field {key!r}." if at is None else f"{_dotted(at, key)!r} is no key."
            raise ConfigError(f"{unknown}{meant} {label or 'The file'} has: {', '.join(fields)}.")
    required = [n for n, f in fields.items() if f.default is dataclasses.MISSING and n not in values]
    if required:
        raise ConfigError(f"{label or 'The file'} lacks {', '.join(_dotted(at, name) for name in required)}.")
    hints = typing.get_type_hints(cls)
    typed = {k: _typed(hints[k], v, _dotted(label, k), at is not None) for k, v in values.items()}
    try:
        return cls(**typed)
    except ConfigError as error:
        own = f"{cls.__name__}."
        if not at or not str(error).startswith(own):
            raise
        raise ConfigError(_dotted(at, str(error).removeprefix(own))) from error


def _dotted(at: str | None, key: str) -> str:
    return f"{at}.{key}" if at else key


def _typed(hint: Any, value: Any, where: str, dotted: bool) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        checks.choice(where, value, args)
        return value
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in args:
            return None
        choices = [a for a in args if a is not type(None)]
        if len(choices) == 1:
            return _typed(choices[0], value, where, dotted)
        return _variant(choices, value, where, dotted)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where} is {value!r}; it must be a list.")
        hints = [args[0]] * len(value) if args[-1] is Ellipsis else list(args)
        if len(hints) != len(value):
            raise ConfigError(f"{where} has {len(value)} entries; it needs {len(hints)}.")
        return tuple(_typed(h, v, where, dotted) for h, v in zip(hints, value, strict=True))
    if dataclasses.is_dataclass(hint):
        return from_dict(hint, value, at=where if dotted else None)  # pyright: ignore[reportArgumentType]
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint or (hint is float and not math.isfinite(value)):
        raise ConfigError(f"{where} is {value!r}; it must be {hint.__name__}.")
    return value


def _variant(choices: list[Any], value: Any, where: str, dotted: bool) -> Any:
    """Which of several dataclasses a table is: its field `kind` says so."""
    kinds = {typing.get_args(typing.get_type_hints(c)["kind"])[0]: c for c in choices}
    if not isinstance(value, Mapping) or value.get("kind") not in kinds:
        got = value.get("kind") if isinstance(value, Mapping) else value
        raise ConfigError(f"{where}.kind is {got!r}; it must be one of {', '.join(map(repr, kinds))}.")
    return from_dict(kinds[value["kind"]], value, at=where if dotted else None)
