"""The towers under OpenVINO, which on Intel processors is faster than XLA, above all in bfloat16."""

import importlib
import math
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from jaxtyping import Float32, Int32, Shaped

from lit.config import LiTConfig
from lit.engine import TEXTS_PER_IMAGE, Kind, Precision, check_precision, default_image_batch, tower_functions
from lit.errors import MissingExtraError

_HINTS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVinoEngine:
    """The same towers as `XlaEngine`'s, translated by `lit.openvino_graph` and compiled once for each input shape.

    "bfloat16" is a hint: OpenVINO then keeps most intermediates in bfloat16, not the operands of products alone, and
    on a processor without bfloat16 arithmetic it stays with float32.

    Distance from XLA's float32 embeddings, ViT-B/16 and BERT-base with random weights (largest difference; smallest
    cosine): float32 3e-7; 1.000000, bfloat16 0.0021; 0.99988.  XLA's own bfloat16: 0.0009; 0.99997.

    Args:
      config: the model.
      params: its nested parameters, numpy or JAX arrays.
      precision: "float32" or "bfloat16".

    Raises:
      MissingExtraError: OpenVINO is not installed.
      UnknownNameError: no such precision.
    """

    def __init__(self, config: LiTConfig, params: Mapping[str, Any], *, precision: Precision = "float32") -> None:
        check_precision(precision)
        openvino = _import_openvino()
        self._core = openvino.Core()
        self.params = jax.tree.map(np.asarray, params)
        self.devices = 1
        self.kind: Kind = "zimg"
        self._settings = {"INFERENCE_PRECISION_HINT": _HINTS[precision]}
        # The graph is float32 whatever the precision: OpenVINO lowers it as the hint says.
        self._image, self._text = tower_functions(config, "float32")
        self._compiled: dict[Any, Any] = {}
        # Two rows a core, because one leaves a third of the speed behind, and a lone image pays for all of them.
        self.image_batch = 2 * default_image_batch("cpu", 1)
        self.text_batch = TEXTS_PER_IMAGE * self.image_batch
        processor = self._core.get_property("CPU", "FULL_DEVICE_NAME")
        self.description = f"openvino {openvino.__version__} cpu {processor}, jax {jax.__version__}"

    def images(self, pixels: Shaped[np.ndarray, "batch h w 3"]) -> "Pending":
        """uint8 or float32 (batch, h, w, 3) -> (batch, dim) float32, still being computed."""
        return self._start(self._image, pixels)

    def texts(self, tokens: Int32[np.ndarray, "batch tokens"]) -> "Pending":
        """int32 (batch, tokens) -> (batch, dim) float32, still being computed."""
        return self._start(self._text, tokens)

    def _start(self, tower: Callable[[Any, Any], Any], batch: np.ndarray) -> "Pending":
        # Each core takes a share of the rows and works alone, without waiting for the others after every operation.
        shares = math.gcd(len(batch), os.cpu_count() or 1)
        key = (tower, batch.shape, batch.dtype.name)
        if key not in self._compiled:
            from lit.openvino_graph import to_graph

            graph = to_graph(tower, self.params, (len(batch) // shares, *batch.shape[1:]), batch.dtype)
            settings = self._settings if shares == 1 else {**self._settings, "NUM_STREAMS": shares}
            self._compiled[key] = self._core.compile_model(graph, "CPU", settings)
        compiled = self._compiled[key]
        return Pending([(compiled.create_infer_request(), rows) for rows in np.split(batch, shares)])


class Pending:
    """A result under way; `numpy.asarray` waits for it."""

    def __init__(self, shares: list[tuple[Any, np.ndarray]]) -> None:
        self._requests = [request for request, _ in shares]
        for request, rows in shares:
            request.start_async({0: rows})

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Float32[np.ndarray, "batch dim"]:
        for request in self._requests:
            request.wait()
        out = np.concatenate([request.get_output_tensor(0).data for request in self._requests])
        return out if dtype is None else out.astype(dtype, copy=False)


def _import_openvino() -> Any:
    """OpenVINO without its telemetry.

    Importing it reports to its makers, from a forked process: nothing that a user of this library asked for, and a
    fork beside JAX's threads may hang.  Where its telemetry package is missing OpenVINO does without, and while None
    stands in `sys.modules`, it is missing.
    """
    name = "openvino_telemetry"
    absent = name not in sys.modules
    if absent:
        sys.modules[name] = None  # pyright: ignore[reportArgumentType]
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise MissingExtraError("the OpenVINO engine", "openvino") from error
    finally:
        if absent:
            del sys.modules[name]
