"""Where the processes of a run wait for each other, exchange a few words, and hear of each other's failures.

They meet at JAX's coordination service, which runs in process 0 and takes no device.  Waiting has no limit as long as
the others live: one may compute for hours while another finds everything stored.  What ends it:

- A process that raises inside `together` says so first, and the others raise a `ProcessError` with its words.
- A process that is killed, or whose machine is, stops sending heartbeats; after `initialize`'s `lost_after` seconds
  JAX aborts the others (exit status 134, "another task died").
"""

import contextlib
import itertools
import json
import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import jax
from jax._src import distributed  # JAX has no public name for the service; Orbax takes this one, too.

from lit.errors import ProcessError

_log = logging.getLogger("lit")
_FAILED = "lit/failed/"
#: Seconds between looks at the service: soon at first, for short waits.
_FIRST_LOOK, _LAST_LOOK = 0.005, 0.5
#: Seconds of waiting after which, again and again, it is said for whom.
_SAY_EVERY = 60.0
_numbers = itertools.count()


def here() -> tuple[int, int]:
    """Which process this is, and of how many; (0, 1) unless several were initialised."""
    return (jax.process_index(), jax.process_count()) if jax.distributed.is_initialized() else (0, 1)


def exchange(what: str, words: str = "") -> list[str]:
    """Waits for all processes, and returns the words of each, in their order.

    Args:
      what: names the occasion; all must come for the same one.
      words: what this process has to say; short, for it goes through process 0.

    Raises:
      ProcessError: one has failed, or has come for something else.
    """
    me, processes = here()
    if processes == 1:
        return [words]
    place = f"lit/meeting/{next(_numbers)}/"
    _service().key_value_set(place + str(me), json.dumps([what, words, socket.gethostname()]))
    came = _wait_for_all(place, what, processes)
    for process, (occasion, _, where) in enumerate(came):
        if occasion != what:
            raise ProcessError(
                f"the processes are out of step: process {process} on {where} is at {occasion!r}, process {me} on "
                f"{socket.gethostname()} at {what!r}; start all of them with the same command."
            )
    return [words for _, words, _ in came]


def _wait_for_all(place: str, what: str, processes: int) -> list[list[str]]:
    pause, began, said = _FIRST_LOOK, time.monotonic(), 0.0
    while True:
        came = {int(key.rpartition("/")[2]): json.loads(value) for key, value in _entries(place)}
        missing = [str(process) for process in range(processes) if process not in came]
        if not missing:
            return [came[process] for process in range(processes)]
        stop_if_another_failed()
        waited = time.monotonic() - began
        if waited - said >= _SAY_EVERY:
            said = waited
            _log.warning("%s: waiting since %.0f s for process %s", what, waited, ", ".join(missing))
        time.sleep(pause)
        pause = min(2 * pause, _LAST_LOOK)


@contextlib.contextmanager
def together() -> Iterator[None]:
    """All processes enter and leave this block; an error in one of them is an error in all.

    Without it, a process that raises leaves the others waiting until JAX's own limits, and one that is done early
    ends the run for one that still writes.
    """
    try:
        yield
        exchange("the end of the run")
    except BaseException as error:
        process, processes = here()
        if processes > 1 and not isinstance(error, ProcessError):
            words = f"process {process} on {socket.gethostname()} failed: {type(error).__name__}: {error}"
            with contextlib.suppress(jax.errors.JaxRuntimeError):
                _service().key_value_set(_FAILED + str(process), words)
        raise


def stop_if_another_failed() -> None:
    """Raises if another process has failed; costs a fraction of a millisecond, so call it between batches.

    Raises:
      ProcessError: with what that process said.
    """
    if here()[1] > 1 and (failed := _entries(_FAILED)):
        raise ProcessError("; ".join(words for _, words in sorted(failed)) + ". The other processes stop, too.")


def _entries(place: str) -> list[tuple[str, str]]:
    try:
        return _service().key_value_dir_get(place)
    except jax.errors.JaxRuntimeError as error:
        raise ProcessError(f"process 0 does not answer any more ({error}); see its own output for why.") from error


def _service() -> Any:
    return distributed.global_state.client
