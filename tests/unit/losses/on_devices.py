"""Run by test_devices.py with 8 forced devices: the largest differences to one device, as JSON."""

import json
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, PartitionSpec

from lit.losses import gradients_in_two_passes, sigmoid_loss, softmax_loss

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

N, DIM = 24, 8
RNG = np.random.default_rng(0)
PIXELS = RNG.normal(size=(N, DIM))
INPUTS = {
    "pixels": jnp.asarray(PIXELS, jnp.float32),
    "tokens": jnp.asarray(PIXELS[:, :6] + RNG.normal(size=(N, 6)), jnp.float32),
    "mask": jnp.asarray(np.arange(N) % 7 != 2),
}
PARAMS = {
    "img": jnp.eye(DIM, dtype=jnp.float32),
    "txt": jnp.eye(6, DIM, dtype=jnp.float32),
    "t": jnp.full(1, 9.0),
    "b": jnp.full(1, -4.0),
}


def embed(params, inputs):
    def unit(x):
        return x / jnp.linalg.norm(x, axis=1, keepdims=True)

    return unit(inputs["pixels"] @ params["img"]), unit(inputs["tokens"] @ params["txt"])


def objective(kind, mask, **how):
    def loss(params, z):
        if kind == "softmax":
            return softmax_loss(*z, logit_scale=params["t"], mask=mask, **how)
        exchange = {"exchange": kind} if "axis" in how else {}
        return sigmoid_loss(*z, logit_scale=params["t"], logit_bias=params["b"], mask=mask, **exchange, **how)

    return loss


def plain(kind, params, inputs, **how):
    """Loss, gradients by the embeddings, gradients by the parameters through the embeddings."""
    loss = objective(kind, inputs["mask"], **how)

    def by_params(params):
        found = loss(params, embed(params, inputs))
        return found.value, found

    z = embed(params, inputs)
    (_, found), d_params = jax.value_and_grad(by_params, has_aux=True)(params)
    return found, jax.grad(lambda z: loss(params, z).value)(z), d_params


def shared(kind, mesh, check, micro_batch, chunk):
    """The same with the pairs shared out over a mesh."""
    axis = mesh.axis_names if len(mesh.axis_names) > 1 else mesh.axis_names[0]
    split, same = PartitionSpec(axis), PartitionSpec()

    def on_each(params, inputs):
        how = {"chunk": chunk, "axis": axis}
        found, d_z, d_params = plain(kind, params, inputs, **how)
        if not check:
            d_params = jax.lax.psum(d_params, axis)
        if micro_batch:
            loss = objective(kind, inputs["mask"], **how)
            found, d_params = gradients_in_two_passes(embed, params, inputs, loss, micro_batch=micro_batch, axis=axis)
        return found, d_z, d_params

    specs = {"in_specs": (same, split), "out_specs": (same, split, same)}
    return jax.jit(jax.shard_map(on_each, mesh=mesh, check_vma=check, **specs))(PARAMS, INPUTS)


def main():
    devices = np.array(jax.devices())
    meshes = {str(n): Mesh(devices[:n], ("data",), axis_types=(AxisType.Auto,)) for n in (1, 2, 8)}
    grid = Mesh(devices.reshape(4, 2), ("data", "fsdp"), axis_types=(AxisType.Auto,) * 2)
    cases = [
        *product(("softmax", "gather", "ring"), ("1", "2", "8"), (True,), (0,), (None, 2)),
        *product(("softmax", "gather", "ring"), ("2",), (True, False), (5,), (3,)),
        *product(("softmax", "ring"), ("8",), (False,), (0,), (2,)),
        *product(("softmax", "gather", "ring"), ("4x2",), (True,), (2,), (2,)),
    ]
    right = {k: jax.jit(lambda p, x, k=k: plain(k, p, x))(PARAMS, INPUTS) for k in ("softmax", "gather", "ring")}
    found = {}
    for kind, mesh, check, micro_batch, chunk in cases:
        have = shared(kind, meshes.get(mesh, grid), check, micro_batch, chunk)
        worst = [float(jnp.abs(a - b).max()) for a, b in zip(*map(jax.tree.leaves, (have, right[kind])), strict=True)]
        found[f"{kind} on {mesh}, check_vma {check}, micro_batch {micro_batch}, chunk {chunk}"] = worst
    scale = {k: [float(jnp.abs(x).max()) for x in jax.tree.leaves(v)] for k, v in right.items()}
    print(json.dumps({"cases": found, "scale": scale}))


if __name__ == "__main__":
    main()
