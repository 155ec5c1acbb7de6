"""EfficientNet-Lite: a convolutional image tower, with the batch norms folded into the convolutions.

At inference a batch norm is a scale and a shift for each channel, so the kernel carries the scale and a bias the
shift.  What remains is convolution, bias and ReLU6, which is also what suits 8-bit hardware.

Source: github.com/tensorflow/tpu, models/official/efficientnet/lite, and arXiv 1905.11946 (EfficientNet), table 1.
"""

import functools
import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32

from lit.config import EfficientNetLiteConfig
from lit.nn.layers import Dense, lift, product

#: repeats, kernel size, stride, expansion, channels out.  Source: efficientnet_lite_builder.py.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM, _TOP = 32, 1280


def _channels(channels: int, coefficient: float) -> int:
    """`channels` times the coefficient, rounded to a multiple of 8 but never down by more than 10 %."""
    scaled = channels * coefficient
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


def plan(config: EfficientNetLiteConfig) -> list[tuple[int, int, int, int]]:
    """Kernel size, stride, expansion and channels out of every block, first to last.

    The Lite family scales neither the stem nor the repeats of the first and the last stage.
    """
    blocks = []
    for stage, (repeats, kernel_size, stride, expansion, channels) in enumerate(_STAGES):
        if 0 < stage < len(_STAGES) - 1:
            repeats = math.ceil(repeats * config.depth_coefficient)
        width = _channels(channels, config.width_coefficient)
        blocks += [(kernel_size, stride if i == 0 else 1, expansion, width) for i in range(repeats)]
    return blocks


# Under `jit` for its name, as `lit.nn.attention.attend`.
@functools.partial(jax.jit, static_argnames="stride")
def depthwise(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """Each channel by itself: one shifted copy of the image for each tap of the kernel, weighted and summed.

    The compiler fuses the sum into one pass; its own grouped convolution took 9 to 40 times as long on a CPU (batch
    8, all shapes of Lite0).  Nothing here is a matrix product, so bfloat16 would gain nothing: always float32.
    """
    size = kernel.shape[0]
    outs = [-(-length // stride) for length in x.shape[1:3]]
    total = [max((out - 1) * stride + size - length, 0) for out, length in zip(outs, x.shape[1:3], strict=True)]
    x = jnp.pad(x, ((0, 0), *((pad // 2, pad - pad // 2) for pad in total), (0, 0)))
    spans = [(out - 1) * stride + 1 for out in outs]
    taps = [
        x[:, i : i + spans[0] : stride, j : j + spans[1] : stride] * lift(kernel[i, j, 0], x)
        for i in range(size)
        for j in range(size)
    ]
    return functools.reduce(jnp.add, taps)


def _full(x: jax.Array, kernel: jax.Array, stride: int, dtype: Any) -> jax.Array:
    return jax.lax.conv_general_dilated(
        x.astype(dtype),
        kernel.astype(dtype),
        window_strides=(stride, stride),
        padding="SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        precision=jax.lax.Precision.HIGHEST if dtype == jnp.float32 else None,
        preferred_element_type=jnp.float32,
    )


class ConvBias(nn.Module):
    """A convolution with TF's SAME padding (the odd pixel goes behind) and a bias; float32 out.

    Attributes:
      features: channels out; for a depthwise convolution, those of the input.
      kernel_size, stride: pixels; a kernel of 1 has stride 1.
      dtype: of the operands of matrix products; they accumulate in float32.
    """

    features: int
    kernel_size: int = 1
    stride: int = 1
    depthwise: bool = False
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float32[Array, "batch h w features"]) -> Float32[Array, "batch h2 w2 features2"]:
        """Each side becomes its length divided by the stride, rounded up."""
        inputs = 1 if self.depthwise else x.shape[-1]
        shape = (self.kernel_size, self.kernel_size, inputs, self.features)
        kernel = self.param("kernel", nn.initializers.lecun_normal(), shape, jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)
        if self.depthwise:
            y = depthwise(x, kernel, self.stride)
        elif self.kernel_size == 1:
            y = product(x, kernel[0, 0], contract=(3, 0), dtype=self.dtype)
        else:
            y = _full(x, kernel, self.stride, self.dtype)
        return y + lift(bias, y)


class InvertedResidual(nn.Module):
    """Expand, depthwise, project; added to the input where the shapes allow it.  No squeeze-and-excitation in Lite.

    Source: arXiv 1801.04381 (MobileNetV2), figure 4.
    """

    kernel_size: int
    stride: int
    expansion: int
    features: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float32[Array, "batch h w features"]) -> Float32[Array, "batch h2 w2 features2"]:
        """Each side becomes its length divided by the stride, rounded up."""
        wide = x.shape[-1] * self.expansion
        y = x
        if self.expansion != 1:
            y = jax.nn.relu6(ConvBias(wide, dtype=self.dtype, name="expand")(y))
        depthwise = ConvBias(wide, self.kernel_size, self.stride, True, self.dtype, name="depthwise")
        y = jax.nn.relu6(depthwise(y))
        y = ConvBias(self.features, dtype=self.dtype, name="project")(y)
        return x + y if self.stride == 1 and x.shape[-1] == self.features else y


class EfficientNetLite(nn.Module):
    """The tower: images to pooled features, 1280 wide, or to those of a head.

    Attributes:
      config: the member of the family.
      dtype: of the operands of every convolution; accumulation and all else are float32.
    """

    config: EfficientNetLiteConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, images: Float32[Array, "batch h w 3"]
    ) -> tuple[Float32[Array, "batch features"], dict[str, Any]]:
        """Features after ReLU6 and mean, and `out`: `stem`, `block00`, ..., `top` (NHWC); `pre_logits`, `head`."""
        out: dict[str, Any] = {}
        x = jax.nn.relu6(ConvBias(_STEM, 3, 2, dtype=self.dtype, name="stem")(images))
        out["stem"] = x
        for i, (kernel_size, stride, expansion, features) in enumerate(plan(self.config)):
            name = f"block{i:02d}"
            x = InvertedResidual(kernel_size, stride, expansion, features, self.dtype, name=name)(x)
            out[name] = x
        x = jax.nn.relu6(ConvBias(_TOP, dtype=self.dtype, name="top")(x))
        out["top"] = x
        x = x.mean(axis=(1, 2))
        out["pre_logits"] = x
        if self.config.out_dim is not None:
            x = out["head"] = Dense(self.config.out_dim, self.dtype, name="head")(x)
        return x, out
