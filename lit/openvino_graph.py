"""A JAX function as an OpenVINO graph: every primitive of its jaxpr becomes the operation that OpenVINO has for it.

So the towers are written once, in JAX, and run on either.  What does not depend on the input is computed here, by JAX,
and becomes a constant.  `openvino.convert_model` reads a jaxpr too, but knows no gather (2026.4), and so no text tower.
"""

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import openvino as ov
from jax.extend import core
from openvino import opset15 as ops

from lit.errors import ConfigError

#: A constant, what an operation of the graph gives, or `_Pieces`.  The first two may be smaller than their variable
#: wherever broadcasting makes up the difference, so that a bias stays a row.
_Value = Any

#: A product of more elements than `_LARGE` is computed in pieces of at most `_NARROW` columns, where it has twice as
#: many: the hidden layer of an MLP then stays in a core's cache, which made ViT-B/16 1.2 times as fast at batch 8.
_LARGE, _NARROW = 2**20, 512

#: OpenVINO chooses the precision of its arithmetic itself (`INFERENCE_PRECISION_HINT`); the graph says float32.
_DTYPES = {"float32": "f32", "bfloat16": "f32", "int32": "i32", "uint8": "u8", "bool": "boolean"}


def to_graph(
    function: Callable[[Any, jax.Array], jax.Array], params: Any, shape: Sequence[int], dtype: Any
) -> ov.Model:
    """The graph of `x -> function(params, x)`, for an `x` of this shape and dtype; parameters become constants.

    Raises:
      ConfigError: the function needs an operation that has no translation here; it names it.
    """
    closed = jax.make_jaxpr(function)(params, jax.ShapeDtypeStruct(tuple(shape), dtype))
    parameter = ops.parameter(list(shape), np.dtype(dtype))
    (out,) = _run(closed.jaxpr, closed.consts, [*jax.tree.leaves(params), parameter.output(0)])
    return ov.Model([ops.result(_node(out))], [parameter], "tower")  # pyright: ignore[reportGeneralTypeIssues]


def _run(jaxpr: Any, consts: Sequence[Any], arguments: Sequence[_Value]) -> list[_Value]:
    values = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *arguments], strict=True))

    def read(variable: Any) -> _Value:
        if isinstance(variable, core.Literal):
            return np.asarray(variable.val, variable.aval.dtype)  # pyright: ignore[reportAttributeAccessIssue]
        return values[variable]

    for eqn in jaxpr.eqns:
        values.update(zip(eqn.outvars, _apply(eqn, [read(v) for v in eqn.invars]), strict=True))
    return [_whole(read(v), v) for v in jaxpr.outvars]


class _Pieces(list[Any]):
    """An array cut along its last axis."""

    def match(self, value: _Value) -> list[_Value] | None:
        """Another operand cut alike, None where that cannot be."""
        if isinstance(value, _Pieces):
            return value if len(value) == len(self) else None
        if isinstance(value, ov.Output):
            return None
        whole = sum(_shape(piece)[-1] for piece in self)
        alike = np.ndim(value) == 0 or np.shape(value)[-1] != whole
        return [value] * len(self) if alike else np.split(np.asarray(value), len(self), axis=-1)


def _apply(eqn: Any, inputs: list[_Value]) -> list[_Value]:
    """What one equation gives."""
    name = eqn.primitive.name
    inner = eqn.params.get("jaxpr", eqn.params.get("call_jaxpr"))
    if inner is not None and eqn.params.get("name") not in _FUSED:
        return _run(inner.jaxpr, inner.consts, inputs)
    if name == "broadcast_in_dim":
        return [_broadcast(eqn, inputs[0])]
    if (pieces := _in_pieces(eqn, inputs)) is not None:
        return [pieces]
    if name in _ELEMENTWISE and any(isinstance(x, ov.Output | _Pieces) for x in inputs):
        return [_ELEMENTWISE[name](eqn, *(_node(_joined(x)) for x in inputs)).output(0)]
    whole = [_whole(x, v) for x, v in zip(inputs, eqn.invars, strict=True)]
    if not any(isinstance(x, ov.Output) for x in whole):
        out = eqn.primitive.bind(*whole, **eqn.params)
        return list(out) if eqn.primitive.multiple_results else [out]
    if inner is not None:
        return [_FUSED[eqn.params["name"]](*whole).output(0)]
    if name not in _STRUCTURAL:
        raise ConfigError(f"the OpenVINO engine has no translation for the operation {name!r}; use engine='xla'.")
    return _STRUCTURAL[name](eqn, *map(_node, whole)).outputs()


def _in_pieces(eqn: Any, inputs: list[_Value]) -> _Value | None:
    """The equation computed piece by piece, where it may start, continue or end that; otherwise None."""
    name, (first, *others) = eqn.primitive.name, inputs or [None]
    if name == "dot_general" and len(others) == 1 and isinstance(others[0], np.ndarray | jax.Array):
        (contract, batch), kernel = eqn.params["dimension_numbers"], np.asarray(others[0])
        last = len(eqn.invars[0].aval.shape) - 1
        if contract != ((last,), (0,)) or any(batch) or kernel.ndim != 2:
            return None
        if isinstance(first, _Pieces):
            rows = np.split(kernel, len(first))
            return functools.reduce(ops.add, [_times(x, w) for x, w in zip(first, rows, strict=True)]).output(0)
        columns = kernel.shape[1]
        if isinstance(first, ov.Output) and columns >= 2 * _NARROW and math.prod(eqn.outvars[0].aval.shape) > _LARGE:
            count = next(n for n in itertools.count(-(-columns // _NARROW)) if columns % n == 0)
            return _Pieces(_times(first, w) for w in np.split(kernel, count, axis=1))
    if name in _ELEMENTWISE and (cut := next((x for x in inputs if isinstance(x, _Pieces)), None)):
        operands = [cut.match(x) for x in inputs]
        if None not in operands:
            operation = functools.partial(_ELEMENTWISE[name], eqn)
            return _Pieces(operation(*map(_node, xs)).output(0) for xs in zip(*operands, strict=True))
    return None


def _times(x: Any, kernel: np.ndarray) -> Any:
    return ops.matmul(x, _node(kernel), False, False).output(0)


def _joined(value: _Value) -> _Value:
    return ops.concat(list(value), -1).output(0) if isinstance(value, _Pieces) else value


def _shape(value: _Value) -> tuple[int, ...]:
    return tuple(value.get_shape()) if isinstance(value, ov.Output) else np.shape(value)


def _node(value: _Value) -> Any:
    if isinstance(value, ov.Output):
        return value
    array = np.asarray(value)
    return ops.constant(array.astype(np.float32) if array.dtype.name == "bfloat16" else array).output(0)


def _whole(value: _Value, variable: Any) -> _Value:
    """The value in its variable's own shape and dtype."""
    value, shape = _joined(value), variable.aval.shape
    if not isinstance(value, ov.Output):
        return np.broadcast_to(np.asarray(value, variable.aval.dtype), shape)
    return value if _shape(value) == shape else ops.broadcast(value, _ints(shape)).output(0)


def _broadcast(eqn: Any, value: _Value) -> _Value:
    """Only puts the axes in place; who needs the full shape asks `_whole`."""
    value = _whole(value, eqn.invars[0])
    shape = [1] * len(eqn.params["shape"])
    for axis, length in zip(eqn.params["broadcast_dimensions"], _shape(value), strict=True):
        shape[axis] = length
    return ops.reshape(value, _ints(shape), False).output(0) if isinstance(value, ov.Output) else value.reshape(shape)


def _ints(values: Any) -> Any:
    return ops.constant(np.asarray(values, np.int64))


def _transpose(x: Any, order: Sequence[int]) -> Any:
    return x if list(order) == list(range(len(order))) else ops.transpose(x, _ints(order)).output(0)


def _reshape(x: Any, shape: Sequence[int]) -> Any:
    return x if _shape(x) == tuple(shape) else ops.reshape(x, _ints(shape), False).output(0)


def _dot(eqn: Any, a: Any, b: Any) -> Any:
    """`dot_general` as MatMul of (batch, rows, contracted) and (batch, contracted, columns)."""
    (a_contract, b_contract), (a_batch, b_batch) = eqn.params["dimension_numbers"]
    a_free = [i for i in range(len(_shape(a))) if i not in (*a_contract, *a_batch)]
    b_free = [i for i in range(len(_shape(b))) if i not in (*b_contract, *b_batch)]
    lengths = [_shape(a)[i] for i in (*a_batch, *a_free)]
    inner = math.prod(_shape(a)[i] for i in a_contract)
    batch = lengths[: len(a_batch)]
    rows = lengths[len(a_batch) :] if a_free and not batch else [math.prod(lengths[len(a_batch) :])]
    columns = [_shape(b)[i] for i in b_free]
    a = _reshape(_transpose(a, [*a_batch, *a_free, *a_contract]), [*batch, *rows, inner])
    # A key matrix comes as (.., keys, features); MatMul reads it so, and nothing is moved.
    flip = len(b_free) == 1 == len(b_contract) and b_free[0] < b_contract[0]
    order = [*b_batch, *b_free, *b_contract] if flip else [*b_batch, *b_contract, *b_free]
    tail = [math.prod(columns), inner] if flip else [inner, math.prod(columns)]
    b = _reshape(_transpose(b, order), [*batch, *tail])
    return _as_node(_reshape(ops.matmul(a, b, False, flip).output(0), [*lengths, *columns]))


def _as_node(x: Any) -> Any:
    return x.get_node()


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
        out, *rest = _shape(kernel)
        y = ops.group_convolution(x, _reshape(kernel, [groups, out // groups, *rest]), *settings)
    return ops.transpose(y, _ints(np.argsort(numbers.out_spec)))


def _gather(eqn: Any, table: Any, indices: Any) -> Any:
    """Rows of a table, which is how an embedding looks up its ids."""
    numbers = eqn.params["dimension_numbers"]
    whole_rows = eqn.params["slice_sizes"] == (1, *_shape(table)[1:])
    if not whole_rows or numbers.collapsed_slice_dims != (0,) or numbers.start_index_map != (0,):
        raise ConfigError("the OpenVINO engine has no translation for this gather; use engine='xla'.")
    return ops.gather(table, _reshape(indices, _shape(indices)[:-1]), _ints(0))


def _pad(eqn: Any, x: Any, value: Any) -> Any:
    low, high, _ = zip(*eqn.params["padding_config"], strict=True)
    return ops.pad(x, _ints(low), _ints(high), "constant", value)


def _slice(eqn: Any, x: Any) -> Any:
    p = eqn.params
    steps = p["strides"] or [1] * len(p["start_indices"])
    return ops.slice(x, _ints(p["start_indices"]), _ints(p["limit_indices"]), _ints(steps))


def _reduce(operation: Any) -> Any:
    return lambda eqn, x: operation(x, _ints(eqn.params["axes"]), False)


def _same(operation: Any) -> Any:
    return lambda eqn, *x: operation(*x)


_ELEMENTWISE: dict[str, Callable[..., Any]] = {
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
    "rsqrt": lambda eqn, x: ops.divide(_node(np.float32(1)), ops.sqrt(x)),
    "erfc": lambda eqn, x: ops.subtract(_node(np.float32(1)), ops.erf(x)),
    "integer_pow": lambda eqn, x: ops.power(x, _node(np.float32(eqn.params["y"]))),
    "select_n": lambda eqn, which, no, yes: ops.select(which, yes, no),
    "convert_element_type": lambda eqn, x: ops.convert(x, _DTYPES[eqn.params["new_dtype"].name]),
    "stop_gradient": lambda eqn, x: x.get_node(),
}

_STRUCTURAL: dict[str, Callable[..., Any]] = {
    "dot_general": _dot,
    "conv_general_dilated": _conv,
    "gather": _gather,
    "pad": _pad,
    "slice": _slice,
    "reduce_sum": _reduce(ops.reduce_sum),
    "reduce_max": _reduce(ops.reduce_max),
    "reduce_min": _reduce(ops.reduce_min),
    "concatenate": lambda eqn, *x: ops.concat(list(x), eqn.params["dimension"]),
    "split": lambda eqn, x: ops.variadic_split(x, _ints(eqn.params["axis"]), _ints(eqn.params["sizes"])),
    "reshape": lambda eqn, x: ops.reshape(x, _ints(eqn.params["new_sizes"]), False),
    "squeeze": lambda eqn, x: ops.squeeze(x, _ints(eqn.params["dimensions"])),
    "expand_dims": lambda eqn, x: ops.unsqueeze(x, _ints(eqn.params["dimensions"])),
    "transpose": lambda eqn, x: ops.transpose(x, _ints(eqn.params["permutation"])),
}


def _attend(q: Any, k: Any, v: Any, mask: Any = None) -> Any:
    """`lit.nn.attention.attend`: heads move before tokens, and back."""
    heads_first = [0, 2, 1, 3]
    q, k, v = (_transpose(_node(x), heads_first) for x in (q, k, v))
    if mask is None:
        mixed = ops.scaled_dot_product_attention(q, k, v)
    else:
        added = ops.select(_node(mask), _node(np.float32(0)), _node(np.float32(-1e10))).output(0)
        mixed = ops.scaled_dot_product_attention(q, k, v, ops.unsqueeze(added, _ints([1])))
    return ops.transpose(mixed, _ints(heads_first))


def _layer_norm(x: Any, scale: Any, bias: Any, epsilon: Any) -> Any:
    normal = ops.mvn(x, _ints([-1]), True, float(epsilon), "inside_sqrt")
    return ops.add(ops.multiply(normal, _node(scale)), _node(bias))


#: Functions of `lit.nn` under `jax.jit`, by name: OpenVINO has these whole, and runs them 1.15 times as fast.
_FUSED: dict[Any, Callable[..., Any]] = {"attend": _attend, "layer_norm": _layer_norm}
