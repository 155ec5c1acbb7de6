"""Every error that lit raises on purpose.

::

    LitError
    +- UnknownNameError (LookupError)         a model, prompt set or suite that is not in its table
    +- ConfigError (ValueError)               a configuration that cannot be built
    +- InputError (ValueError)                something the caller handed in
    |  +- ImageError                          an image: which one, and what was wrong with it
    |  +- PromptError                         a prompt or a class list
    +- CheckpointError                        weights, or files that carry them
    |  +- CheckpointNotFoundError (FileNotFoundError)
    |  +- ChecksumError
    |  +- ParamsMismatchError                 .missing .unexpected .wrong_shape: all of them, once
    +- OutputError (OSError)                  a result that could not be written
    +- DatasetError
    +- DivergedError                          a training whose loss is no number any more
    +- ProcessError                         another process of the same run: missing, failed, or doing something else
    +- ResourceNotFoundError                  the installation lacks a file that it should carry
    +- MissingExtraError (ImportError)        an optional dependency: the exact pip line

A message says what happened, what was expected (with numbers), and what to do.  The command line prints the message
of a `LitError` on one line and exits with 1; anything else is a bug and shows its traceback.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence


class LitError(Exception):
    """Base of every error that lit raises on purpose."""


class UnknownNameError(LitError, LookupError):
    """A name that is not in its table; says what was meant, perhaps, and what there is.

    Args:
      kind: what the name should have been, in the singular ("model", "prompt set").
      name: what was asked for.
      known: the names there are.
      hint: a further sentence ("A path to a file works too.").
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, hint: str = "") -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        folded = {k.casefold(): k for k in self.known}
        close = difflib.get_close_matches(str(name).casefold(), folded, n=1, cutoff=0.5)
        meant = f" Did you mean {folded[close[0]]!r}?" if close else ""
        there_is = ", ".join(self.known) if self.known else "none"
        super().__init__(f"unknown {kind} {name!r}.{meant} Known: {there_is}." + (f" {hint}" if hint else ""))


class ConfigError(LitError, ValueError):
    """A configuration that contradicts itself or that nothing can be built from."""


class InputError(LitError, ValueError):
    """Something that the caller handed in and that cannot be used."""


class ImageError(InputError):
    """An image that cannot be used.

    Attributes:
      item: the path, or a description of what was given.
      index: its position in the batch that it came in, or None.
      reason: what was wrong, without the item's name.
    """

    def __init__(self, reason: str, *, item: str, index: int | None = None) -> None:
        self.reason, self.item, self.index = reason, item, index
        # A file's name may hold anything but NUL and a slash: line breaks, or what a terminal takes for a command.
        shown = item if item and item.isprintable() else repr(item)
        where = shown if index is None else f"{shown} (item {index})"
        super().__init__(f"{where}: {reason}")


class PromptError(InputError):
    """A prompt, a prompt set or a list of class names that cannot be used."""


class CheckpointError(LitError):
    """Weights, or a file that should carry them, that cannot be used."""


class CheckpointNotFoundError(CheckpointError, FileNotFoundError):
    """No place that was tried has the file; the message lists every place and the ways on."""


class ChecksumError(CheckpointError):
    """A file whose content is not what was published, or not what it was at first use."""


class ParamsMismatchError(CheckpointError):
    """Parameters that do not fit the model: all differences at once.

    Attributes:
      missing: names that the model needs and the checkpoint lacks.
      unexpected: names that the checkpoint has and the model does not know.
      wrong_shape: name -> (shape in the checkpoint, shape in the model).
    """

    def __init__(
        self,
        source: str,
        *,
        missing: Sequence[str] = (),
        unexpected: Sequence[str] = (),
        wrong_shape: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] | None = None,
    ) -> None:
        self.missing, self.unexpected = tuple(missing), tuple(unexpected)
        self.wrong_shape = dict(wrong_shape or {})
        parts = []
        if self.missing:
            parts.append(f"{len(self.missing)} missing: " + ", ".join(self.missing))
        if self.unexpected:
            parts.append(f"{len(self.unexpected)} unexpected: " + ", ".join(self.unexpected))
        if self.wrong_shape:
            rows = (f"{n} is {got}, needs {want}" for n, (got, want) in self.wrong_shape.items())
            parts.append(f"{len(self.wrong_shape)} of the wrong shape: " + ", ".join(rows))
        super().__init__(
            f"{source} does not fit the model; nothing was loaded. "
            + "; ".join(parts)
            + ". Check that the checkpoint and the model's name belong together."
        )


class OutputError(LitError, OSError):
    """A result that could not be written; nothing half-written was left behind."""


class DatasetError(LitError):
    """A dataset that cannot be read, or that is not what its suite says."""


class DivergedError(LitError):
    """A training whose loss or gradients are no longer finite; the message says what to look at."""


class ProcessError(LitError):
    """Processes of one run that cannot go on together: one did not come, failed, or does something else."""


class ResourceNotFoundError(LitError):
    """A file that belongs to the installation and is not there."""


class MissingExtraError(LitError, ImportError):
    """An optional dependency that is not installed; the message is the line that installs it.

    Args:
      what: the feature that needs it ("writing Parquet").
      extra: the extra of the distribution that brings it.
    """

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs the extra {extra!r}: pip install 'lit-jax[{extra}]'")
