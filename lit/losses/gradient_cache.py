"""Gradients of a batch whose towers would not fit: each part goes through them twice."""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp

from lit.errors import ConfigError
from lit.losses import exchange
from lit.losses.result import Loss

_Params = TypeVar("_Params")
_Inputs = TypeVar("_Inputs")
_Embeddings = TypeVar("_Embeddings")


def gradients_in_two_passes(
    embed: Callable[[_Params, _Inputs], _Embeddings],
    params: _Params,
    inputs: _Inputs,
    objective: Callable[[_Params, _Embeddings], Loss],
    *,
    micro_batch: int,
    axis: str | tuple[str, ...] | None = None,
) -> tuple[Loss, _Params]:
    """The loss of `objective(params, embed(params, inputs))` and its gradient by `params`, equal to the plain step's.

    The first pass embeds `micro_batch` rows at a time and keeps embeddings only; the loss then has its gradient by the
    embeddings; the second pass embeds each part again and takes that gradient back to the parameters.  Memory holds the
    activations of one part, the batch's embeddings and the loss, whatever the size of the batch; time grows by one
    forward pass.  Where the rows left over fill no part they go through as a shorter one.

    Args:
      embed: row i of every array it returns must depend on row i of `inputs` alone (no batch norm), and both passes
        must compute the same: with dropout, hand in keys among the inputs.
      params: a pytree of floats.
      inputs: a pytree of arrays with rows as first axis; gets no gradient.
      objective: takes the embeddings of all rows; may use params itself, for logit_scale and logit_bias.
      micro_batch: rows at a time.
      axis: inside `jax.shard_map`, the axes that the loss has: params are then taken to be the same on every device,
        and so are the gradients that come back: of the whole batch, added up once and not part by part, with and
        without `check_vma`.

    Returns:
      The loss, and a pytree like params.

    Raises:
      ConfigError: micro_batch is below 1, or inputs have no rows, or not the same number.

    Source: Gao et al., Scaling deep contrastive learning batch size under memory limited setup, 2021.
    """
    rows = _rows(inputs)
    if micro_batch < 1:
        raise ConfigError(f"micro_batch is {micro_batch}; it is the rows embedded at a time, at least 1.")
    if axis:
        params = jax.tree.map(lambda x: exchange.varying(x, axis), params)
    parts, rest = _split(inputs, rows, min(micro_batch, rows))

    embeddings = jax.lax.map(lambda part: embed(params, part), parts)
    embeddings = _join(embeddings, None if rest is None else embed(params, rest))
    loss, (direct, by_embedding) = _objective_gradients(objective, params, embeddings)

    def accumulate(total, part):
        part, cotangent = part
        _, back = jax.vjp(lambda p: embed(p, part), params)
        return jax.tree.map(jnp.add, total, back(cotangent)[0]), None

    d_parts, d_rest = _split(by_embedding, rows, min(micro_batch, rows))
    total, _ = jax.lax.scan(accumulate, direct, (parts, d_parts))
    if rest is not None:
        total, _ = accumulate(total, (rest, d_rest))
    return loss, jax.lax.psum(total, axis) if axis else total


def _objective_gradients(objective, params, embeddings):
    def value(params, embeddings):
        loss = objective(params, embeddings)
        return loss.value, loss

    (_, loss), gradients = jax.value_and_grad(value, argnums=(0, 1), has_aux=True)(params, embeddings)
    return loss, gradients


def _rows(inputs) -> int:
    shapes = [x.shape for x in jax.tree.leaves(inputs)]
    lengths = {shape[0] if shape else 0 for shape in shapes}
    if len(lengths) != 1 or 0 in lengths:
        raise ConfigError(f"inputs have shapes {shapes}; all must have the same number of rows, at least 1.")
    return lengths.pop()


def _split(tree, rows: int, size: int):
    """(parts, size, ...), and the rows that are left over, None if there are none."""
    whole = rows - rows % size
    parts = jax.tree.map(lambda x: x[:whole].reshape(-1, size, *x.shape[1:]), tree)
    return parts, None if whole == rows else jax.tree.map(lambda x: x[whole:], tree)


def _join(parts, rest):
    whole = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), parts)
    return whole if rest is None else jax.tree.map(lambda a, b: jnp.concatenate([a, b]), whole, rest)
