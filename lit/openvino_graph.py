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
from lit.openvino_operations import ELEMENTWISE, STRUCTURAL, WHOLE, integers, node, shape_of

#: A constant, what an operation of the graph gives, or `_Pieces`.  The first two may be smaller than their variable
#: wherever broadcasting makes up the difference, so that a bias stays a row.
_Value = Any

#: A product of more elements than `_LARGE` is computed in pieces of at most `_NARROW` columns, where it has twice as
#: many: the hidden layer of an MLP then stays in a core's cache, which made ViT-B/16 1.2 times as fast at batch 8.
_LARGE, _NARROW = 2**20, 512


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
    return ov.Model([ops.result(node(out))], [parameter], "tower")  # pyright: ignore[reportGeneralTypeIssues]


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
        whole = sum(shape_of(piece)[-1] for piece in self)
        alike = np.ndim(value) == 0 or np.shape(value)[-1] != whole
        return [value] * len(self) if alike else np.split(np.asarray(value), len(self), axis=-1)


def _apply(eqn: Any, inputs: list[_Value]) -> list[_Value]:
    """What one equation gives."""
    name = eqn.primitive.name
    inner = eqn.params.get("jaxpr", eqn.params.get("call_jaxpr"))
    if inner is not None and eqn.params.get("name") not in WHOLE:
        return _run(inner.jaxpr, inner.consts, inputs)
    if name in ("stop_gradient", "copy"):
        return inputs
    if name == "broadcast_in_dim":
        return [_broadcast(eqn, inputs[0])]
    if (pieces := _in_pieces(eqn, inputs)) is not None:
        return [pieces]
    if name in ELEMENTWISE and any(isinstance(x, ov.Output | _Pieces) for x in inputs):
        return [ELEMENTWISE[name](eqn, *(node(_joined(x)) for x in inputs)).output(0)]
    whole = [_whole(x, v) for x, v in zip(inputs, eqn.invars, strict=True)]
    if not any(isinstance(x, ov.Output) for x in whole):
        out = eqn.primitive.bind(*whole, **eqn.params)
        return list(out) if eqn.primitive.multiple_results else [out]
    if inner is not None:
        return [WHOLE[eqn.params["name"]](eqn, *whole).output(0)]
    if name not in STRUCTURAL:
        raise ConfigError(f"the OpenVINO engine has no translation for the operation {name!r}; use engine='xla'.")
    return STRUCTURAL[name](eqn, *map(node, whole)).outputs()


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
    if name in ELEMENTWISE and (cut := next((x for x in inputs if isinstance(x, _Pieces)), None)):
        operands = [cut.match(x) for x in inputs]
        if None not in operands:
            operation = functools.partial(ELEMENTWISE[name], eqn)
            return _Pieces(operation(*map(node, xs)).output(0) for xs in zip(*operands, strict=True))
    return None


def _times(x: Any, kernel: np.ndarray) -> Any:
    return ops.matmul(x, node(kernel), False, False).output(0)


def _joined(value: _Value) -> _Value:
    return ops.concat(list(value), -1).output(0) if isinstance(value, _Pieces) else value


def _whole(value: _Value, variable: Any) -> _Value:
    """The value in its variable's own shape and dtype."""
    value, shape = _joined(value), variable.aval.shape
    if not isinstance(value, ov.Output):
        return np.broadcast_to(np.asarray(value, variable.aval.dtype), shape)
    return value if shape_of(value) == shape else ops.broadcast(value, integers(shape)).output(0)


def _broadcast(eqn: Any, value: _Value) -> _Value:
    """Only puts the axes in place; who needs the full shape asks `_whole`."""
    value = _whole(value, eqn.invars[0])
    shape = [1] * len(eqn.params["shape"])
    for axis, length in zip(eqn.params["broadcast_dimensions"], shape_of(value), strict=True):
        shape[axis] = length
    return (
        ops.reshape(value, integers(shape), False).output(0) if isinstance(value, ov.Output) else value.reshape(shape)
    )
