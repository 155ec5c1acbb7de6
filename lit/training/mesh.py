"""Which device holds what: batches and parameters over one mesh with the axes "data" and "fsdp"."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from lit.errors import ConfigError
from lit.training.recipe import TrainConfig

#: Pairs are shared out over both.
AXES = ("data", "fsdp")
#: Arrays with fewer numbers are copied to every device: sending a part of them costs more than it saves.
_SMALLEST_SPLIT = 1024


def make_mesh(config: TrainConfig) -> Mesh:
    """The devices of all processes, as `[batch]` of the recipe shares them out.

    Raises:
      ConfigError: there are not so many devices, or the batch does not divide among them.
    """
    batch, devices = config.batch, jax.devices()
    data = batch.data if batch.data != -1 else len(devices) // batch.fsdp
    used = data * batch.fsdp
    if not 0 < used <= len(devices) or (jax.process_count() > 1 and used < len(devices)):
        asked = f"batch.data = {batch.data} and batch.fsdp = {batch.fsdp}"
        raise ConfigError(
            f"{asked} ask for {max(used, batch.fsdp)} devices and there are {len(devices)}; their product must be that."
        )
    for key, value in (("batch.size", batch.size), ("objective.micro_batch", config.objective.micro_batch)):
        if value % used:
            near = max(value // used, 1) * used
            raise ConfigError(
                f"{key} is {value} and {used} devices share it; take a multiple of {used}, such as {near}, or fewer "
                "devices (batch.data)."
            )
    return jax.make_mesh((data, batch.fsdp), AXES, devices=devices[:used], axis_types=(AxisType.Auto,) * 2)


def shardings(mesh: Mesh, tree: Any) -> Any:
    """Like the tree: each array is split over "fsdp" along the longest axis that divides, small ones are copied."""
    return jax.tree.map(lambda leaf: NamedSharding(mesh, _spec(leaf.shape, mesh.shape["fsdp"])), tree)


def _spec(shape: tuple[int, ...], parts: int) -> P:
    fitting = [axis for axis, length in enumerate(shape) if length % parts == 0]
    if parts == 1 or not fitting or np.prod(shape) < _SMALLEST_SPLIT:
        return P()
    longest = max(fitting, key=lambda axis: shape[axis])
    return P(*(None,) * longest, "fsdp")


def everywhere(mesh: Mesh) -> NamedSharding:
    """A copy on each device."""
    return NamedSharding(mesh, P())


def put_batch(mesh: Mesh, rows: Mapping[str, np.ndarray]) -> dict[str, jax.Array]:
    """This process's rows of a batch, as parts of arrays that hold all processes' rows."""
    by_pair = NamedSharding(mesh, P(AXES))
    return {name: jax.make_array_from_process_local_data(by_pair, array) for name, array in rows.items()}
