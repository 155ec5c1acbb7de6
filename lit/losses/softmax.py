"""The bidirectional softmax objective of CLIP and LiT."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float32

from lit.losses import exchange
from lit.losses.blocks import LOWEST, How, Side, count, from_blocks, in_blocks, share_won, sides, tile
from lit.losses.result import Loss, check_pairs, mask_of, scalar


def softmax_loss(
    zimg: Float32[Array, "pairs dim"],
    ztxt: Float32[Array, "pairs dim"],
    *,
    logit_scale: ArrayLike,
    mask: Bool[Array, "pairs"] | None = None,
    chunk: int | None = None,
    axis: str | tuple[str, ...] | None = None,
    precision: str | None = "highest",
) -> Loss:
    """Each image picks its text among all texts, and each text its image; the mean of both cross-entropies.

    With `axis`, inside `jax.shard_map`, each of D devices holds n of the N pairs and computes n x N logits, once for
    both directions.  Only texts travel: an all-gather, N dim floats received by each device, and for the gradient a
    reduce-scatter of as many.  The other direction needs, of each text, its sum of exponentials over all images: 2 N
    floats all-reduced (3 N with the accuracy), beside N dim for gathering the images too, which would also compute
    every logit twice.

    Gradients: `value` is the whole batch's, equal on every device.  Its gradient by a device's own zimg and ztxt is
    exact and complete, with and without `check_vma`.  What is the same on every device (logit_scale, a tower's
    parameters) gets, under `check_vma=True`, which is JAX's default, its complete gradient, added up by JAX; under
    `check_vma=False` it gets the device's part, and the caller applies one `jax.lax.psum(gradients, axis)`.

    Args:
      zimg: float32, rows of unit norm; row i is the partner of row i of `ztxt`.
      ztxt: likewise.
      logit_scale: multiplies the cosines (not its logarithm); shape () or (1,).
      mask: False for pairs that do not count, as an image, a text or a rival; what they hold does not matter.
      chunk: rows of images taken at a time; None for all.  Memory beside the embeddings is a few times
        chunk x N floats.  Need not divide the pairs.
      axis: name or names of the mesh axes over which the pairs are shared out, equally.
      precision: of the products, as `jax.default_matmul_precision` takes it; None for the backend's default, faster
        on accelerators and exact to 1e-3 of a cosine only.

    Raises:
      ConfigError: shapes that do not fit, or a chunk below 1.

    Source: Radford et al., 2021, figure 3; Zhai et al., LiT, 2022; masks as big_vision's bidirectional loss.
    """
    check_pairs(zimg, ztxt, chunk)
    how = How(chunk, axis or (), "gather", precision)
    scale = exchange.varying(scalar(logit_scale, "logit_scale"), how.axis)
    keep = exchange.varying(mask_of(len(zimg), mask), how.axis)
    return _loss(how, zimg, ztxt, scale, keep)


class _Sums(NamedTuple):
    """Sums of exponentials, as `total * exp(top)`: a logit of 100 would overflow by itself."""

    top: Float32[Array, "some"]
    total: Float32[Array, "some"]

    @classmethod
    def of(cls, logits: Float32[Array, "images texts"], axis: int) -> "_Sums":
        top = logits.max(axis=axis)
        return cls(top, jnp.exp(logits - jnp.expand_dims(top, axis)).sum(axis=axis))

    def plus(self, other: "_Sums") -> "_Sums":
        top = jnp.maximum(self.top, other.top)
        return _Sums(top, self.total * jnp.exp(self.top - top) + other.total * jnp.exp(other.top - top))

    def of_all_devices(self, axis: exchange.Axis) -> "_Sums":
        top = jax.lax.pmax(self.top, axis)
        return _Sums(top, jax.lax.psum(self.total * jnp.exp(self.top - top), axis))

    def log(self) -> Float32[Array, "some"]:
        return self.top + jnp.log(self.total)


class Directions(NamedTuple):
    """What the loss is made of, by pair of this device; `log_sum_texts` has an entry for each text of the batch."""

    own: Float32[Array, "pairs"]
    log_sum_images: Float32[Array, "pairs"]
    log_sum_texts: Float32[Array, "texts"]
    rival_text: Float32[Array, "pairs"]
    rival_image: Float32[Array, "pairs"]


def directions(how: How, images: Side, texts: Side, scale: Float32[Array, ""]) -> Directions:
    """One pass over the logits of this device's images against all texts."""

    def block(columns, part):
        t = tile(part, texts, scale, jnp.float32(0), how.precision)
        own, rival_text, rival_image = t.own_and_rivals()
        logits = jnp.where(t.keep, t.logits, LOWEST)
        columns = columns[0].plus(_Sums.of(logits, 0)), jnp.maximum(columns[1], rival_image)
        return columns, (own, _Sums.of(logits, 1).log(), rival_text)

    lowest = jnp.full_like(texts.z[:, 0], LOWEST)
    start = _Sums(lowest, jnp.zeros_like(lowest)), lowest
    (sums, rival_image), rows = jax.lax.scan(block, start, in_blocks(images, how.chunk))
    own, log_sum_images, rival_text = from_blocks(rows, len(images.z))
    if how.axis:
        sums, rival_image = sums.of_all_devices(how.axis), jax.lax.pmax(rival_image, how.axis)
    return Directions(own, log_sum_images, sums.log(), rival_text, exchange.own_rows(rival_image, how.axis))


def _forward(how, zimg, ztxt, scale, keep):
    images, texts = sides(zimg, ztxt, keep, exchange.first_place(how.axis, len(zimg)))
    texts = exchange.gather(texts, how.axis)
    d = directions(how, images, texts, scale)
    each = (d.log_sum_images + exchange.own_rows(d.log_sum_texts, how.axis)) / 2 - d.own
    n = count(keep, how.axis)
    value = jax.lax.psum(jnp.where(keep, each, jnp.float32(0)).sum(), how.axis) / n
    shares = (share_won(d.own, rival, keep, how.axis) for rival in (d.rival_text, d.rival_image))
    return Loss(value, *shares), (images, texts, scale, n, d.log_sum_images, d.log_sum_texts)


def _backward(how, kept, cotangents):
    images, texts, scale, n, log_sum_images, log_sum_texts = kept

    def block(d_texts, part):
        part, log_sum = part
        t = tile(part, texts, scale, jnp.float32(0), how.precision)
        p = jnp.exp(t.logits - log_sum[:, None]) + jnp.exp(t.logits - log_sum_texts[None, :])
        p = jnp.where(t.keep, p - 2 * t.own.astype(jnp.float32), jnp.float32(0))
        d_texts = d_texts + jnp.matmul(p.T, part.z, precision=how.precision)
        return d_texts, jnp.matmul(p, texts.z, precision=how.precision)

    parts = in_blocks((images, log_sum_images), how.chunk)
    d_texts, d_images = jax.lax.scan(block, jnp.zeros_like(texts.z), parts)
    weight = cotangents.value / (2 * n)
    d_scale = weight * (d_texts * texts.z).sum()
    d_texts = exchange.scatter_sum(d_texts, how.axis)
    factor = weight * scale
    return factor * from_blocks(d_images, len(images.z)), factor * d_texts, d_scale, None


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _loss(how, zimg, ztxt, scale, keep):
    return _forward(how, zimg, ztxt, scale, keep)[0]


_loss.defvjp(_forward, _backward)
