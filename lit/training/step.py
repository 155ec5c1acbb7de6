"""One step: embed, compare, learn.  Compiled once; the state before it is given up for the state after it."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Float32

from lit.config import LiTConfig
from lit.engine import tower_functions
from lit.losses import Loss, gradients_in_two_passes, sigmoid_loss, softmax_loss
from lit.nn.two_towers import image_head
from lit.training.locking import merge
from lit.training.mesh import AXES, everywhere, shardings
from lit.training.optimizers import averaged
from lit.training.recipe import TrainConfig
from lit.training.state import TrainState


class Figures(NamedTuple):
    """What a step measured, before it learnt from it.

    Attributes:
      loss, image_to_text, text_to_image: see `lit.losses.Loss`.
      logit_scale, logit_bias: that the loss was computed with; the bias is 0 where there is none.
      gradient_norm: of all gradients together, before clipping.
    """

    loss: Float32[Array, ""]
    image_to_text: Float32[Array, ""]
    text_to_image: Float32[Array, ""]
    logit_scale: Float32[Array, ""]
    logit_bias: Float32[Array, ""]
    gradient_norm: Float32[Array, ""]


#: (state, locked parameters, batch) -> (next state, figures); the state is donated.  A batch is {"tokens", and "zimg",
#: "features" or "pixels"}, as `lit.training.mesh.put_batch` makes it.
Step = Callable[[TrainState, Any, Mapping[str, Array]], tuple[TrainState, Figures]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Learning:
    """What a step is made of.

    Attributes:
      recipe: the objective, the precision, the micro-batch, the moving average.
      model: the towers.
      optimizer: of the trained parameters.
      mesh: from `make_mesh`.
    """

    recipe: TrainConfig
    model: LiTConfig
    optimizer: optax.GradientTransformation
    mesh: Mesh

    def initial_state(self, trained: Any) -> TrainState:
        """The state before the first step, on the devices of the mesh.

        Args:
          trained: nested numpy parameters; copied, so that no caller's array is donated.
        """
        placed = shardings(self.mesh, jax.eval_shape(self._begin, trained))
        return jax.jit(self._begin, out_shardings=placed)(trained)

    def abstract_state(self, trained: Any) -> TrainState:
        """Shapes and shardings of the state; nothing is allocated."""
        state = jax.eval_shape(self._begin, trained)

        def placed(leaf: Any, at: Any) -> jax.ShapeDtypeStruct:
            return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=at)

        return jax.tree.map(placed, state, shardings(self.mesh, state))

    def _begin(self, trained: Any) -> TrainState:
        # Copies, because JAX would hand on the caller's own memory, which the first step then overwrites.
        own, ema = (jax.tree.map(jnp.copy, trained) for _ in range(2))
        return TrainState(jnp.int32(0), own, self.optimizer.init(trained), ema if self.recipe.optimizer.ema else None)

    def make_step(self, like: TrainState) -> Any:
        """The jitted `Step`; `like` tells the shapes of the state."""

        def step(state: TrainState, locked: Any, batch: Mapping[str, Array]) -> tuple[TrainState, Figures]:
            loss, gradients = self.gradients(state.trained, locked, batch)
            updates, optimizer = self.optimizer.update(gradients, state.optimizer, state.trained)
            trained, ema = optax.apply_updates(state.trained, updates), state.ema
            if ema is not None:
                ema = averaged(ema, trained, decay=self.recipe.optimizer.ema, step=state.step)
            scale, bias = _scale_and_bias(merge(state.trained, locked))
            norm = optax.tree.norm(gradients)
            figures = Figures(*(jnp.reshape(x, ()) for x in (*loss, scale, bias, norm)))
            return TrainState(state.step + 1, trained, optimizer, ema), figures

        out = shardings(self.mesh, like), everywhere(self.mesh)
        return jax.jit(step, donate_argnums=0, out_shardings=out)

    def gradients(self, trained: Any, locked: Any, batch: Mapping[str, Array]) -> tuple[Loss, Any]:
        """The loss of a batch over all devices, and its gradient by the trained parameters; call it under `jax.jit`."""
        if self.mesh.size == 1:
            return self._own_gradients(trained, locked, batch, axis=None)

        def of_a_device(trained: Any, locked: Any, batch: Any) -> tuple[Loss, Any]:
            return self._own_gradients(trained, locked, batch, axis=AXES)

        shared = jax.shard_map(of_a_device, mesh=self.mesh, in_specs=(P(), P(), P(AXES)), out_specs=P())
        return shared(trained, locked, batch)

    def _own_gradients(self, trained: Any, locked: Any, batch: Any, axis: Any) -> tuple[Loss, Any]:
        precision = self.recipe.batch.precision
        embed_image, embed_text = tower_functions(self.model, precision)
        head = image_head(self.model, dtype=precision)

        def embed(trained: Any, rows: Any) -> tuple[Array, Array]:
            params = merge(trained, locked)
            if "zimg" in rows:
                zimg = rows["zimg"]
            elif "features" in rows:
                zimg = head(params, rows["features"])
            else:
                zimg = embed_image(params, rows["pixels"])
            return zimg, embed_text(params, rows["tokens"])

        def objective(trained: Any, embeddings: tuple[Array, Array]) -> Loss:
            scale, bias = _scale_and_bias(merge(trained, locked))
            return self._loss(*embeddings, scale, bias, axis)

        micro = self.recipe.objective.micro_batch // self.mesh.size
        if micro and micro < len(batch["tokens"]):
            return gradients_in_two_passes(embed, trained, batch, objective, micro_batch=micro, axis=axis)

        def value(trained: Any) -> tuple[Array, Loss]:
            loss = objective(trained, embed(trained, batch))
            return loss.value, loss

        if axis:  # each device's own copy: gradients are then added up once, below
            trained = jax.lax.pcast(trained, axis, to="varying")
        gradients, loss = jax.grad(value, has_aux=True)(trained)
        return loss, jax.lax.psum(gradients, axis) if axis else gradients

    def _loss(self, zimg: Array, ztxt: Array, scale: Array, bias: Array, axis: Any) -> Loss:
        o = self.recipe.objective
        if o.loss == "softmax":
            return softmax_loss(zimg, ztxt, logit_scale=scale, chunk=o.chunk or None, axis=axis)
        return sigmoid_loss(
            zimg, ztxt, logit_scale=scale, logit_bias=bias, chunk=o.chunk or None, axis=axis, exchange=o.exchange
        )


def _scale_and_bias(params: Any) -> tuple[Array, Array]:
    """As `TwoTowers` makes them from its parameters."""
    return jnp.exp(params["t"]), params.get("b", jnp.zeros(1))
