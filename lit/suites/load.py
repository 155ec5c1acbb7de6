"""Reads suites from their TOML files: a published one by name, your own by path."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

from lit import resources
from lit.errors import ConfigError, LitError, UnknownNameError
from lit.prompts import PromptSet, class_lists, load_classes, prompt_sets
from lit.suites import table as tables
from lit.suites.labels import label_lists, load_labels
from lit.suites.suite import Suite

_HEADLINES = {"classification": ("top1", "mean_per_class"), "retrieval": ("image_to_text_r1", "text_to_image_r1")}


def suite_names() -> tuple[str, ...]:
    """The names of the published suites."""
    return tuple(_packaged())


def load_suite(name_or_path: str | Path) -> Suite:
    """Loads a published suite by name, or your own from a TOML file; `eval/suites/README.md` describes the format.

    In your own file, the paths of lists are meant from its folder.

    Raises:
      UnknownNameError: no such suite.
      ConfigError: the file cannot be read or used; the message lists everything that is wrong with it.
    """
    path = _find(name_or_path)
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    problems: list[str] = []
    fields = tables.suite_fields({**table, "name": path.stem}, problems)
    if not problems:
        suite = _with_paths(Suite(**fields), path.parent)
        problems += [*_contradictions(suite), *_of_lists(suite)]
        if not problems:
            return suite
    raise ConfigError(f"{path} is no usable suite: " + "; ".join(problems) + ".")


def _packaged() -> dict[str, Path]:
    return {
        path.stem: path for path in sorted(resources.directory("suites").glob("*.toml"), key=lambda path: path.stem)
    }


def _find(name_or_path: str | Path) -> Path:
    known = _packaged()
    if isinstance(name_or_path, str) and name_or_path in known:
        return known[name_or_path]
    path = Path(name_or_path)
    try:
        if path.is_file():
            return path
    except OSError:  # a name that no file system takes
        pass
    if path.suffix == ".toml":
        raise ConfigError(f"there is no suite at {path}; give a TOML file, or one of the names {', '.join(known)}.")
    raise UnknownNameError("suite", str(name_or_path), known, hint="A path to a TOML file works too.")


def _with_paths(suite: Suite, folder: Path) -> Suite:
    """Lists that are not published ones lie beside the suite."""
    known = {"classes": class_lists(), "labels": label_lists(), "prompts": prompt_sets()}
    beside = {
        field: str(folder / value)
        for field, names in known.items()
        if (value := getattr(suite, field)) and value not in names and (folder / value).is_file()
    }
    return dataclasses.replace(suite, **beside)


def _contradictions(suite: Suite) -> list[str]:
    """What cannot be so, whatever the lists hold."""
    wrong = []
    if suite.metric not in _HEADLINES[suite.task]:
        wrong.append(f"metric is {suite.metric!r}; for {suite.task} it is one of {_quoted(_HEADLINES[suite.task])}")
    needs = ("classes", "prompts") if suite.task == "classification" else ("captions",)
    wrong += [f"{suite.task} needs {field!r}" for field in ("title", *needs) if not getattr(suite, field)]
    if suite.task == "retrieval":
        unused = [f for f in ("classes", "labels", "prompts", "any_hit", "subset", "repaired") if getattr(suite, f)]
        wrong += [f"retrieval has no {field!r}" for field in unused]
    if suite.captions_per_image < 0:
        wrong.append(f"captions_per_image is {suite.captions_per_image}; it cannot be negative (0: all)")
    for i, expected in enumerate(suite.expected, 1):
        if not 0 <= expected.value <= 1:
            wrong.append(f"expected {i}: value is {expected.value}; write a fraction (0.737 for 73.7 %)")
        wrong += [f"expected {i}: {f!r} is empty" for f in ("model", "metric", "source") if not getattr(expected, f)]
    return wrong


def _of_lists(suite: Suite) -> list[str]:
    """What is wrong with the lists that the suite names."""
    wrong, sizes = [], {}
    loaders: dict[str, Any] = {"classes": load_classes, "labels": load_labels, "prompts": PromptSet.load}
    for field, load in loaders.items():
        if value := getattr(suite, field):
            try:
                found = load(value)
            except LitError as error:
                wrong.append(f"{field}: {str(error).rstrip('.')}")
            else:
                sizes[field] = len(found) if field != "prompts" else None
    n = sizes.get("classes")
    if n and sizes.get("labels", n) != n:
        wrong.append(f"{n} classes but {sizes['labels']} labels; line i of the one belongs to line i of the other")
    if n:
        outside = [i for i in suite.repaired if not 0 <= i < n]
        wrong += [f"repaired: {i} is no position among {n} classes (0 to {n - 1})" for i in outside]
    return wrong


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names))
