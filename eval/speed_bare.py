"""The image tower ViT-B/16 as one plain function of arrays: the least that these operations cost under `jax.jit`."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

WIDTH, DEPTH, MLP, HEADS, PATCH, SIDE = 768, 12, 3072, 12, 16, 224
GRID = SIDE // PATCH


def weights(dtype):
    """Random ones; the kernels of products in `dtype`."""
    rng = np.random.default_rng(0)

    def array(*shape):
        return jnp.asarray(rng.standard_normal(shape, np.float32) * np.float32(0.02))

    def dense(inputs, outputs):
        return array(inputs, outputs).astype(dtype), array(outputs)

    def block():
        square = {name: dense(WIDTH, WIDTH) for name in ("q", "k", "v", "out")}
        norms = {name: (array(WIDTH), array(WIDTH)) for name in ("ln1", "ln2")}
        return {**square, **norms, "up": dense(WIDTH, MLP), "down": dense(MLP, WIDTH)}

    return {
        "patches": dense(PATCH * PATCH * 3, WIDTH),
        "cls": array(1, 1, WIDTH),
        "positions": array(1, GRID * GRID + 1, WIDTH),
        "blocks": [block() for _ in range(DEPTH)],
        "ln": (array(WIDTH), array(WIDTH)),
        "head": dense(WIDTH, WIDTH),
    }


def product(x, y, axes):
    return lax.dot_general(x.astype(y.dtype), y, axes, preferred_element_type=jnp.float32)


def linear(x, weight):
    return product(x, weight[0], (((x.ndim - 1,), (0,)), ((), ()))) + weight[1]


def norm(x, weight):
    x = x - x.mean(-1, keepdims=True)
    return x * lax.rsqrt(jnp.square(x).mean(-1, keepdims=True) + 1e-6) * weight[0] + weight[1]


def attention(x, block):
    n, dtype = len(x), block["q"][0].dtype
    q, k, v = (linear(x, block[name]).reshape(n, -1, HEADS, WIDTH // HEADS) for name in "qkv")
    logits = product(q * (WIDTH // HEADS) ** -0.5, k.astype(dtype), (((3,), (3,)), ((0, 2), (0, 2))))
    y = product(jax.nn.softmax(logits), v.astype(dtype), (((3,), (1,)), ((0, 1), (0, 2))))
    return linear(y.transpose(0, 2, 1, 3).reshape(n, -1, WIDTH), block["out"])


@jax.jit
def tower(w, images):
    n = len(images)
    x = images.reshape(n, GRID, PATCH, GRID, PATCH, 3).transpose(0, 1, 3, 2, 4, 5).reshape(n, GRID * GRID, -1)
    x = linear(x, w["patches"])
    x = jnp.concatenate([jnp.broadcast_to(w["cls"], (n, 1, WIDTH)), x], 1) + w["positions"]
    for block in w["blocks"]:
        x = x + attention(norm(x, block["ln1"]), block)
        x = x + linear(jax.nn.gelu(linear(norm(x, block["ln2"]), block["up"])), block["down"])
    z = linear(norm(x, w["ln"])[:, 0], w["head"])
    return z / jnp.linalg.norm(z, axis=-1, keepdims=True)


def images(precision, pixels):
    """A call that embeds the pixels."""
    w = weights(jnp.dtype(precision))
    return lambda: np.asarray(tower(w, jnp.asarray(pixels)))
