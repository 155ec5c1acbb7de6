"""Two trees kept apart: what is locked has no gradient, no optimizer state and no kept activations."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from recipes import recipe
from tiny import random_params, tiny_config

from lit.checkpoints import flatten, unflatten
from lit.config import BertConfig, ViTConfig
from lit.errors import ConfigError
from lit.nn import two_towers
from lit.training.locking import Lock, merge, split, trained_names
from lit.training.optimizers import optimizer

NAMES = (
    "img/embedding/kernel",
    "img/head/kernel",
    "img_head/kernel",
    "imgs/kernel",
    "txt/Embed_0/embedding",
    "txt/head/bias",
    "txt_head/mean",
    "t",
    "b",
)


@pytest.mark.parametrize(
    ("lock", "learn"),
    [("LU", "txt"), ("Lu", "txt"), ("UL", "img"), ("uL", "img"), ("UU", "img txt"), ("uu", "img txt"),
     ("Uu", "img txt"), ("uU", "img txt"), ("LL", "")],
)  # fmt: skip
def test_what_learns(lock, learn):
    got = trained_names(NAMES, Lock(lock))
    sides = {side for side in ("img", "txt") if {n for n in NAMES if n.startswith((f"{side}/", f"{side}_"))} <= got}
    assert sides == set(learn.split())
    assert {"t", "b", "imgs/kernel"} <= got
    assert len(got) == 3 + 3 * len(sides)
    assert Lock(lock).locked == tuple(s for s, short in (("image", "img"), ("text", "txt")) if short not in sides)


def test_a_head_learns_on_a_locked_tower():
    assert trained_names(NAMES, Lock.LL, heads=["img/head", "txt/head"]) == {
        "img/head/kernel", "txt/head/bias", "imgs/kernel", "t", "b",
    }  # fmt: skip


def test_split_and_merge_are_inverse_and_copy_nothing():
    params = unflatten({name: np.zeros(1) for name in NAMES})
    trained, locked = split(params, trained_names(NAMES, Lock.LU, heads=["img/head"]))
    assert set(flatten(locked)) == {"img/embedding/kernel", "img_head/kernel"}
    assert not set(flatten(trained)) & set(flatten(locked))
    whole = flatten(merge(trained, locked))
    assert whole.keys() == set(NAMES)
    assert all(whole[name] is leaf for name, leaf in flatten(params).items())
    assert split(params, NAMES) == (params, {})
    assert merge({}, params) == params


def test_parts_that_do_not_fit():
    params = unflatten({name: np.zeros(1) for name in NAMES})
    with pytest.raises(ConfigError, match="not in the model: img/nose"):
        split(params, ["t", "img/nose"])
    with pytest.raises(ConfigError, match=r"trained and locked at once: t\."):
        merge({"t": 1}, {"t": 2})


def config_of(image_depth=1, text_depth=1):
    return tiny_config(
        image=ViTConfig.of_size("mu/16", image_size=32, depth=image_depth),
        text=BertConfig(
            width=32, depth=text_depth, mlp_dim=64, num_heads=2, vocab_size=200, max_positions=64, out_dim=32
        ),
    )


IMAGES = np.random.default_rng(0).normal(size=(3, 32, 32, 3)).astype(np.float32)
TOKENS = np.random.default_rng(1).integers(1, 200, (3, 6)).astype(np.int32)


def objective(config):
    module = two_towers.build(config)

    def loss(trained, locked):
        zimg, ztxt, out = module.apply({"params": merge(trained, locked)}, jnp.asarray(IMAGES), jnp.asarray(TOKENS))
        logits = zimg @ ztxt.T * out["logit_scale"].reshape(1, 1)
        return -jnp.trace(jax.nn.log_softmax(logits, axis=1))

    return loss


def kept_bytes(config, lock):
    """Bytes that the forward pass keeps for the backward pass; nothing is computed."""
    names = two_towers.param_shapes(config)
    params = unflatten({n: jax.ShapeDtypeStruct(s, jnp.float32) for n, s in names.items()})
    trained, locked = split(params, trained_names(names, Lock(lock)))
    loss = objective(config)

    def residuals(trained, locked):
        return jax.tree.leaves(jax.vjp(lambda t: loss(t, locked), trained)[1])

    kept = jax.eval_shape(residuals, trained, locked)
    return sum(leaf.size * leaf.dtype.itemsize for leaf in kept)


@pytest.mark.parametrize(("lock", "deeper"), [("LU", "image_depth"), ("UL", "text_depth")])
def test_a_locked_tower_keeps_no_activations(lock, deeper):
    """The depth of the tower that is locked does not matter; that of the other does."""
    other = {"image_depth": "text_depth", "text_depth": "image_depth"}[deeper]
    small = kept_bytes(config_of(), lock)
    assert kept_bytes(config_of(**{deeper: 3}), lock) == small
    assert kept_bytes(config_of(**{other: 3}), lock) > 1.5 * small


@functools.cache
def two_steps(lock, kind="lion"):
    """Flat parameters before and after two steps, and the optimizer's state."""
    config = config_of()
    before = random_params(config)
    trained, locked = split(unflatten(before), trained_names(before, Lock(lock)))
    transform = optimizer(recipe(optimizer={"kind": kind, "weight_decay": 0.1}), lambda step: 0.1, trained)
    state = jax.jit(transform.init)(trained)
    loss = objective(config)

    @jax.jit
    def step(trained, locked, state):
        gradients = jax.grad(loss)(trained, locked)
        assert set(flatten(gradients)) == set(flatten(trained))
        updates, state = transform.update(gradients, state, trained)
        return optax.apply_updates(trained, updates), state

    for _ in range(2):
        trained, state = step(trained, locked, state)
    return before, {k: np.asarray(v) for k, v in flatten(merge(trained, locked)).items()}, state


@pytest.mark.parametrize("lock", ["LU", pytest.param("UL", marks=pytest.mark.slow)])
def test_a_locked_tower_does_not_change_by_a_bit_and_all_else_does(lock):
    before, after, state = two_steps(lock)
    locked = {"LU": "img/", "UL": "txt/"}[lock]
    assert before.keys() == after.keys()
    for name, old in before.items():
        same = old.tobytes() == after[name].tobytes()
        # Rows of words and positions that no text has get no gradient, but they decay.
        assert same == name.startswith(locked), name
    moments = [leaf.size for leaf in jax.tree.leaves(state) if leaf.ndim]
    assert sum(moments) == sum(v.size for k, v in before.items() if not k.startswith(locked))
