"""The translator: what a JAX function gives, its OpenVINO graph gives, operation by operation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lit.errors import ConfigError
from lit.openvino_engine import _import_openvino

X = np.linspace(0.1, 2, 48, dtype=np.float32).reshape(2, 4, 6)
W = np.random.default_rng(0).normal(size=(6, 6)).astype(np.float32)

FUNCTIONS = {
    "arithmetic": lambda w, x: -(x + w[0]) * x / (x - 3),
    "powers": lambda w, x: x**3 + x**0.7 + lax.integer_pow(x, -2) + lax.square(x),
    "functions": lambda w, x: jnp.exp(x) + jnp.log(x) + jnp.tanh(x) + lax.erf(x) + lax.erfc(x) + jax.nn.sigmoid(x),
    "roots": lambda w, x: jnp.sqrt(x) + lax.rsqrt(x) + jnp.abs(x - 1),
    "choices": lambda w, x: jnp.where((x > 1) & ~(x >= 1.5) | (x < 0.3), jnp.maximum(x, 0.2), jnp.minimum(x, w[0, 0])),
    "comparisons": lambda w, x: ((x <= 1) == (x != x[0])).astype(jnp.float32),
    "reductions": lambda w, x: x.sum(1) + x.max(1) + x.min(1) + x.mean((0, 1))[None],
    "moves": lambda w, x: jnp.concatenate([x.transpose(0, 2, 1).reshape(2, 4, 6), jnp.flip(w)[None, :4] + x], axis=1),
    "cuts": lambda w, x: jnp.pad(x[:, 1::2, :5], ((0, 0), (1, 0), (2, 3))) + jnp.split(x, 2, axis=1)[0][:, :1, :1],
    "weights": lambda w, x: x @ w,
    "weights with two axes out": lambda w, x: lax.dot_general(x, w.reshape(6, 2, 3), (((2,), (0,)), ((), ()))),
    "weights with two axes in": lambda w, x: jnp.tensordot(x.reshape(2, 4, 2, 3), w.reshape(2, 3, 6), 2),
    "batched": lambda w, x: lax.dot_general(x, 2 * x, (((2,), (2,)), ((0,), (0,)))),
    "batched, contracted in front": lambda w, x: lax.dot_general(x, x, (((1,), (1,)), ((0,), (0,)))),
    "gelu": lambda w, x: jax.nn.gelu(x - 1) + jax.nn.gelu(x, approximate=False),
    "softmax": lambda w, x: jax.nn.softmax(x @ w),
    "broadcast result": lambda w, x: jnp.broadcast_to(x[:, :1], (2, 4, 6)),
    "constants alone": lambda w, x: jnp.sort(w) + x[:, :1],
}  # fmt: skip


def graph_of(function, params, x):
    """The function under OpenVINO, in float32."""
    openvino = _import_openvino()
    from lit.openvino_graph import to_graph

    compiled = openvino.Core().compile_model(
        to_graph(function, params, x.shape, x.dtype), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    return compiled(x)[0]


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_graph_gives_what_jax_gives(function):
    """float32 on both sides; values up to about 10, so a hundred units in the last place are 1e-4."""
    with jax.numpy_rank_promotion("allow"):
        ours, oracle = graph_of(function, W, X), np.asarray(function(jnp.asarray(W), jnp.asarray(X)))
    assert ours.shape == oracle.shape
    np.testing.assert_allclose(ours, oracle, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_convolutions(groups, padding):
    x = np.random.default_rng(1).normal(size=(2, 9, 8, 6)).astype(np.float32)
    kernel = np.random.default_rng(2).normal(size=(3, 3, 6 // groups, 12)).astype(np.float32)

    def convolve(w, x):
        settings = {"dimension_numbers": ("NHWC", "HWIO", "NHWC"), "feature_group_count": groups}
        return lax.conv_general_dilated(x, w, (2, 2), padding, **settings)

    np.testing.assert_allclose(graph_of(convolve, kernel, x), convolve(kernel, x), atol=1e-4)


def test_rows_of_a_table():
    ids = np.array([[3, 0], [5, 5]], np.int32)
    np.testing.assert_array_equal(graph_of(lambda w, x: jnp.take(w, x, axis=0), W, ids), W[ids])


def test_wide_products_in_pieces(monkeypatch):
    """An MLP cut at its hidden layer is the same sum in another order; something else in between joins the pieces."""
    _import_openvino()
    from lit import openvino_graph

    monkeypatch.setattr(openvino_graph, "_LARGE", 0)
    monkeypatch.setattr(openvino_graph, "_NARROW", 4)
    rng = np.random.default_rng(3)
    up, bias, down = (rng.normal(size=s).astype(np.float32) for s in ((6, 12), (12,), (12, 6)))

    def mlp(w, x):
        hidden = jax.nn.gelu(x @ w["up"] + w["bias"][None, None])
        return hidden @ w["down"] + jax.nn.softmax(hidden) @ w["down"]

    weights = {"up": up, "bias": bias, "down": down}
    np.testing.assert_allclose(graph_of(mlp, weights, X), mlp(weights, X), atol=1e-4)
    model = openvino_graph.to_graph(mlp, weights, X.shape, X.dtype)
    assert sum(op.get_type_name() == "MatMul" for op in model.get_ops()) == 3 + 3 + 1


def test_an_operation_without_translation_is_named():
    with pytest.raises(ConfigError, match=r"'sort'.*engine='xla'"):
        graph_of(lambda w, x: jnp.sort(x), {}, X)


def test_a_gather_that_is_no_table_lookup_is_refused():
    with pytest.raises(ConfigError, match="gather"):
        graph_of(lambda w, x: w[:, x], W, np.array([1, 2], np.int32))
