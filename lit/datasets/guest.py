"""TensorFlow and TensorFlow Datasets as guests: imported when a dataset needs them, quiet, and without a device.

What they do to the process: TensorFlow sets TF2_BEHAVIOR and HDF5_PLUGIN_PATH, calls itself the TPU_ML_PLATFORM, adds
warning filters, and starts threads at its first operation.  tfds adds warning filters; it does not import TensorFlow.
"""

import importlib
import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from lit.errors import MissingExtraError

#: What a machine without a GPU is told at every import, whatever TF_CPP_MIN_LOG_LEVEL says.
_CHATTER = re.compile(rb"WARNING: All log messages before absl|[IW]\d{4} |E\d{4} .*cuda", re.IGNORECASE)


def has(module: str) -> bool:
    """Whether a module is installed; it is not imported."""
    if module in sys.modules:
        return sys.modules[module] is not None
    return importlib.util.find_spec(module) is not None


def tensorflow() -> ModuleType:
    """TensorFlow, with no GPU and no TPU to its name: those are JAX's.

    Raises:
      MissingExtraError: it is not installed.
    """
    if not has("tensorflow"):
        raise MissingExtraError("reading TFRecord files", "tfds")
    if "tensorflow" in sys.modules:
        tf = importlib.import_module("tensorflow")
        _hide_devices(tf)
        return tf
    with _chatter_dropped():
        tf = importlib.import_module("tensorflow")
        _hide_devices(tf)
    return tf


def tfds() -> ModuleType:
    """TensorFlow Datasets; it does not import TensorFlow.

    Raises:
      MissingExtraError: it is not installed.
    """
    if not has("tensorflow_datasets"):
        raise MissingExtraError("reading a dataset of TensorFlow Datasets", "tfds")
    return importlib.import_module("tensorflow_datasets")


def _hide_devices(tf: ModuleType) -> None:
    for kind in ("GPU", "TPU"):
        try:
            tf.config.set_visible_devices([], kind)
        except RuntimeError:
            # The program that lit runs in has used TensorFlow before and chose its devices; they cannot be changed.
            return


@contextmanager
def _chatter_dropped() -> Iterator[None]:
    """Keeps what TensorFlow's libraries say about missing GPUs off standard error; anything else gets there, late."""
    level = os.environ.get("TF_CPP_MIN_LOG_LEVEL")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            if level is None:
                del os.environ["TF_CPP_MIN_LOG_LEVEL"]
            said.seek(0)
            for line in said:
                if not _CHATTER.match(line):
                    os.write(2, line)
