"""How the towers run: compiled once per shape, on every local device, through one sharding.

An engine takes numpy batches of a fixed shape and returns at once with a result that is still being computed;
`numpy.asarray` of it waits.  Batches are split over the local devices and parameters copied to each of them.
"""

import importlib.util
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from lit.config import LiTConfig
from lit.errors import ConfigError, MissingExtraError, UnknownNameError
from lit.images import to_range
from lit.nn import two_towers

Precision = Literal["float32", "bfloat16"]
Kind = Literal["zimg", "features"]
PRECISIONS = ("float32", "bfloat16")
ENGINES = ("xla", "openvino")

#: Images per device and batch where there is an accelerator.
_ACCELERATOR_BATCH = 64
#: A text is about this many times cheaper than an image (16 tokens against 197).
TEXTS_PER_IMAGE = 16


@runtime_checkable
class Engine(Protocol):
    """Runs the two towers on batches; rows beyond the caller's are padding."""

    #: How many devices a batch is split over; every batch is a multiple of it.
    devices: int
    #: Rows of a batch unless the caller says otherwise; one shape for all, so that nothing compiles anew.
    image_batch: int
    text_batch: int
    #: What `images` gives: embeddings of unit norm, or the image tower's features before any head on it.
    kind: Kind
    #: The nested parameters that it computes with, in the precision in which it holds them.
    params: Mapping[str, Any]
    #: What, beside weights and input, can move the last bits of a result.
    description: str

    def images(self, pixels: np.ndarray) -> Any:
        """uint8 or float32 (batch, h, w, 3) -> (batch, dim) float32, still being computed."""
        ...

    def texts(self, tokens: np.ndarray) -> Any:
        """int32 (batch, tokens) -> (batch, dim) float32, still being computed."""
        ...


def default_image_batch(platform: str, devices: int) -> int:
    """Images per batch: 64 a device on an accelerator; on a CPU the largest power of two up to its cores, from 2 to 32.

    On a CPU throughput hardly grows with the batch, and a lone image pays for the whole of it.
    """
    if platform != "cpu":
        return _ACCELERATOR_BATCH * devices
    cores = max(2, min(32, os.cpu_count() or 2))
    return -(-(1 << (cores.bit_length() - 1)) // devices) * devices


class XlaEngine:
    """The towers under `jax.jit`.

    Args:
      config: the model.
      params: its nested parameters, numpy or JAX arrays.
      precision: "float32", or "bfloat16": matrix products take bfloat16 operands and accumulate in float32.
      devices: defaults to every local device.
      features: `images` gives what the image tower makes before any head on it, not embeddings; the parameters of the
        text side may then be absent.
    """

    def __init__(
        self,
        config: LiTConfig,
        params: Mapping[str, Any],
        *,
        precision: Precision = "float32",
        devices: Sequence[Any] | None = None,
        features: bool = False,
    ) -> None:
        check_precision(precision)
        devices = devices or jax.local_devices()
        mesh = Mesh(np.asarray(devices), ("batch",))
        self._split = NamedSharding(mesh, PartitionSpec("batch"))
        everywhere = NamedSharding(mesh, PartitionSpec())
        self.devices = mesh.size
        self.kind: Kind = "features" if features else "zimg"
        self.params = jax.device_put(two_towers.cast_params(params, precision), everywhere)
        self._image_params = {k: v for k, v in self.params.items() if not k.startswith("txt")}
        self._text_params = {k: v for k, v in self.params.items() if not k.startswith("img")}
        image, text = tower_functions(config, precision)
        self._image, self._text = jax.jit(feature_function(config, precision) if features else image), jax.jit(text)
        self.image_batch = default_image_batch(devices[0].platform, len(devices))
        self.text_batch = TEXTS_PER_IMAGE * self.image_batch
        self.description = f"xla {devices[0].platform} {devices[0].device_kind} x{len(devices)}, jax {jax.__version__}"

    def images(self, pixels: np.ndarray) -> jax.Array:
        """uint8 or float32 (batch, h, w, 3) -> (batch, dim) float32, still being computed."""
        return self._image(self._image_params, jax.device_put(pixels, self._split))

    def texts(self, tokens: np.ndarray) -> jax.Array:
        """int32 (batch, tokens) -> (batch, dim) float32, still being computed."""
        return self._text(self._text_params, jax.device_put(tokens, self._split))


def tower_functions(config: LiTConfig, precision: Precision) -> tuple[Any, Any]:
    """Two pure functions, `(params, pixels) -> zimg` and `(params, tokens) -> ztxt`, ready for `jax.jit`.

    The image function takes uint8 too and maps it to the value range on the device: a quarter of the bytes travel.
    """
    towers: Callable[..., Any] = two_towers.build(config, dtype=precision).apply
    in_range = _in_range(config)

    def image(params: Any, pixels: jax.Array) -> jax.Array:
        return towers({"params": params}, in_range(pixels), None)[0]

    def text(params: Any, tokens: jax.Array) -> jax.Array:
        return towers({"params": params}, None, tokens)[1]

    return image, text


def feature_function(config: LiTConfig, precision: Precision) -> Any:
    """`(params, pixels) -> features` of the image tower before any head; `two_towers.image_head` goes on from there."""
    tower: Callable[..., Any] = two_towers.build_tower(two_towers.without_head(config.image), dtype=precision).apply
    in_range = _in_range(config)

    def features(params: Any, pixels: jax.Array) -> jax.Array:
        return tower({"params": params["img"]}, in_range(pixels))[0]

    return features


def _in_range(config: LiTConfig) -> Callable[[jax.Array], jax.Array]:
    """uint8 to the value range of the model; what is float is so already."""
    # A table, because XLA may turn a division into a product: the same floats as on the host, bit for bit.
    values = to_range(np.arange(256, dtype=np.uint8), config.preprocess)

    def in_range(pixels: jax.Array) -> jax.Array:
        return jnp.asarray(values)[pixels.astype(jnp.int32)] if pixels.dtype == jnp.uint8 else pixels

    return in_range


def check_precision(precision: str) -> None:
    """Raises `UnknownNameError` unless the precision is one of `PRECISIONS`."""
    if precision not in PRECISIONS:
        raise UnknownNameError("precision", precision, PRECISIONS)


def check_engine(engine: str) -> None:
    """Raises unless the engine is one of `ENGINES` and installed: before anything is fetched or loaded for it.

    Raises:
      UnknownNameError: there is no such engine.
      MissingExtraError: it needs an extra that is not installed.
    """
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES)
    if engine == "openvino" and importlib.util.find_spec("openvino") is None:
        raise MissingExtraError("the OpenVINO engine", "openvino")


def batch_size_for(engine: Engine, asked: int | None, default: int) -> int:
    """The batch to use: what was asked for, rounded up to a multiple of the devices.

    Raises:
      ConfigError: less than 1 was asked for, or no whole number.
    """
    if asked is None:
        return default
    if not isinstance(asked, int | np.integer) or asked < 1:
        raise ConfigError(f"batch_size is {asked!r}; it must be a whole number, at least 1.")
    return -(-asked // engine.devices) * engine.devices
