"""What `speed.py` times, as a worker in either environment: ViT-B/16 and BERT-base (16 tokens), random weights.

A line of JSON in, `{"name": ..., "batch": ..., "repeats": ...}`, a line out: the seconds of each call.  Every contender
takes the same prepared input, a whole batch in one call, and hands back numpy.
"""

import functools
import json
import os
import sys
import time
from importlib import metadata

import numpy as np

PRECISIONS = ("float32", "bfloat16")
KNOWN = ["jax", "jaxlib", "flax", "numpy", "openvino", "torch", "open_clip_torch", "transformers"]


def pixels(batch):
    return np.random.default_rng(0).uniform(-1, 1, (batch, 224, 224, 3)).astype(np.float32)


def tokens(batch):
    ids = np.random.default_rng(0).integers(1000, 30_000, (batch, 16), dtype=np.int32)
    ids[::2, 10:] = 0
    return ids


@functools.cache
def lit_engine(name, precision):
    from lit import checkpoints, zoo
    from lit.engine import XlaEngine
    from lit.nn import two_towers
    from lit.openvino_engine import OpenVinoEngine

    config, rng = zoo.find("LiT-B16B_2").config, np.random.default_rng(0)
    flat = {
        n: rng.standard_normal(s, np.float32) * np.float32(0.02) for n, s in two_towers.param_shapes(config).items()
    }
    flat = {n: v + np.float32(n.endswith("scale")) for n, v in flat.items()}
    engine = {"xla": XlaEngine, "openvino": OpenVinoEngine}[name]
    return engine(config, checkpoints.fit(flat, config, source="random"), precision=precision)


def lit_images(engine, precision, x):
    run = lit_engine(engine, precision).images
    return lambda: np.asarray(run(x))


def lit_texts(engine, precision, x):
    run = lit_engine(engine, precision).texts
    return lambda: np.asarray(run(x))


def bare_images(precision, x):
    from speed_bare import images

    return images(precision, x)


def open_clip_images(precision, x):
    from speed_peers import open_clip_images

    return open_clip_images(precision, x)


def transformers_texts(precision, x):
    from speed_peers import transformers_texts

    return transformers_texts(precision, x)


def in_both(name, function):
    return {f"{name} {precision}": functools.partial(function, precision) for precision in PRECISIONS}


OURS = {
    **in_both("images: lit", functools.partial(lit_images, "xla")),
    **in_both("images: lit openvino", functools.partial(lit_images, "openvino")),
    **in_both("images: bare jnp", bare_images),
    **in_both("texts: lit", functools.partial(lit_texts, "xla")),
    **in_both("texts: lit openvino", functools.partial(lit_texts, "openvino")),
}
PEERS = {**in_both("images: open_clip", open_clip_images), **in_both("texts: transformers", transformers_texts)}


@functools.cache
def ready(name, batch):
    """The call, compiled and warm."""
    call = {**OURS, **PEERS}[name]((pixels if name.startswith("images") else tokens)(batch))
    for _ in range(3):
        call()
    return call


def answer(ready):
    """Times what standard input asks for; `ready(name, batch)` gives the call."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Libraries may print; only answers go to the pipe.
    versions = {name: metadata.version(name) for name in KNOWN if any(metadata.distributions(name=name))}
    print(json.dumps(versions), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        call, seconds = ready(request["name"], request["batch"]), []
        call()  # Whoever ran before had the caches.
        for _ in range(request["repeats"]):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
        print(json.dumps(seconds), file=answers, flush=True)


if __name__ == "__main__":
    answer(ready)
