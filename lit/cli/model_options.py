"""The options that choose a model, the same for every command that runs one."""

import dataclasses
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lit.cli.completion import NameOrPath
from lit.cli.help import ModelOption

if TYPE_CHECKING:
    from lit.model import Model


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """Which model, and how it runs; the fields are those of `lit.load`."""

    model: str | None
    weights: Path | None
    vocab: Path | None
    precision: str
    engine: str
    offline: bool
    batch_size: int | None
    quiet: bool

    def load(self) -> "Model":
        """The model, with its compiled programs kept on disk for the next run."""
        keep_compiled_programs()
        from lit.loading import load

        return load(
            self.model,
            weights=self.weights,
            vocab=self.vocab,
            precision=self.precision,  # pyright: ignore[reportArgumentType]  (load checks it)
            engine=self.engine,
            offline=self.offline or None,
        )


_FILE = click.Path(path_type=Path)
_WHICH = (
    click.option("--model", cls=ModelOption, type=NameOrPath("models"), metavar="NAME|DIR",
                 help="A released model or the folder of a saved one; without it, the embedded model."),
    click.option("--weights", cls=ModelOption, type=_FILE, metavar="FILE", help="Its parameters, where you have them."),
    click.option("--vocab", cls=ModelOption, type=_FILE, metavar="FILE", help="Its vocabulary, where you have it."),
    click.option("--offline", cls=ModelOption, is_flag=True, help="Never touch the network."),
)  # fmt: skip
_HOW = (
    click.option("--precision", cls=ModelOption, default="float32", show_default=True,
                 type=click.Choice(["float32", "bfloat16"]),
                 help="bfloat16 is faster where the processor has matrix units for it, and a little less exact."),
    click.option("--engine", cls=ModelOption, default="xla", show_default=True, type=click.Choice(["xla", "openvino"]),
                 help="What runs the towers."),
    click.option("--batch-size", cls=ModelOption, type=click.IntRange(min=1), metavar="N",
                 help="Pictures per batch; without it, what suits the device."),
    click.option("-q", "--quiet", is_flag=True, help="No progress and no summary; errors are still said."),
)  # fmt: skip


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options and hands them to the command as one `choice`."""
    fields = [field.name for field in dataclasses.fields(ModelChoice)]

    @functools.wraps(command)
    def with_choice(**given: Any) -> Any:
        choice = ModelChoice(**{name: given.pop(name) for name in fields})
        return command(choice=choice, **given)

    return _add(with_choice, _WHICH + _HOW)


def tokenizer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The part of them that says which tokenizer: `model`, `vocab`, `offline`."""
    return _add(command, tuple(o for o in _WHICH if o is not _WHICH[1]))


def _add(command: Callable[..., Any], options: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command


def keep_compiled_programs() -> None:
    """Lets JAX keep what it compiles in lit's cache; must run before JAX is imported.

    A cache that cannot be written costs seconds a run, not the result: a warning, and on.  JAX's own variables, where
    the user has set them, win.
    """
    import logging

    from lit.files import cache_directory

    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    place = cache_directory() / "xla"
    try:
        place.mkdir(parents=True, exist_ok=True)
        probe = place / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        logging.getLogger("lit").warning(
            "compiled programs cannot be kept in %s (%s), so every run compiles anew; set LIT_CACHE to a folder that "
            "is writable for you",
            place,
            error.strerror,
        )
        return
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(place)
    # The towers of a small model compile in less than JAX's threshold of one second, and add up to several.
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
