"""The image tower: Vision Transformer, in the two layouts that checkpoints were published in.

Source: arXiv 2010.11929 (ViT); github.com/google-research/vision_transformer and /big_vision for the two layouts.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32

from lit.config import ViTConfig
from lit.errors import ConfigError, InputError
from lit.nn.blocks import Encoder, MAPHead, prefixed
from lit.nn.layers import Dense, Tokens, lift, product


def sincos2d(grid: int, width: int) -> Float32[np.ndarray, "1 tokens features"]:
    """Fixed position embedding: sine and cosine of column, then of row, at `width / 4` wavelengths up to 10,000.

    Source: arXiv 2104.02057 (MoCo v3), section 4.3, as big_vision does it.

    Raises:
      ConfigError: the width is not a multiple of 4, or less than 8.
    """
    if width % 4 or width < 8:
        raise ConfigError(f"sincos2d needs a width that is a multiple of 4, at least 8; it is {width}.")
    y, x = np.mgrid[:grid, :grid].reshape(2, -1)
    omega = 1 / 10_000 ** (np.arange(width // 4) / (width // 4 - 1))
    waves = [f(np.outer(axis, omega)) for axis in (x, y) for f in (np.sin, np.cos)]
    return np.concatenate(waves, axis=1)[None].astype(np.float32)


class PatchEmbedding(nn.Module):
    """A convolution whose stride is its size, computed as one matrix product over flattened patches."""

    width: int
    patch_size: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, images: Float32[Array, "batch h w 3"]) -> Tokens:
        """One token for each patch, row by row; sides are multiples of the patch size."""
        batch, h, w, channels = images.shape
        p = self.patch_size
        shape = (p, p, channels, self.width)
        kernel = self.param("kernel", nn.initializers.lecun_normal(), shape, jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (self.width,), jnp.float32)
        patches = images.reshape(batch, h // p, p, w // p, p, channels).transpose(0, 1, 3, 2, 4, 5)
        patches = patches.reshape(batch, (h // p) * (w // p), p * p * channels)
        x = product(patches, kernel.reshape(-1, self.width), contract=(2, 0), dtype=self.dtype)
        return x + lift(bias, x)


class ViT(nn.Module):
    """Images to features.

    Attributes:
      config: size, layout, pool, head.
      dtype: of the operands of every matrix product.
    """

    config: ViTConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, images: Float32[Array, "batch h w 3"]
    ) -> tuple[Float32[Array, "batch *tokens dim"], dict[str, Array]]:
        """Features (batch, dim), for `pool="none"` (batch, tokens, dim); and the output of each module by its path.

        Raises:
          InputError: the images are of another size than the tower's.
        """
        c, size = self.config, self.config.image_size
        if images.shape[1:3] != (size, size):
            raise InputError(f"images are {images.shape[1]} x {images.shape[2]}; this tower takes {size} x {size}.")
        x = PatchEmbedding(c.width, c.patch_size, self.dtype, name="embedding")(images)
        out = {"embedding": x}
        inside = c.layout == "vit_jax" and c.posemb == "learned"
        x = self._class_token_and_positions(x, positions_later=inside)
        encoder = Encoder(c.depth, c.num_heads, c.mlp_dim, inside, self.dtype, name="Transformer")
        x, inner = encoder(x)
        out |= prefixed("Transformer", inner)
        x = self._pool(x)
        if c.representation_size is not None:
            x = jnp.tanh(Dense(c.representation_size, self.dtype, name="pre_logits")(x))
        out["pre_logits"] = x
        if c.out_dim is not None:
            x = out["head"] = Dense(c.out_dim, self.dtype, name="head")(x)
        return x, out

    def _class_token_and_positions(
        self, x: Tokens, *, positions_later: bool
    ) -> Float32[Array, "batch tokens2 features"]:
        c = self.config
        if c.posemb == "sincos2d":
            x = x + sincos2d(c.grid, c.width)
        elif not positions_later:
            init = nn.initializers.normal(c.width**-0.5)
            x = x + self.param("pos_embedding", init, (1, c.grid**2, c.width), jnp.float32)
        if not c.class_token:
            return x
        cls = self.param("cls", nn.initializers.zeros, (1, 1, c.width), jnp.float32)
        return jnp.concatenate([jnp.broadcast_to(cls, (x.shape[0], 1, c.width)), x], axis=1)

    def _pool(self, x: Tokens) -> Float32[Array, "batch *tokens2 features"]:
        c = self.config
        if c.pool == "cls":
            return x[:, 0]
        if c.pool == "gap":
            return x.mean(axis=1)
        if c.pool == "map":
            return MAPHead(c.num_heads, c.mlp_dim, self.dtype, name="MAPHead_0")(x)
        return x
