"""Steps prepared ahead by Grain, in threads or in processes.  Grain is imported here alone."""

import signal
from collections.abc import Callable
from typing import Any

from lit.errors import MissingExtraError

#: Steps that are prepared while one is computed, and threads that prepare one each.
_AHEAD = 2
#: Grain counts as far as this.
_ENDLESS = 2**62


def grain() -> Any:
    """Grain, imported when it is needed: it takes two seconds, and JAX with it.

    Raises:
      MissingExtraError: it is not installed.
    """
    try:
        import grain
    except ImportError as error:
        raise MissingExtraError("LiT training", "train") from error
    return grain


def prepared_ahead(prepare: Callable[[int], dict[str, Any]], first: int, workers: int) -> Any:
    """What `prepare` makes of the steps from `first` on, in order, without end.

    Args:
      prepare: a process can be sent it where there are workers.
      workers: processes; 0: threads of this one.

    Returns:
      Grain's iterator; `close` ends threads and processes.
    """
    steps = grain().MapDataset.range(first, _ENDLESS).map(prepare)
    if not workers:
        return iter(steps.to_iter_dataset(grain().ReadOptions(num_threads=_AHEAD, prefetch_buffer_size=_AHEAD)))
    _flags_parsed()
    in_worker = steps.to_iter_dataset(grain().ReadOptions(num_threads=1, prefetch_buffer_size=1))
    processes = grain().MultiprocessingOptions(num_workers=workers, per_worker_buffer_size=1)
    return iter(in_worker.mp_prefetch(processes, worker_init_fn=_without_ctrl_c))


def _without_ctrl_c(*_: int) -> None:
    """Ctrl-C is the main process's to answer; it ends the workers when it is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _flags_parsed() -> None:
    """Grain's processes read command line flags of Abseil, which refuses before a program has parsed its own."""
    from absl import flags

    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
