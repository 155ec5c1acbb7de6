"""What `speed_train.py` times, as a worker in either environment: one step of training on cached image embeddings.

A step takes a batch of numpy, embeds its texts, compares all pairs (softmax), clips the gradient and applies AdamW.
Weights are random.  Both have the same towers: BERT-base, and a transformer of 4 x 256; 16 tokens, no dropout.
"""

import functools

import numpy as np
from speed_contenders import answer

VOCAB, TOKENS = 30_522, 16
#: Tower -> width of the shared space, pairs in a batch.
TOWERS = {"BERT-base": (768, 64), "4 x 256": (256, 256)}
PRECISIONS = ("float32", "bfloat16")


def batch_of(tower):
    (dim, pairs), rng = TOWERS[tower], np.random.default_rng(0)
    zimg = rng.standard_normal((pairs, dim), np.float32)
    tokens = rng.integers(1000, VOCAB, (pairs, TOKENS), dtype=np.int32)
    return {"tokens": tokens, "zimg": zimg / np.linalg.norm(zimg, axis=1, keepdims=True)}


@functools.cache
def lit_learning(tower, precision):
    """What a step is made of, and its trained parameters."""
    import jax
    from jax import numpy as jnp

    from lit import checkpoints, config
    from lit.nn import two_towers
    from lit.training import recipe
    from lit.training.mesh import make_mesh
    from lit.training.optimizers import optimizer
    from lit.training.schedules import schedule
    from lit.training.step import Learning

    dim, pairs = TOWERS[tower]
    small = config.TextTransformerConfig(
        width=256, depth=4, mlp_dim=1024, num_heads=4, vocab_size=VOCAB, context_length=TOKENS, out_dim=dim
    )
    text = config.BertConfig.of_size("base", gelu="erf", out_dim=dim) if tower == "BERT-base" else small
    model = config.LiTConfig(
        name="speed",
        image=config.ViTConfig.of_size("mu/16", image_size=32, out_dim=dim),  # never run
        text=text,
        dim=dim,
        tokenizer=config.TokenizerConfig(kind="wordpiece", context_length=TOKENS),
        preprocess=config.PreprocessConfig(image_size=32),
    )
    run = recipe.TrainConfig(
        name="speed",
        output="unused",
        model=recipe.ModelConfig(lock="LU", text="unused"),
        data=recipe.DataConfig(source="unused"),
        schedule=recipe.ScheduleConfig(steps=10_000),
        optimizer=recipe.OptimizerConfig(learning_rate=1e-4, weight_decay=0.1),
        batch=recipe.BatchConfig(size=pairs, precision=precision),
    )
    text_tower = two_towers.build_tower(text)
    drawn = jax.jit(text_tower.init)(jax.random.key(0), jnp.zeros((1, TOKENS), jnp.int32))["params"]
    trained = {"t": np.full(1, np.log(10), np.float32), "txt": jax.tree.map(np.asarray, drawn)}
    assert checkpoints.flatten(trained).keys() == {n for n in two_towers.param_shapes(model) if not n.startswith("img")}
    how = optimizer(run, schedule(run), trained)
    return Learning(recipe=run, model=model, optimizer=how, mesh=make_mesh(run)), trained


def lit_step(tower, precision):
    """The whole step of `lit train`; it must not compile a second time."""
    import jax

    from lit.training.mesh import put_batch

    learning, trained = lit_learning(tower, precision)
    state = learning.initial_state(trained)
    step, rows = learning.make_step(state), batch_of(tower)

    def call():
        nonlocal state
        state, figures = step(state, {}, put_batch(learning.mesh, rows))
        jax.block_until_ready((state, figures))
        assert step._cache_size() == 1, "the step compiled again"

    return call


def lit_tower(tower, precision):
    """The text tower alone, forward and backward."""
    import jax

    from lit.engine import tower_functions
    from lit.training.mesh import put_batch

    learning, trained = lit_learning(tower, precision)
    _, embed = tower_functions(learning.model, precision)
    gradient = jax.jit(jax.grad(lambda params, rows: (embed(params, rows["tokens"]) * rows["zimg"]).sum()))
    params, rows = jax.device_put(trained), put_batch(learning.mesh, batch_of(tower))
    return lambda: jax.block_until_ready(gradient(params, rows))


def torch_tower(tower):
    """open_clip's text tower; tokens -> (pairs, dim)."""
    import torch
    from speed_peers import import_open_clip

    import_open_clip()
    dim, _ = TOWERS[tower]
    if tower != "BERT-base":
        from open_clip.transformer import TextTransformer

        return TextTransformer(
            context_length=TOKENS, vocab_size=VOCAB, width=256, heads=4, layers=4, output_dim=dim, no_causal_mask=True
        )
    from transformers import BertConfig, BertModel

    class Bert(torch.nn.Module):  # what open_clip's HFTextEncoder is, with "cls_pooler" and "linear"
        def __init__(self):
            super().__init__()
            config = BertConfig(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
            self.bert, self.proj = BertModel(config, add_pooling_layer=False), torch.nn.Linear(768, dim, bias=False)

        def forward(self, ids):
            return self.proj(self.bert(input_ids=ids, attention_mask=(ids != 0).long()).last_hidden_state[:, 0])

    return Bert()


def torch_step(tower, precision):
    """As open_clip trains, with `--precision fp32` or `amp_bf16`."""
    import torch
    from speed_peers import import_open_clip

    import_open_clip()
    from open_clip.loss import ClipLoss

    model, rows, compare = torch_tower(tower).train(), batch_of(tower), ClipLoss()
    scale = torch.nn.Parameter(torch.tensor(np.log(10), dtype=torch.float32))
    parameters = [*model.parameters(), scale]
    adamw = torch.optim.AdamW(parameters, lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1)

    def call():
        tokens, zimg = torch.from_numpy(rows["tokens"]).long(), torch.from_numpy(rows["zimg"])
        adamw.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            ztxt = torch.nn.functional.normalize(model(tokens), dim=-1)
            loss = compare(zimg, ztxt, scale.exp())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        adamw.step()

    return call


OURS = {f"{t}: lit {p}": functools.partial(lit_step, t, p) for t in TOWERS for p in PRECISIONS}
OURS |= {f"{t}: tower alone {p}": functools.partial(lit_tower, t, p) for t in TOWERS for p in PRECISIONS}
PEERS = {f"{t}: open_clip {p}": functools.partial(torch_step, t, p) for t in TOWERS for p in PRECISIONS}


@functools.cache
def ready(name, batch):
    """The call, compiled and warm; the batch is the tower's."""
    call = {**OURS, **PEERS}[name]()
    for _ in range(2):
        call()
    return call


if __name__ == "__main__":
    answer(ready)
