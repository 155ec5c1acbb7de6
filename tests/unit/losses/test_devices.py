"""Shared out over 1, 2 and 8 devices the loss, its gradients and two passes are those of one device."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, Mesh, PartitionSpec

from lit.losses import sigmoid_loss, softmax_loss

CODE = Path(__file__).with_name("on_devices.py")


@pytest.mark.slow
def test_equal_on_1_2_and_8_devices():
    env = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    run = subprocess.run([sys.executable, CODE], env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert len(found["cases"]) == 3 * 3 * 2 + 3 * 2 + 2 + 3
    for case, worst in found["cases"].items():
        for difference, scale in zip(worst, found["scale"][case.split()[0]], strict=True):
            assert difference <= 2e-6 * max(scale, 1), case


@pytest.mark.parametrize("kind", ["softmax", "gather", "ring"])
def test_a_mesh_of_one_device(kind):
    z = np.random.default_rng(0).normal(size=(2, 6, 4)).astype(np.float32)
    z = jnp.asarray(z / np.linalg.norm(z, axis=2, keepdims=True))

    def value(z, axis):
        if kind == "softmax":
            return softmax_loss(*z, logit_scale=9.0, chunk=4, axis=axis).value
        how = {"chunk": 4, "axis": axis, "exchange": kind}
        return sigmoid_loss(*z, logit_scale=9.0, logit_bias=-4.0, **how).value

    mesh = Mesh(np.array(jax.devices()[:1]), ("data",), axis_types=(AxisType.Auto,))
    pairs = PartitionSpec(None, "data")
    on_mesh = jax.shard_map(
        lambda z: jax.value_and_grad(value)(z, "data"), mesh=mesh, in_specs=pairs, out_specs=(PartitionSpec(), pairs)
    )
    for a, b in zip(jax.jit(on_mesh)(z), jax.jit(jax.value_and_grad(lambda z: value(z, None)))(z), strict=True):
        np.testing.assert_allclose(a, b, rtol=4e-6, atol=1e-6)
