"""What OpenVINO has for each primitive of JAX: tables from a primitive's name to a function that adds it to a graph.

Every function takes the jaxpr's equation, then the inputs.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset15 as ops

from lit.errors import ConfigError

#: OpenVINO chooses the precision of its arithmetic itself (`INFERENCE_PRECISION_HINT`); the graph says float32.
_DTYPES = {"float32": "f32", "bfloat16": "f32", "int32": "i32", "uint8": "u8", "bool": "boolean"}


def shape_of(value: Any) -> tuple[int, ...]:
    """Of a constant, or of an output of the graph."""
    return tuple(value.get_shape()) if isinstance(value, ov.Output) else np.shape(value)


def node(value: Any) -> Any:
    """A constant as an output of the graph; such an output as it is."""
    if isinstance(value, ov.Output):
        return value
    array = np.asarray(value)
    return ops.constant(array.astype(np.float32) if array.dtype.name == "bfloat16" else array).output(0)


def integers(values: Any) -> Any:
    """Axes, lengths and orders, as OpenVINO takes them."""
    return ops.constant(np.asarray(values, np.int64))


def _transpose(x: Any, order: Sequence[int]) -> Any:
    return x if list(order) == list(range(len(order))) else ops.transpose(x, integers(order)).output(0)


def _reshape(x: Any, shape: Sequence[int]) -> Any:
    return x if shape_of(x) == tuple(shape) else ops.reshape(x, integers(shape), False).output(0)


def _dot(eqn: Any, a: Any, b: Any) -> Any:
    """`dot_general` as MatMul of (batch, rows, contracted) and (batch, contracted, columns)."""
    (a_contract, b_contract), (a_batch, b_batch) = eqn.params["dimension_numbers"]
    a_free = [i for i in range(len(shape_of(a))) if i not in (*a_contract, *a_batch)]
    b_free = [i for i in range(len(shape_of(b))) if i not in (*b_contract, *b_batch)]
    lengths = [shape_of(a)[i] for i in (*a_batch, *a_free)]
    inner = math.prod(shape_of(a)[i] for i in a_contract)
    batch = lengths[: len(a_batch)]
    rows = lengths[len(a_batch) :] if a_free and not batch else [math.prod(lengths[len(a_batch) :])]
    columns = [shape_of(b)[i] for i in b_free]
    a = _reshape(_transpose(a, [*a_batch, *a_free, *a_contract]), [*batch, *rows, inner])
    # A key matrix comes as (.., keys, features); MatMul reads it so, and nothing is moved.
    flip = len(b_free) == 1 == len(b_contract) and b_free[0] < b_contract[0]
    order = [*b_batch, *b_free, *b_contract] if flip else [*b_batch, *b_contract, *b_free]
    tail = [math.prod(columns), inner] if flip else [inner, math.prod(columns)]
    b = _reshape(_transpose(b, order), [*batch, *tail])
    return _reshape(ops.matmul(a, b, False, flip).output(0), [*lengths, *columns]).get_node()


def _conv(eqn: Any, x: Any, kernel: Any) -> Any:
    """Channels move to the front for OpenVINO, and back; its compiler removes what cancels."""
    p = eqn.params
    numbers, groups = p["dimension_numbers"], p["feature_group_count"]
    x, kernel = _transpose(x, numbers.lhs_spec), _transpose(kernel, numbers.rhs_spec)
    begin, end = zip(*p["padding"], strict=True)
    settings = (list(p["window_strides"]), list(begin), list(end), list(p["rhs_dilation"]))
    if groups == 1:
        y = ops.convolution(x, kernel, *settings)
    else:
        out, *rest = shape_of(kernel)
        y = ops.group_convolution(x, _reshape(kernel, [groups, out // groups, *rest]), *settings)
    return ops.transpose(y, integers(np.argsort(numbers.out_spec)))


def _gather(eqn: Any, table: Any, indices: Any) -> Any:
    """Rows of a table, which is how an embedding looks up its ids; none of these may lie outside."""
    numbers = eqn.params["dimension_numbers"]
    whole_rows = eqn.params["slice_sizes"] == (1, *shape_of(table)[1:])
    if not whole_rows or numbers.collapsed_slice_dims != (0,) or numbers.start_index_map != (0,):
        raise ConfigError("the OpenVINO engine has no translation for this gather; use engine='xla'.")
    return ops.gather(table, _reshape(indices, shape_of(indices)[:-1]), integers(0))


def _pad(eqn: Any, x: Any, value: Any) -> Any:
    low, high, _ = zip(*eqn.params["padding_config"], strict=True)
    return ops.pad(x, integers(low), integers(high), "constant", value)


def _slice(eqn: Any, x: Any) -> Any:
    p = eqn.params
    steps = p["strides"] or [1] * len(p["start_indices"])
    return ops.slice(x, integers(p["start_indices"]), integers(p["limit_indices"]), integers(steps))


def _reduce(operation: Any) -> Any:
    return lambda eqn, x: operation(x, integers(eqn.params["axes"]), False)


def _same(operation: Any) -> Any:
    return lambda eqn, *x: operation(*x)


#: Broadcasting by numpy's rules, element by element.
ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "add": _same(ops.add),
    "sub": _same(ops.subtract),
    "mul": _same(ops.multiply),
    "div": _same(ops.divide),
    "max": _same(ops.maximum),
    "min": _same(ops.minimum),
    "pow": _same(ops.power),
    "neg": _same(ops.negative),
    "abs": _same(ops.abs),
    "exp": _same(ops.exp),
    "log": _same(ops.log),
    "tanh": _same(ops.tanh),
    "erf": _same(ops.erf),
    "sqrt": _same(ops.sqrt),
    "logistic": _same(ops.sigmoid),
    "eq": _same(ops.equal),
    "ne": _same(ops.not_equal),
    "lt": _same(ops.less),
    "le": _same(ops.less_equal),
    "gt": _same(ops.greater),
    "ge": _same(ops.greater_equal),
    "and": _same(ops.logical_and),
    "or": _same(ops.logical_or),
    "not": _same(ops.logical_not),
    "square": lambda eqn, x: ops.multiply(x, x),
    "rsqrt": lambda eqn, x: ops.divide(node(np.float32(1)), ops.sqrt(x)),
    "erfc": lambda eqn, x: ops.subtract(node(np.float32(1)), ops.erf(x)),
    "integer_pow": lambda eqn, x: ops.power(x, node(np.float32(eqn.params["y"]))),
    "select_n": lambda eqn, which, no, yes: ops.select(which, yes, no),
    "convert_element_type": lambda eqn, x: ops.convert(x, _DTYPES[eqn.params["new_dtype"].name]),
}

#: Everything else: inputs come in the shape that the jaxpr says.
STRUCTURAL: dict[str, Callable[..., Any]] = {
    "dot_general": _dot,
    "conv_general_dilated": _conv,
    "gather": _gather,
    "pad": _pad,
    "slice": _slice,
    "reduce_sum": _reduce(ops.reduce_sum),
    "reduce_max": _reduce(ops.reduce_max),
    "reduce_min": _reduce(ops.reduce_min),
    "concatenate": lambda eqn, *x: ops.concat(list(x), eqn.params["dimension"]),
    "split": lambda eqn, x: ops.variadic_split(x, integers(eqn.params["axis"]), integers(eqn.params["sizes"])),
    "reshape": lambda eqn, x: ops.reshape(x, integers(eqn.params["new_sizes"]), False),
    "squeeze": lambda eqn, x: ops.squeeze(x, integers(eqn.params["dimensions"])),
    "expand_dims": lambda eqn, x: ops.unsqueeze(x, integers(eqn.params["dimensions"])),
    "transpose": lambda eqn, x: ops.transpose(x, integers(eqn.params["permutation"])),
}


def _attend(_: Any, q: Any, k: Any, v: Any, mask: Any = None) -> Any:
    """`lit.nn.attention.attend`: heads move before tokens, and back."""
    heads_first = [0, 2, 1, 3]
    q, k, v = (_transpose(node(x), heads_first) for x in (q, k, v))
    if mask is None:
        mixed = ops.scaled_dot_product_attention(q, k, v)
    else:
        added = ops.select(node(mask), node(np.float32(0)), node(np.float32(-1e10))).output(0)
        mixed = ops.scaled_dot_product_attention(q, k, v, ops.unsqueeze(added, integers([1])))
    return ops.transpose(mixed, integers(heads_first))


def _layer_norm(_: Any, x: Any, scale: Any, bias: Any, epsilon: Any) -> Any:
    normal = ops.mvn(x, integers([-1]), True, float(epsilon), "inside_sqrt")
    return ops.add(ops.multiply(normal, node(scale)), node(bias))


def _depthwise(eqn: Any, x: Any, kernel: Any) -> Any:
    """`lit.nn.efficientnet.depthwise`, TF's SAME padding, as one convolution with a group for each channel."""
    size, _, _, channels = kernel.shape
    lengths, outs = shape_of(x)[1:3], eqn.outvars[0].aval.shape[1:3]
    stride = -(-lengths[0] // outs[0])
    pads = [max((out - 1) * stride + size - length, 0) for out, length in zip(outs, lengths, strict=True)]
    taps = np.asarray(kernel).transpose(3, 2, 0, 1).reshape(channels, 1, 1, size, size)
    begin, end = [pad // 2 for pad in pads], [pad - pad // 2 for pad in pads]
    y = ops.group_convolution(_transpose(x, [0, 3, 1, 2]), node(taps), [stride] * 2, begin, end, [1, 1])
    return ops.transpose(y, integers([0, 2, 3, 1]))


#: Functions of `lit.nn` under `jax.jit`, by name: OpenVINO has these whole.  ViT-B/16 is 1.15 times as fast with them,
#: EfficientNet-Lite0 twice.
WHOLE: dict[Any, Callable[..., Any]] = {"attend": _attend, "layer_norm": _layer_norm, "depthwise": _depthwise}
