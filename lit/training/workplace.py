"""The folder of a run: whose it is, what it was begun with, and that one process alone works in it."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lit import config as configs
from lit.errors import ConfigError, OutputError
from lit.store.writing import one_at_a_time, refusals_told
from lit.training.recipe import TrainConfig, recipe_text
from lit.training.state import differences
from lit.writing import write_text

CHECKPOINTS, METRICS, MODEL, CURVE = "checkpoints", "metrics.jsonl", "model", "curve.png"
_RUN, _RECIPE, _LOCK, _EVENTS = "run.json", "recipe.toml", ".lit-train.lock", "events.out.tfevents.*"
_FORMAT = "lit-train-1"
_OURS = (CHECKPOINTS, f"{CHECKPOINTS}-damaged", METRICS, MODEL, CURVE, _RUN, _RECIPE)
#: Keys that may differ when a run goes on: they change neither what is learnt from which pairs nor its parameters.
_FREE = frozenset(
    {
        "name", "output", "data.workers", "data.data_dir", "objective.chunk", "objective.exchange",
        "objective.micro_batch", "optimizer.learning_rate", "optimizer.weight_decay", "optimizer.beta1",
        "optimizer.beta2", "optimizer.clip_norm", "optimizer.pretrained_learning_rate_factor",
        "optimizer.pretrained_weight_decay_factor", "batch.precision", "batch.data", "batch.fsdp",
    }
)  # fmt: skip
_FREE_SECTIONS = ("schedule.", "checkpoint.", "evaluate.")


@contextmanager
def open_workplace(config: TrainConfig, *, fresh: bool = False, write: bool = True) -> Iterator[tuple[str, ...]]:
    """Makes or enters the folder of a run; yields what this recipe changes in it, as "key: was X, is Y".

    What is in it stays as it is until `claim`.

    Args:
      config: `config.output` is the folder.
      fresh: the run that is there does not matter.
      write: False in all processes but the first: they only look.

    Raises:
      OutputError: the folder holds something else; another process works in it; or it cannot be written.
      ConfigError: the run in it was begun with another model, other data, or another objective.
    """
    output = Path(config.output)
    _check_owner(output)
    if not write:
        yield () if fresh else _changes(output, config)
        return
    with refusals_told(output):
        output.mkdir(parents=True, exist_ok=True)
    busy = f"another `lit train` is at work in {output}; wait for it, or name another."
    with one_at_a_time(output / _LOCK, busy, named=output):
        yield () if fresh else _changes(output, config)


def claim(config: TrainConfig, *, fresh: bool = False) -> None:
    """Makes an empty folder this recipe's, or with `fresh` any; call it when all that the recipe names was found.

    The folder of a run that is to go on stays that run's, until `record_recipe`.

    Raises:
      OutputError: it cannot be written.
    """
    output = Path(config.output)
    if fresh:
        forget(output)
    if fresh or _recorded(output) is None:
        record_recipe(config)


def record_recipe(config: TrainConfig) -> None:
    """Writes down what the run in the folder is, or goes on with.

    Raises:
      OutputError: it cannot be written.
    """
    output = Path(config.output)
    record = {"format": _FORMAT, "recipe": configs.to_dict(config)}
    write_text(output / _RUN, json.dumps(record, indent=2) + "\n")
    write_text(output / _RECIPE, recipe_text(config))


def forget(output: Path) -> None:
    """Removes what a run wrote, and nothing else; not what says whose the folder is, which a kill must not lose."""
    with refusals_told(output):
        for path in [output / name for name in _OURS if name != _RUN] + list(output.glob(_EVENTS)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def saved_step(output: Path) -> int:
    """The step of the newest checkpoint by its name, 0 where there is none; whether it is sound, nobody looked."""
    place = output / CHECKPOINTS
    return max((int(p.name) for p in place.iterdir() if p.name.isdigit()), default=0) if place.is_dir() else 0


def _check_owner(output: Path) -> None:
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is a file; `output` names a folder. Choose another name.")
    if not output.is_dir() or _recorded(output) is not None:
        return
    others = sorted(path.name for path in output.iterdir() if path.name not in (_LOCK, f".{_RUN}.lit-tmp"))
    if others:
        raise OutputError(
            f"{output} holds {', '.join(others[:3])}{' and more' if len(others) > 3 else ''}, and no run of `lit "
            "train`; nothing in it was touched. Name another output."
        )


def _recorded(output: Path) -> dict[str, Any] | None:
    """What the run in a folder was begun with."""
    try:
        said = json.loads((output / _RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return said["recipe"] if isinstance(said, dict) and said.get("format") == _FORMAT else None


def _changes(output: Path, config: TrainConfig) -> tuple[str, ...]:
    had = _recorded(output)
    if had is None:
        return ()
    differ = differences(_dotted(had), _dotted(configs.to_dict(config)))
    fixed = [change for change in differ if not _is_free(change.partition(":")[0])]
    if fixed:
        raise ConfigError(
            f"{output} holds a run of another recipe: {'; '.join(fixed)}. Go on with the recipe as it was, name "
            "another output, or begin anew with --fresh."
        )
    return tuple(change for change in differ if change.partition(":")[0] not in ("name", "output"))


def _is_free(key: str) -> bool:
    return key in _FREE or key.startswith(_FREE_SECTIONS)


def _dotted(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _dotted(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return flat
