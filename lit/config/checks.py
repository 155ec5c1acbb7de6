"""What every configuration checks about itself."""

import typing
from typing import Any, Literal

from lit.errors import ConfigError


def choices(config: Any) -> None:
    """Raises ConfigError unless every field that is a `Literal` holds one of its values.

    A misspelt choice would otherwise fall through to whatever the code does last.
    """
    for name, hint in typing.get_type_hints(type(config)).items():
        if typing.get_origin(hint) is Literal:
            choice(f"{type(config).__name__}.{name}", getattr(config, name), typing.get_args(hint))


def choice(where: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """Raises ConfigError unless the value is one of those allowed."""
    if value not in allowed:
        raise ConfigError(f"{where} is {value!r}; it must be one of {', '.join(map(repr, allowed))}.")


def positive(config: Any, *names: str) -> None:
    """Raises ConfigError unless these fields are positive, or None."""
    for name in names:
        value = getattr(config, name)
        if value is not None and value <= 0:
            raise ConfigError(f"{type(config).__name__}.{name} is {value}; it must be positive.")


def divides(config: Any, whole: str, part: str) -> None:
    """Raises ConfigError unless one field is a multiple of another."""
    w, p = getattr(config, whole), getattr(config, part)
    if w % p:
        raise ConfigError(f"{type(config).__name__}.{whole} is {w}; it must be a multiple of {part} = {p}.")
