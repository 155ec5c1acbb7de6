"""Rows of arrays as bytes, and bytes from every process to every process."""

import contextlib
import ctypes
import json
import os
import sys
import zlib
from collections.abc import Iterator, Mapping

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import UInt8

from lit.errors import InputError, ProcessError
from lit.evaluation.meeting import exchange

#: Bytes that one step brings to a host, from all processes together.
_STEP = 64 << 20
#: A shorter last step is rounded up to this times a power of two: few shapes, few compilations.
_SMALLEST = 1 << 12
#: numpy's kinds of a fixed size that their name alone describes.
_KINDS = "biufcSUmM"


def pack(columns: Mapping[str, np.ndarray]) -> bytes:
    """Columns of equal length as bytes.

    Raises:
      InputError: they differ in length, or hold Python objects.
    """
    head, parts = {}, []
    for name, column in columns.items():
        column = np.asarray(column)
        if column.dtype.kind not in _KINDS:
            raise InputError(f"{name} is of type {column.dtype}; rows can be sent as numbers, bool or byte strings.")
        if column.ndim == 0 or len(column) != len(next(iter(columns.values()))):
            raise InputError(f"{name} is of shape {column.shape}; all columns and the positions must be equally long.")
        head[name] = column.dtype.str, column.shape
        parts.append(np.ascontiguousarray(column).tobytes())
    return b"\n".join([json.dumps(head).encode(), b"".join(parts)])


def unpack(packed: bytes) -> dict[str, np.ndarray]:
    """What `pack` was given."""
    head, _, body = packed.partition(b"\n")
    columns, at = {}, 0
    for name, (kind, shape) in json.loads(head).items():
        columns[name] = np.ndarray(shape, kind, body, at)
        at += columns[name].nbytes
    return columns


def join(name: str, parts: list[np.ndarray]) -> np.ndarray:
    """One column from its parts; byte strings take the width of the longest.

    A part without rows does not count: its type and shape may be numpy's defaults.

    Raises:
      ProcessError: parts of different types or shapes.
    """
    parts = [part for part in parts if len(part)] or parts[:1]
    if len({(part.dtype if part.dtype.kind not in "SU" else part.dtype.kind, part.shape[1:]) for part in parts}) > 1:
        shown = ", ".join(f"{part.dtype} {part.shape}" for part in parts)
        raise ProcessError(f"{name} differs in type or shape between the processes: {shown}")
    return np.concatenate(parts)


def gather_bytes(data: bytes, what: str) -> list[bytes]:
    """The bytes of every process, on every process.

    They travel over the devices, where the fast network is, padded to the longest; lengths and checksums go ahead.

    Args:
      data: of this process; lengths may differ.
      what: names the occasion.

    Raises:
      ProcessError: another process failed, or bytes arrived damaged.
    """
    said = [json.loads(words) for words in exchange(what, json.dumps([len(data), zlib.crc32(data)]))]
    if len(said) == 1:
        return [data]
    longest, step = max(length for length, _ in said), max(_SMALLEST, _STEP // len(said))
    everything = np.empty((len(said), longest), np.uint8)
    for start in range(0, longest, step):
        own = np.zeros(min(step, max(_SMALLEST, 1 << (longest - start - 1).bit_length())), np.uint8)
        part = np.frombuffer(data, np.uint8)[start : start + len(own)]
        own[: len(part)] = part
        try:
            rows = _all_gather(own)
        except (ValueError, RuntimeError) as error:
            raise ProcessError(f"{what}: a process was lost, or the network between them ({error})") from error
        everything[:, start : start + len(own)] = rows[:, : longest - start]
    shares = [row[:length].tobytes() for row, (length, _) in zip(everything, said, strict=True)]
    for process, (row, (_, checksum)) in enumerate(zip(shares, said, strict=True)):
        if zlib.crc32(row) != checksum:
            raise ProcessError(
                f"{what}: the bytes of process {process} arrived damaged; nothing was computed from them."
            )
    return shares


def _all_gather(own: UInt8[np.ndarray, "bytes"]) -> UInt8[np.ndarray, "processes bytes"]:
    """The row of every process, of one length everywhere; each local device carries a part of the columns."""
    in_order = sorted(jax.devices(), key=lambda device: (device.process_index, device.id))
    devices = np.asarray(in_order).reshape(jax.process_count(), -1)
    mesh = Mesh(devices, ("processes", "devices"))
    width = -(-len(own) // devices.shape[1]) * devices.shape[1]
    mine = np.pad(own, (0, width - len(own)))[None]
    split = NamedSharding(mesh, PartitionSpec("processes", "devices"))
    together = NamedSharding(mesh, PartitionSpec(None, "devices"))
    with results_only_on_stdout():
        sent = jax.make_array_from_process_local_data(split, mine, (len(devices), width))
        arrived = jax.block_until_ready(jax.jit(_itself, out_shardings=together)(sent))
    rows = np.empty((len(devices), width), np.uint8)
    for shard in arrived.addressable_shards:
        rows[shard.index] = np.asarray(shard.data)
    return rows[:, : len(own)]


def _itself(rows: jax.Array) -> jax.Array:
    return rows  # at module level, so that it compiles once for each shape


@contextlib.contextmanager
def results_only_on_stdout() -> Iterator[None]:
    """What the block prints goes to standard error, libraries written in C++ included.

    Gloo, which connects CPU processes, says to standard output that it starts.
    """
    sys.stdout.flush()
    stdout = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # its line waits in the C library's buffer
        os.dup2(stdout, 1)
        os.close(stdout)
