"""`lit train` on two real processes that meet on loopback."""

import json
import shutil
import socket
import subprocess

import numpy as np
import pytest
from training_corpus import save_corpus, write_recipe

pytestmark = pytest.mark.slow


def losses(folder):
    return [json.loads(line)["loss"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_two_processes_learn_what_one_learns(lit, tiny_bundle):
    save_corpus(lit.cwd / "pictures")
    vocab = lit.cwd / "vocab.txt"
    shutil.copyfile(tiny_bundle / "vocab.txt", vocab)
    for name in ("one", "two"):
        write_recipe(
            lit.cwd / f"{name}.toml",
            bundle=tiny_bundle,
            vocab=vocab,
            source="pictures/pairs.csv",
            output=f"runs/{name}",
        )
    lit("train", "one.toml", "-q", check=True, timeout=1200)
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = f"127.0.0.1:{server.getsockname()[1]}"
    commands = [
        lit.command("train", "two.toml", "--coordinator", where, "--processes", 2, "--process", i) for i in range(2)
    ]
    pipe = subprocess.PIPE
    both = [subprocess.Popen(c, cwd=lit.cwd, env=lit.env, stdout=pipe, stderr=pipe, text=True) for c in commands]
    try:
        ends = [process.communicate(timeout=1200) for process in both]
    finally:
        for process in both:
            process.kill()
    assert [process.returncode for process in both] == [0, 0], ends
    # One of them speaks.
    assert [out.strip() for out, _ in ends] == ["runs/two/model", ""]
    # Sums over two devices are added in another order.
    np.testing.assert_allclose(losses(lit.cwd / "runs/two"), losses(lit.cwd / "runs/one"), rtol=1e-4)
    assert len(losses(lit.cwd / "runs/two")) == 12
