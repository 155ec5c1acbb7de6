"""One evaluation on several processes: each takes a share of the examples, and all get every row.

Towers run on a process's own devices alone; the processes meet only to exchange results, as bytes, so that nothing is
rounded or narrowed on the way.  Where `initialize` was not called there is one process, and everything here works.
"""

import collections
import hashlib
import json
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax._src.xla_bridge import backends_are_initialized  # no public name
from jaxtyping import Float32

from lit import zeroshot
from lit.classcache import ClassCache
from lit.errors import ConfigError, InputError, ProcessError
from lit.evaluation.meeting import exchange, here
from lit.evaluation.meeting import stop_if_another_failed as stop_if_another_failed
from lit.evaluation.meeting import together as together
from lit.evaluation.packing import gather_bytes, join, pack, unpack
from lit.evaluation.rollcall import address_of, call_the_roll, is_loopback
from lit.model import Model


def initialize(
    coordinator: str | None = None,
    processes: int | None = None,
    process: int | None = None,
    *,
    timeout: float = 300,
    lost_after: int = 100,
) -> None:
    """Makes this process one of several.  Call it first, before anything that computes.

    Without arguments JAX finds the others by itself (Cloud TPU, Slurm, Open MPI).  Called again with the same
    arguments, or with none, it does nothing.

    Args:
      coordinator: "host:port" of process 0, reachable from all; any free port.
      processes: how many there are.
      process: which this one is, from 0.
      timeout: seconds to wait for all to come.
      lost_after: seconds without a sign of life after which a process counts as dead and JAX ends the others.

    Raises:
      ConfigError: only some of the arguments; no cluster was found; JAX has computed already; called before with other
        arguments.
      ProcessError: the others did not come in time, or do not agree who is who.  (Without arguments JAX itself
        waits, and aborts the process.)
    """
    given = {"coordinator": coordinator, "processes": processes, "process": process}
    lacking = [name for name, value in given.items() if value is None]
    if 0 < len(lacking) < 3:
        raise ConfigError(
            f"initialize takes coordinator, processes and process together; {' and '.join(lacking)} lack."
        )
    if jax.distributed.is_initialized():
        return _check_same(processes, process)
    # Before the roll is called: else the others would go on, and JAX would end them for want of this one.
    if backends_are_initialized():
        raise ConfigError("JAX has computed already in this process; call initialize before everything else.")
    options: dict[str, Any] = {"local_device_ids": slurm_devices(os.environ)}
    if coordinator is not None and processes is not None and process is not None:
        if not 0 <= process < processes:
            raise ConfigError(f"process is {process}; with {processes} processes it must be 0 to {processes - 1}.")
        host, _ = address_of(coordinator)
        if processes == 1:
            return None
        call_the_roll(coordinator, processes, process, timeout=timeout)
        options |= {"coordinator_address": coordinator, "num_processes": processes, "process_id": process}
        if is_loopback(host):
            options["coordinator_bind_address"] = coordinator
    _connect(options, int(timeout), lost_after)
    return None


def slurm_devices(env: Mapping[str, str]) -> list[int] | None:
    """Which of the GPUs that it sees a Slurm task takes; None: as JAX does, the one of its number on the node.

    JAX's rule fits tasks that see all GPUs of their node (`--gres`).  With `--gpus-per-task=1` each sees one, whose
    number is 0; and a lone task on a node should take all that it sees.

    Source: https://github.com/jax-ml/jax/issues/28194, https://github.com/jax-ml/jax/issues/16788
    """
    visible = [name for name in env.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    if "SLURM_LOCALID" not in env or "JAX_LOCAL_DEVICE_IDS" in env or not visible:
        return None
    lone = env.get("SLURM_NTASKS") is not None and env["SLURM_NTASKS"] == env.get("SLURM_STEP_NUM_NODES")
    return list(range(len(visible))) if lone or len(visible) == 1 else None


def _connect(options: Mapping[str, Any], timeout: int, lost_after: int) -> None:
    try:
        jax.distributed.initialize(initialization_timeout=timeout, heartbeat_timeout_seconds=lost_after, **options)
        jax.local_devices()  # the processes tell each other of their devices: now, while all are there
    except ValueError as error:
        raise ConfigError(
            f"found no cluster to run on ({error}); give coordinator, processes and process, or start under Slurm or "
            "Open MPI, or on a Cloud TPU."
        ) from error
    except RuntimeError as error:
        raise ProcessError(f"the processes could not be connected: {error}") from error


def _check_same(processes: int | None, process: int | None) -> None:
    """Raises unless what is asked for is what was initialised."""
    was, of = here()
    if process is not None and (process, processes) != (was, of):
        raise ConfigError(
            f"initialize was called before as process {was} of {of}, now as process {process} of {processes}; call it "
            "once."
        )


def shard_of_this_process() -> tuple[int, int]:
    """`(shard, shards)`, as `Dataset.examples` takes them; (0, 1) where there is one process."""
    return here()


def is_first_process() -> bool:
    """Whether this is the one that writes reports and shows progress."""
    return here()[0] == 0


def share_of(count: int) -> slice:
    """This process's contiguous share of so many items; shares differ by one at most."""
    process, processes = here()
    return slice(count * process // processes, count * (process + 1) // processes)


def gather(columns: Mapping[str, np.ndarray], positions: np.ndarray) -> dict[str, np.ndarray]:
    """All processes' rows, on every process, in the dataset's order; bit by bit what was handed in.

    Shares are padded to the longest on the way, and cut to their own length on arrival.

    Args:
      columns: name -> (rows, ...) of any type with a fixed size (numbers, bool, byte strings); the same names on all
        processes.  A process may have no rows.
      positions: (rows,) where in the dataset each row belongs.

    Raises:
      InputError: columns of different lengths, or Python objects.
      ProcessError: another process failed; or processes disagree in columns, or hold one position twice.
    """
    columns = {"positions": np.asarray(positions, np.int64), **{f"column {k}": v for k, v in columns.items()}}
    shares = [unpack(packed) for packed in gather_bytes(pack(columns), "gathering rows")]
    if any(share.keys() != columns.keys() for share in shares):
        raise ProcessError(f"processes gather different columns: {' | '.join(', '.join(s) for s in shares)}")
    place = np.concatenate([share["positions"] for share in shares])
    order = np.argsort(place, kind="stable")
    twice = place[order][1:][np.diff(place[order]) == 0]
    if twice.size:
        raise ProcessError(f"example {twice[0]} came from two processes; their shards of the dataset overlap.")
    return {
        name.removeprefix("column "): join(name, [share[name] for share in shares])[order]
        for name in columns
        if name != "positions"
    }


def gather_objects(rows: Sequence[Any], positions: np.ndarray | None = None) -> list[Any]:
    """Like `gather`, for rows that JSON can carry: strings, numbers, lists, dictionaries, None.  Tuples become lists.

    Args:
      rows: of this process.
      positions: where in the dataset each belongs; None: the rows of process 0, then those of 1, and so on.

    Raises:
      InputError: something that JSON cannot carry.
    """
    places = None if positions is None else np.asarray(positions).tolist()
    try:
        packed = json.dumps([places, list(rows)]).encode()
    except (TypeError, ValueError) as error:
        raise InputError(f"a row cannot be sent to the other processes: {error}") from error
    shares = [json.loads(bytes(share)) for share in gather_bytes(packed, "gathering objects")]
    everything = [row for _, share in shares for row in share]
    if positions is None:
        return everything
    place = np.asarray([place for own, _ in shares for place in own], np.int64)
    return [everything[i] for i in np.argsort(place, kind="stable")]


def agree(what: Mapping[str, str]) -> None:
    """Raises unless all processes say the same: before they put their results together.

    Args:
      what: factor -> value, such as the dataset's fingerprint, the model's, and the versions.

    Raises:
      ProcessError: with every factor in which a process differs from most (of equally many, from the first).
    """
    said = [json.loads(words) for words in exchange("comparing", json.dumps([socket.gethostname(), dict(what)]))]
    differences = []
    for factor in sorted({factor for _, values in said for factor in values}):
        values = [values.get(factor, "nothing") for _, values in said]
        usual, _ = collections.Counter(values).most_common(1)[0]
        odd = [f"process {i} on {said[i][0]} has {v}" for i, v in enumerate(values) if v != usual]
        if odd:
            differences.append(f"{factor}: {', '.join(odd)}; the others have {usual}")
    if differences:
        raise ProcessError(
            "the processes do not evaluate the same thing. "
            + ". ".join(differences)
            + ". Give all of them the same files, versions and command."
        )


def class_embeddings(
    model: Model, texts: Sequence[Sequence[str]], *, renormalize: bool, cache: bool = True, progress: bool = False
) -> Float32[np.ndarray, "classes dim"]:
    """What `lit.zeroshot.class_embeddings` computes, bit by bit, each process embedding a share of the classes.

    A `ZeroShotClassifier` made afterwards with the same model and texts finds the result in its cache.

    Args:
      model, texts, renormalize, progress: see there.
      cache: read and write the cache of class embeddings.

    Raises:
      ProcessError: the processes were given different texts: each would embed a share of other classes.
    """
    said = hashlib.sha256(json.dumps(list(map(list, texts))).encode()).hexdigest()
    agree({"class texts (sha256)": said, "renormalize": str(renormalize), "class cache": str(cache)})
    store = ClassCache(model.fingerprint, texts, renormalize, model.dim) if cache else None
    found = store.read() if store else None
    # All compute, or none: where caches differ, one would wait for rows that nobody sends.
    if all(gather_objects([found is not None])) and found is not None:
        return found
    own = range(len(texts))[share_of(len(texts))]
    rows = np.zeros((0, model.dim), np.float32)
    if own:
        rows = zeroshot.class_embeddings(
            model, texts[own.start : own.stop], renormalize=renormalize, progress=progress and is_first_process()
        )
    everything = gather({"rows": rows}, np.asarray(own, np.int64))["rows"]
    if store and found is None:
        store.write(everything)
    return everything
