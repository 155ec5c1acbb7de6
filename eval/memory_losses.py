"""Memory and time of the losses, whole and in blocks side by side, and the plan of a step on 1,000,000 pairs.

    python eval/memory_losses.py [measure] [plan] [run] [--most 65536] [--timed 65536] [--budget 4] [--pairs 1000000]

measure: value and gradients by both sides, 1,024 pairs and up, dim 512: temporary memory of the compiled program, and
the median of some calls, full and chunked taking turns.  A full one that needs more than the budget (GB) is compiled
but not run.
plan: the step of `lit train` on cached image embeddings that decides memory: a text tower (12 x 768, 16 tokens) in two
passes, the chunked loss, AdamW's two moments.  It is compiled from shapes alone; nothing is allocated.  The figures are
those of the backend's own compiler: on a CPU, the CPU's, which fuses less and has no scratch for matrix products.
run: that step, where a device has room for it; three times, and the peak that the device tells.
"""

import argparse
import json
import statistics
import sys
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from speed import machine

from lit.config import TextTransformerConfig
from lit.losses import gradients_in_two_passes, sigmoid_loss, softmax_loss
from lit.nn import two_towers

HERE = Path(__file__).resolve().parent
SECTIONS = ("measure", "plan", "run")
GPU = 141e9
LOSSES = {
    "softmax": lambda z, t, b, chunk: softmax_loss(*z, logit_scale=t, chunk=chunk),
    "sigmoid": lambda z, t, b, chunk: sigmoid_loss(*z, logit_scale=t, logit_bias=b, chunk=chunk),
}


def compiled(loss, pairs, dim, chunk):
    """Value and gradients by zimg and ztxt."""
    function = jax.value_and_grad(lambda z: LOSSES[loss](z, 10.0, -10.0, chunk).value)
    return jax.jit(function).lower((jax.ShapeDtypeStruct((pairs, dim), jnp.float32),) * 2).compile()


def timed(function, *arguments):
    began = time.perf_counter()
    jax.block_until_ready(function(*arguments))
    return time.perf_counter() - began


def measure(most, timed_most, budget, chunk, dim=512):
    """Yields a row for each loss and size, smallest first."""
    for pairs in (2**i for i in range(10, most.bit_length())):
        z = np.random.default_rng(0).standard_normal((2, pairs, dim), np.float32)
        z = tuple(jnp.asarray(z / np.linalg.norm(z, axis=2, keepdims=True)))
        for loss in LOSSES:
            row = {"loss": loss, "pairs": pairs, "dim": dim, "chunk": chunk}
            programs = {"full": compiled(loss, pairs, dim, None), "chunked": compiled(loss, pairs, dim, chunk)}
            memory = {name: p.memory_analysis().temp_size_in_bytes for name, p in programs.items()}
            programs = {n: p for n, p in programs.items() if memory[n] <= budget * 1e9 and pairs <= timed_most}
            # Of a minute-long call one is enough; short ones are repeated, after one that warms up.
            turns = max(1, min(7, 2**15 // pairs))
            times = [{name: timed(p, z) for name, p in programs.items()} for _ in range(turns + (turns > 1))]
            for name in memory:
                row[f"{name}_mb"] = round(memory[name] / 1e6, 1)
                seconds = [t[name] for t in times[-turns:] if name in t]
                row[f"{name}_s"] = round(statistics.median(seconds), 4) if seconds else None
            print(json.dumps(row), file=sys.stderr, flush=True)
            yield row


def step(tower, optimizer, loss, chunk, micro_batch, state, zimg, tokens):
    """One step on cached image embeddings."""
    params, moments = state

    def embed(params, tokens):
        z, _ = tower.apply({"params": params["txt"]}, tokens)
        return z / jnp.linalg.norm(z, axis=1, keepdims=True)

    def objective(params, ztxt):
        return LOSSES[loss]((zimg, ztxt), jnp.exp(params["t"]), params["b"], chunk)

    found, gradients = gradients_in_two_passes(embed, params, tokens, objective, micro_batch=micro_batch)
    updates, moments = optimizer.update(gradients, moments, params)
    return (optax.apply_updates(params, updates), moments), found


def plan(pairs, chunk, micro_batch, dim=768, tokens=16):
    """Each loss's compiled step, and the shapes that it takes."""
    config = TextTransformerConfig(width=dim, depth=12, mlp_dim=4 * dim, num_heads=dim // 64, vocab_size=32_000)
    tower, optimizer = two_towers.build_tower(config, dtype="bfloat16"), optax.adamw(1e-4)

    def start(key):
        params = {"txt": tower.init(key, jnp.zeros((1, tokens), jnp.int32))["params"]}
        params |= {"t": jnp.log(jnp.full(1, 10.0)), "b": jnp.full(1, -10.0)}
        return params, optimizer.init(params)

    shapes = jax.eval_shape(start, jax.random.key(0))
    data = (jax.ShapeDtypeStruct((pairs, n), d) for n, d in ((dim, jnp.float32), (tokens, jnp.int32)))
    arguments, programs, rows = (shapes, *data), {}, []
    for loss in LOSSES:
        function = partial(step, tower, optimizer, loss, chunk, micro_batch)
        programs[loss] = jax.jit(function, donate_argnums=0).lower(*arguments).compile()
        m = programs[loss].memory_analysis()
        total = m.argument_size_in_bytes + m.output_size_in_bytes - m.alias_size_in_bytes + m.temp_size_in_bytes
        row = {"loss": loss, "pairs": pairs, "dim": dim, "chunk": chunk, "micro_batch": micro_batch}
        row |= {"text_parameters": sum(x.size for x in jax.tree.leaves(shapes[0]))}
        row |= {"arguments_gb": m.argument_size_in_bytes / 1e9, "temporary_gb": m.temp_size_in_bytes / 1e9}
        row |= {"total_gb": total / 1e9, "of_141_gb": total / GPU, "compiler": jax.default_backend()}
        rows.append({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()})
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows, programs, start


def run(programs, start, pairs, dim=768, tokens=16):
    """Three steps of each loss on random embeddings and tokens."""
    rows, keys = [], jax.random.split(jax.random.key(0), 3)
    for loss, program in programs.items():
        state = jax.jit(start)(keys[0])
        zimg = jax.random.normal(keys[1], (pairs, dim))
        zimg, ids = zimg / jnp.linalg.norm(zimg, axis=1, keepdims=True), None
        ids = jax.random.randint(keys[2], (pairs, tokens), 1, 32_000)
        seconds, values = [], []
        for _ in range(3):
            began = time.perf_counter()
            state, found = program(state, zimg, ids)
            values.append(float(found.value))
            seconds.append(round(time.perf_counter() - began, 2))
        peak = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
        device = jax.devices()[0].device_kind
        rows.append(
            {"loss": loss, "pairs": pairs, "device": device, "seconds": seconds, "values": values, "peak_bytes": peak}
        )
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; default: measure plan")
    parser.add_argument("--most", type=int, default=2**16, help="pairs whose memory is measured at most")
    parser.add_argument("--timed", type=int, default=2**16, help="pairs that are timed at most")
    parser.add_argument("--budget", type=float, default=4, metavar="GB", help="temporary memory of what is run")
    parser.add_argument("--pairs", type=int, default=1_000_000, help="of the plan and of the run")
    parser.add_argument("--chunk", type=int, default=1024)
    parser.add_argument("--micro-batch", type=int, default=2000)
    parser.add_argument("-o", "--output", type=Path, default=HERE / "results" / "memory_losses.json")
    args = parser.parse_args()
    sections = args.sections or SECTIONS[:2]
    if unknown := set(sections) - set(SECTIONS):
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    results = json.loads(args.output.read_text()) if args.output.exists() else {}
    results |= {"machine": machine(), "jax": jax.__version__, "backend": jax.default_backend()}
    if "measure" in sections:
        results["measure"] = []
        for row in measure(args.most, args.timed, args.budget, args.chunk):
            results["measure"].append(row)
            args.output.write_text(json.dumps(results, indent=1) + "\n")
    if {"plan", "run"} & set(sections):
        results["plan"], programs, start = plan(args.pairs, args.chunk, args.micro_batch)
        if "run" in sections:
            results["run"] = run(programs, start, args.pairs)
    args.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
