"""What the sections of a recipe check about themselves; every message begins with the dotted key."""

import math
from collections.abc import Collection
from typing import Any

from lit.config import checks
from lit.errors import ConfigError


def choices(section: str, config: Any) -> None:
    """Raises ConfigError unless every field that is a `Literal` holds one of its values."""
    try:
        checks.choices(config)
    except ConfigError as error:
        raise ConfigError(str(error).replace(f"{type(config).__name__}.", f"{section}.", 1)) from error


def number(key: str, value: int | float, *, least: int | float, below: int | float = math.inf, hint: str = "") -> None:
    """Raises ConfigError unless `least <= value < below`."""
    if not least <= value < below:
        limit = "" if below == math.inf else f" and less than {below:,}"
        raise ConfigError(f"{key} is {value:g}; it must be at least {least:g}{limit}{hint and '; ' + hint}.")


def positive(key: str, value: int | float, hint: str = "") -> None:
    """Raises ConfigError unless the value is greater than 0, and finite."""
    if not 0 < value < math.inf:
        raise ConfigError(f"{key} is {value:g}; it must be greater than 0{hint and '; ' + hint}.")


def filled(key: str, value: str, hint: str) -> None:
    """Raises ConfigError where a text is empty."""
    if not value.strip():
        raise ConfigError(f"{key} is empty; {hint}.")


def require(good: bool, message: str) -> None:
    """Raises ConfigError with the message unless all is well."""
    if not good:
        raise ConfigError(message)


def empty_unless(key: str, value: Any, allowed: bool, why: str, nothing: Collection[Any] = ("", None)) -> None:
    """Raises ConfigError where a key is set that would have no effect."""
    if not allowed and value not in nothing:
        raise ConfigError(f"{key} is set and {why}; leave it out.")
