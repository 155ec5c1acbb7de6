"""What the user has set: the cache, mirrors, and whether the network may be used."""

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs

from lit.errors import ConfigError, UnknownNameError
from lit.files.addresses import Address, below, parse
from lit.zoo import FILES

_APPLICATION = "lit-jax"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
    """How patient a download is.

    Attributes:
      attempts: in a row that bring no new byte, before an address is given up.
      backoff: seconds before the second attempt; doubled before each further one.
      longest_wait: seconds; bounds the backoff and what a server may ask for (Retry-After).
      connect_timeout, read_timeout: seconds without an answer, or without a byte.
    """

    attempts: int = 5
    backoff: float = 1.0
    longest_wait: float = 60.0
    connect_timeout: float = 10.0
    read_timeout: float = 60.0


def cache_directory() -> Path:
    """Where lit keeps what it can make or fetch again: LIT_CACHE, or the platform's place for caches."""
    chosen = os.environ.get("LIT_CACHE", "").strip()
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path(_APPLICATION, appauthor=False)


def config_path() -> Path:
    """The configuration file: LIT_CONFIG, or the platform's place; it need not exist."""
    chosen = os.environ.get("LIT_CONFIG", "").strip()
    if chosen:
        return Path(chosen).expanduser()
    return platformdirs.user_config_path(_APPLICATION, appauthor=False) / "config.toml"


def offline_because(offline: bool | None) -> str:
    """Why the network must not be used, or "" where it may; an argument outranks the environment."""
    if offline is not None:
        return "offline=True" if offline else ""
    return "LIT_OFFLINE is set" if switched_on("LIT_OFFLINE") else ""


def switched_on(variable: str) -> bool:
    """Whether an environment variable says yes.

    Raises:
      ConfigError: it says neither yes nor no.
    """
    value = os.environ.get(variable, "").strip().lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("", "0", "false", "no", "off"):
        return False
    raise ConfigError(f"{variable} is {value!r}; set it to 1 or 0.")


def user_mirrors(name: str) -> list[Address]:
    """Where the user says that a published file lies, in the order in which to look.

    Raises:
      ConfigError: LIT_MIRRORS or the configuration file cannot be understood; the message names the place.
    """
    roots = [root.strip() for root in os.environ.get("LIT_MIRRORS", "").replace("\n", ",").split(",")]
    found = [parse(below(root, name), said_in="LIT_MIRRORS") for root in roots if root]
    path = config_path()
    mirrors = _mirrors_table(path)
    said_in, home = str(path), path.parent
    for address in _strings(_table(mirrors.get("files", {}), said_in, "mirrors.files").get(name, []), said_in, name):
        found.append(parse(address, said_in=said_in, home=home))
    for root in _strings(mirrors.get("roots", []), said_in, "mirrors.roots"):
        found.append(parse(below(root, name), said_in=said_in, home=home))
    return found


def _mirrors_table(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        if os.environ.get("LIT_CONFIG", "").strip():
            raise ConfigError(f"LIT_CONFIG names {path}, which is not a file.")
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    _known_keys(content, ("mirrors",), path, "")
    mirrors = _table(content.get("mirrors", {}), str(path), "mirrors")
    _known_keys(mirrors, ("roots", "files"), path, "mirrors.")
    for name in _table(mirrors.get("files", {}), str(path), "mirrors.files"):
        if name not in FILES:
            raise UnknownNameError("published file", name, FILES, hint=f"It stands in {path}, [mirrors.files].")
    return mirrors


def _known_keys(table: Mapping[str, Any], known: tuple[str, ...], path: Path, prefix: str) -> None:
    for key in table:
        if key not in known:
            there = ", ".join(prefix + k for k in known)
            raise ConfigError(f"{path} has an unknown entry {prefix + key!r}; it may have {there}.")


def _table(value: Any, said_in: str, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{said_in}: {what} is {value!r}; it must be a table.")
    return value


def _strings(value: Any, said_in: str, what: str) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(v, str) and v for v in values):
        raise ConfigError(f"{said_in}: {what} is {value!r}; it must be a list of addresses.")
    return values
