"""The sigmoid objective of SigLIP and SigLiT."""

from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float32

from lit.errors import ConfigError
from lit.losses import exchange as devices
from lit.losses.blocks import LOWEST, How, Side, count, from_blocks, in_blocks, share_won, sides, tile
from lit.losses.result import Loss, check_pairs, mask_of, scalar


def sigmoid_loss(
    zimg: Float32[Array, "pairs dim"],
    ztxt: Float32[Array, "pairs dim"],
    *,
    logit_scale: ArrayLike,
    logit_bias: ArrayLike,
    mask: Bool[Array, "pairs"] | None = None,
    chunk: int | None = None,
    axis: str | tuple[str, ...] | None = None,
    exchange: Literal["gather", "ring"] = "gather",
    precision: str | None = "highest",
) -> Loss:
    """Each image and each text is a pair or is not; the sum over texts of both kinds' loss, the mean over images.

    With `axis`, inside `jax.shard_map`, each of D devices holds n of the N pairs and computes n x N logits.  Only texts
    travel.  "gather": an all-gather, N dim floats received by each device, and for the gradient a reduce-scatter of as
    many; each device holds all texts.  "ring": the texts go round from device to device, n dim floats at a time, D - 1
    times forward, and again backward beside their gradient: half as many floats again in all, but no device ever holds
    more than two shares of the texts, and no more than chunk x n logits.

    Gradients are told apart by device as `softmax_loss` says.

    Args:
      zimg: float32, rows of unit norm; row i is the partner of row i of `ztxt`.
      ztxt: likewise.
      logit_scale: multiplies the cosines (not its logarithm); shape () or (1,).
      logit_bias: is added to them; shape () or (1,).
      mask: False for pairs that do not count, as an image, a text or a rival; what they hold does not matter.
      chunk: rows of images taken at a time; None for all.  Memory beside the embeddings is a few times
        chunk x N floats.  Need not divide the pairs.
      axis: name or names of the mesh axes over which the pairs are shared out, equally.
      exchange: "gather" or "ring"; makes no difference without `axis`.
      precision: of the products, as `softmax_loss` says.

    Raises:
      ConfigError: shapes that do not fit, a chunk below 1, or an exchange that there is not.

    Source: Zhai et al., Sigmoid loss for language image pre-training, 2023, algorithm 1 and section 3.1.
    """
    check_pairs(zimg, ztxt, chunk)
    if exchange not in ("gather", "ring"):
        raise ConfigError(f'exchange is {exchange!r}; it must be "gather" or "ring".')
    how = How(chunk, axis or (), exchange, precision)
    scale, bias = scalar(logit_scale, "logit_scale"), scalar(logit_bias, "logit_bias")
    given = scale, bias, mask_of(len(zimg), mask)
    return _loss(how, zimg, ztxt, *(devices.varying(x, how.axis) for x in given))


class Rows(NamedTuple):
    """By image of this device: its loss, the logit of its own text, and that of the best other one so far."""

    loss: Float32[Array, "pairs"]
    own: Float32[Array, "pairs"]
    rival: Float32[Array, "pairs"]

    def plus(self, other: "Rows") -> "Rows":
        """Against further texts."""
        return Rows(self.loss + other.loss, jnp.maximum(self.own, other.own), jnp.maximum(self.rival, other.rival))


def _rows(how: How, images: Side, texts: Side, rival: Array, scale: Array, bias: Array) -> tuple[Array, Rows]:
    """One pass over the logits of some texts; `rival` is the best other image's logit of each text so far."""

    def block(rival, part):
        t = tile(part, texts, scale, bias, how.precision)
        # softplus(x) = -log_sigmoid(-x), in the form that neither overflows nor loses small values.
        loss = jnp.where(t.keep, jax.nn.softplus(jnp.where(t.own, -t.logits, t.logits)), jnp.float32(0))
        own, rival_text, rival_image = t.own_and_rivals()
        return jnp.maximum(rival, rival_image), Rows(loss.sum(axis=1), own, rival_text)

    rival, rows = jax.lax.scan(block, rival, in_blocks(images, how.chunk))
    return rival, from_blocks(rows, len(images.z))


def _forward(how, zimg, ztxt, scale, bias, keep):
    images, texts = sides(zimg, ztxt, keep, devices.first_place(how.axis, len(zimg)))
    if how.exchange == "gather":
        texts = devices.gather(texts, how.axis)
    rival, rows = _rows(how, images, texts, jnp.full_like(texts.z[:, 0], LOWEST), scale, bias)
    if how.axis and how.exchange == "gather":
        rival = devices.own_rows(jax.lax.pmax(rival, how.axis), how.axis)
    elif how.axis:

        def visit(carry, _):
            (guests, rival), rows = devices.hand_on(carry[0], how.axis), carry[1]
            rival, more = _rows(how, images, guests, rival, scale, bias)
            return ((guests, rival), rows.plus(more)), None

        others = devices.devices(how.axis) - 1
        ((_, rival), rows), _ = jax.lax.scan(visit, ((texts, rival), rows), length=others)
        rival = devices.hand_on(rival, how.axis)  # home
    n = count(keep, how.axis)
    value = jax.lax.psum(rows.loss.sum(), how.axis) / n
    shares = (share_won(rows.own, best, keep, how.axis) for best in (rows.rival, rival))
    return Loss(value, *shares), (images, texts, scale, bias, n)


def _gradients(how: How, images: Side, texts: Side, d_texts: Array, scale: Array, bias: Array):
    """Adds to `d_texts`; returns it, the images' gradient, the scale's and the bias's, all without their factors."""

    def block(carry, part):
        d_texts, d_scale, d_bias = carry
        t = tile(part, texts, scale, bias, how.precision)
        p = jnp.where(t.keep, jax.nn.sigmoid(t.logits) - t.own.astype(jnp.float32), jnp.float32(0))
        d_texts = d_texts + jnp.matmul(p.T, part.z, precision=how.precision)
        d_part = jnp.matmul(p, texts.z, precision=how.precision)
        return (d_texts, d_scale + (p * t.cosines).sum(), d_bias + p.sum()), d_part

    zero = jnp.zeros_like(scale)
    (d_texts, d_scale, d_bias), d_images = jax.lax.scan(block, (d_texts, zero, zero), in_blocks(images, how.chunk))
    return d_texts, (from_blocks(d_images, len(images.z)), d_scale, d_bias)


def _backward(how, kept, cotangents):
    images, texts, scale, bias, n = kept
    d_texts, rest = _gradients(how, images, texts, jnp.zeros_like(texts.z), scale, bias)
    if how.exchange == "gather":
        d_texts = devices.scatter_sum(d_texts, how.axis)
    elif how.axis:

        def visit(carry, _):
            (guests, d_guests), rest = devices.hand_on(carry[0], how.axis), carry[1]
            d_guests, more = _gradients(how, images, guests, d_guests, scale, bias)
            return ((guests, d_guests), jax.tree.map(jnp.add, rest, more)), None

        others = devices.devices(how.axis) - 1
        ((_, d_texts), rest), _ = jax.lax.scan(visit, ((texts, d_texts), rest), length=others)
        d_texts = devices.hand_on(d_texts, how.axis)  # home
    weight, (d_images, d_scale, d_bias) = cotangents.value / n, rest
    factor = weight * scale
    return factor * d_images, factor * d_texts, weight * d_scale, weight * d_bias, None


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _loss(how, zimg, ztxt, scale, bias, keep):
    return _forward(how, zimg, ztxt, scale, bias, keep)[0]


_loss.defvjp(_forward, _backward)
