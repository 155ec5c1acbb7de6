"""Checkpoints of a run: written beside the training, whole or not at all, and read back only where they are sound.

Orbax writes them.  It notices a file that is missing or cut off, but hands out arrays with flipped bits without a word;
so each checkpoint carries a checksum of every array and of what is told beside them, and a restored one is compared.
"""

import dataclasses
import gc
import json
import shutil
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp

from lit.errors import CheckpointError, ConfigError, OutputError
from lit.evaluation.meeting import exchange
from lit.store.writing import refusals_told
from lit.training.orbax_errors import by_orbax, first_line, without_echoes
from lit.training.state import TrainState, architecture, differences, sums

_STATE, _RECORD, _SUMS, _SHAPES, _SEAL = "state", "record", "sums", "architecture", "seal"
_MOST_NAMED = 4
_PATIENCE = 100


@dataclasses.dataclass(frozen=True, kw_only=True)
class Restored:
    """A checkpoint that was read back.

    Attributes:
      state: bit for bit what was saved.
      record: what was saved with it, plain values.
      damaged: newer checkpoints that could not be read, as "step N (why)"; they were moved out of the way.
    """

    state: TrainState
    record: dict[str, Any]
    damaged: tuple[str, ...]


class Checkpoints:
    """The checkpoints in one directory; use it in a `with` block, which waits for what is being written.

    Args:
      directory: is made.
      keep: so many newest ones stay.

    Raises:
      OutputError: the directory cannot be written.
    """

    def __init__(self, directory: Path, *, keep: int = 2) -> None:
        self.directory = directory.absolute()
        options = ocp.CheckpointManagerOptions(
            preservation_policy=ocp.checkpoint_managers.LatestN(keep),
            cleanup_tmp_directories=True,  # what a kill left behind
            enable_async_checkpointing=True,
        )
        with refusals_told(self.directory):
            if jax.process_index() == 0:
                _remove_unfinished(self.directory)
            self._manager = ocp.CheckpointManager(self.directory, options=options)

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *failed: object) -> None:
        with self._telling():
            self._manager.close()

    @property
    def steps(self) -> list[int]:
        """Steps that are on disk, or on the way there, ascending."""
        return sorted(self._manager.all_steps())

    def save(self, step: int, state: TrainState, record: Mapping[str, Any]) -> None:
        """Begins to write a checkpoint; the state may be donated as soon as this returns.

        Waits for the checkpoint before it, if that is still being written.

        Raises:
          OutputError: that one, or this one, could not be written; or the directory was removed.
        """
        if not self.directory.is_dir():  # Orbax would make it again, in a folder that is no run's any more
            raise OutputError(
                f"{self.directory} is not there any more: it was removed or renamed during the run. Put it back and "
                "run the same command again, or begin anew."
            )
        told = {_RECORD: dict(record), _SUMS: sums(state), _SHAPES: architecture(state)}
        told[_SEAL] = _seal(told)
        with self._telling():
            self._manager.save(
                step,
                args=ocp.args.Composite(state=ocp.args.StandardSave(state._asdict()), record=ocp.args.JsonSave(told)),
            )

    def wait(self) -> None:
        """Returns when everything is on disk.

        Raises:
          OutputError: it could not be written.
        """
        with self._telling():
            self._manager.wait_until_finished()

    def restore(self, like: TrainState) -> Restored | None:
        """The newest sound checkpoint, or None where there is none at all.

        Args:
          like: arrays or `jax.ShapeDtypeStruct`s with shardings, as the state shall be.

        Raises:
          ConfigError: the newest one is of another architecture.
          CheckpointError: there are checkpoints, and not one is sound.
        """
        damaged = []
        with without_echoes():
            for step in reversed(self.steps):
                found = self._sound(step, like)
                if not isinstance(found, str):
                    self._move_away([s for s in self.steps if s > step])
                    return Restored(state=found[0], record=found[1], damaged=tuple(damaged))
                damaged.append(f"step {step} ({found})")
                gc.collect()
        if damaged:
            raise CheckpointError(
                f"{self.directory}: not one checkpoint can be read: {'; '.join(damaged)}. Restore the folder from a "
                "copy, or begin anew with --fresh."
            )
        return None

    def _sound(self, step: int, like: TrainState) -> tuple[TrainState, dict[str, Any]] | str:
        """State and record of a checkpoint, or what is wrong with it."""
        try:
            told = self._manager.restore(step, args=ocp.args.Composite(record=ocp.args.JsonRestore()))[_RECORD]
            if told.pop(_SEAL) != _seal(told):
                raise ValueError("its record is not what was saved")
            self._check(step, told[_SHAPES], like)
            return self._state(step, like, told[_SUMS]), told[_RECORD]
        except ConfigError:
            raise
        except BaseException as error:
            if not by_orbax(error):
                raise
            return first_line(error)

    def _check(self, step: int, had: Mapping[str, str], like: TrainState) -> None:
        differ = differences(had, architecture(like))
        if differ:
            more = len(differ) - _MOST_NAMED
            raise ConfigError(
                f"{self.directory} holds a run of another architecture (step {step}): "
                + "; ".join(differ[:_MOST_NAMED])
                + (f"; and {more} more" if more > 0 else "")
                + ". Name another output, or begin anew with --fresh."
            )

    def _state(self, step: int, like: TrainState, expected: Mapping[str, int]) -> TrainState:
        abstract = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding), like._asdict())
        args = ocp.args.Composite(state=ocp.args.StandardRestore(abstract))
        state = TrainState(**self._manager.restore(step, args=args)[_STATE])
        differ = differences(expected, sums(state))
        if differ:
            raise ValueError(f"{len(differ)} arrays are not what was saved, the first {differ[0].partition(':')[0]}")
        return state

    def _move_away(self, steps: list[int]) -> None:
        """Makes room for the same steps to be saved again; nothing is deleted."""
        if steps and jax.process_index() == 0:
            away = self.directory.with_name(self.directory.name + "-damaged")
            with refusals_told(away):
                away.mkdir(exist_ok=True)
                for step in steps:
                    n = sum(1 for _ in away.glob(f"{step}*"))
                    (self.directory / str(step)).rename(away / (f"{step}-{n}" if n else str(step)))
        if steps:
            exchange("damaged checkpoints are out of the way")  # else another process would still see them
            self._manager.reload()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        refused = ""
        with without_echoes():
            try:
                yield
            except BaseException as error:
                if not by_orbax(error):
                    raise
                refused = first_line(error)
            if refused:
                gc.collect()
        if refused:  # outside of the handler: else the error would hold on to what Orbax dropped
            sound = [step for step in self.steps if (self.directory / str(step)).is_dir()]
            kept = f"The checkpoint of step {sound[-1]} is kept" if sound else "There is no older one"
            raise OutputError(
                f"a checkpoint could not be written to {self.directory}: {refused}. {kept}; free some space and run "
                "the same command again."
            )


def _remove_unfinished(directory: Path) -> None:
    """What a kill, or a save that failed, left behind.

    Threads of a save that failed in this very process may still be writing there; Orbax would give up at that.
    """
    for _ in range(_PATIENCE):
        left = list(directory.glob("*.orbax-checkpoint-tmp*"))
        for path in left:
            shutil.rmtree(path, ignore_errors=True)
        if not left:
            return
        time.sleep(0.05)


def _seal(told: Mapping[str, Any]) -> int:
    """CRC-32 of what is told beside the arrays: a place in the data that is off by one bit is still a number."""
    return zlib.crc32(json.dumps(told, sort_keys=True).encode())
