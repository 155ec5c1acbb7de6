"""Figures for TensorBoard, in its own file format.

TensorBoard's writer would bring TensorFlow along wherever that is installed; a scalar needs forty lines.
Source: tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto, and TFRecord's framing in
tensorflow/core/lib/io/record_writer.cc.
"""

import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lit.store.writing import refusals_told


class Events:
    """Appends scalars to a new event file in a directory.

    Args:
      directory: what `tensorboard --logdir` is given.
      step: where this run begins; TensorBoard drops what an earlier run wrote beyond it.
    """

    def __init__(self, directory: Path, *, step: int) -> None:
        name = f"events.out.tfevents.{time.time_ns() // 1000}.{socket.gethostname()}.{os.getpid()}"
        self._path = directory / name
        with refusals_told(self._path):
            self._file = self._path.open("xb")
            self._write(_bytes(3, b"brain.Event:2"))
            self._write(_varint(2, step) + _bytes(7, _varint(1, 1)))  # SessionLog.START

    def __enter__(self) -> "Events":
        return self

    def __exit__(self, *failed: object) -> None:
        self._file.close()

    def append(self, step: int, scalars: Mapping[str, Any]) -> None:
        """The scalars of one step."""
        values = b"".join(
            _bytes(1, _bytes(1, name.encode()) + _key(2, 5) + struct.pack("<f", value))
            for name, value in scalars.items()
        )
        with refusals_told(self._path):
            self._write(_varint(2, step) + _bytes(5, values))
            self._file.flush()

    def _write(self, event: bytes) -> None:
        event = _key(1, 1) + struct.pack("<d", time.time()) + event
        length = struct.pack("<Q", len(event))
        self._file.write(length + _masked_crc(length) + event + _masked_crc(event))


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _key(field: int, wire: int) -> bytes:
    return _number(field << 3 | wire)


def _varint(field: int, value: int) -> bytes:
    return _key(field, 0) + _number(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _key(field, 2) + _number(len(value)) + value


def _crc_table() -> tuple[int, ...]:
    """CRC-32C (Castagnoli), byte by byte."""
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


_TABLE = _crc_table()


def _masked_crc(data: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
