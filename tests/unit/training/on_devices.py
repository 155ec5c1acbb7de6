"""Prints, as JSON, the figures of three steps on one to eight devices; run with eight forced ones."""

import json
import sys
from pathlib import Path

import jax

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
sys.path.insert(0, str(Path(__file__).parents[2]))

import training_toy as toy  # noqa: E402

BATCHES = ({}, {"data": 2}, {"data": 8}, {"data": 2, "fsdp": 4}, {"data": 1, "fsdp": 2})
PARTS = {"softmax": {"micro_batch": 8, "chunk": 2}, "sigmoid": {"micro_batch": 8, "chunk": 2, "exchange": "ring"}}


def shards(array):
    return sorted({shard.data.shape for shard in array.addressable_shards})


figures, last = {}, None
for loss, parts in PARTS.items():
    ways = [(batch, {}) for batch in BATCHES] + [({"data": 2, "fsdp": 2}, parts)]
    figures[loss] = {}
    for batch, objective in ways:
        last = toy.Run(toy.recipe(batch=batch, objective={"loss": loss, **objective}, optimizer={"ema": 0.9}))
        figures[loss][json.dumps({**batch, **objective})] = last.do(3)

run = toy.Run(toy.recipe(batch={"data": 2, "fsdp": 4}, optimizer={"ema": 0.9}))
run.do(2)
embedding = run.state.trained["txt"]["Embed_0"]["embedding"]
moment = next(leaf for leaf in jax.tree.leaves(run.state.optimizer) if leaf.shape == embedding.shape)
average = run.state.ema["txt"]["Embed_0"]["embedding"]
found = {"embedding": embedding, "moment": moment, "average": average, "t": run.state.trained["t"]}
print(
    json.dumps(
        {
            "figures": figures,
            "shards": {name: shards(array) for name, array in found.items()},
            "compiled": run.step._cache_size(),
        }
    )
)
