"""A wheel in a fresh environment is the same program as the checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
#: Prints what a user of an installation gets: data, embeddings, the command line's answer.
PROBE = """
import hashlib, json, sys, lit, lit.resources
from pathlib import Path
model = lit.load()
photos = sorted(Path(sys.argv[1]).glob("*.jpg"))[:3]
clf = lit.ZeroShotClassifier(model, "everyday", prompts="clip-best")
print(json.dumps({
    "where": str(Path(lit.__file__).parent),
    "version": lit.__version__,
    "classes": len(lit.load_classes("imagenet")),
    "zimg": hashlib.sha256(model.embed_images(photos).tobytes()).hexdigest(),
    "ztxt": hashlib.sha256(model.embed_texts(["a cat", "a dog"]).tobytes()).hexdigest(),
    "predict": clf.predict(photos),
}))
"""


def probe(python: Path | str, cwd: Path) -> dict:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    photos = ROOT / "eval" / "demo" / "photos"
    command = [str(python), "-c", PROBE, str(photos)]
    out = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    return json.loads(out.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("lit_jax-*.whl"))


def test_the_wheel_carries_the_data_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    carried = {n.removeprefix("lit/_data/prompts/") for n in names if n.startswith("lit/_data/prompts/")}
    assert carried == {str(p.relative_to(ROOT / "prompts")) for p in (ROOT / "prompts").rglob("*") if p.is_file()}
    assert "lit/embedded/model.safetensors" in names
    assert "lit/py.typed" in names
    suites = {n.removeprefix("lit/_data/suites/") for n in names if n.startswith("lit/_data/suites/")}
    assert {"imagenet2012.toml", "labels/imagenet.txt"} <= suites
    assert {f"lit/report/templates/page.{kind}" for kind in ("html", "css", "js")} <= set(names)
    tops = {n.split("/")[0] for n in names}
    assert tops == {"lit", next(t for t in tops if t.endswith(".dist-info"))}
    assert not [n for n in names if "__pycache__" in n or "/tests/" in n]


def test_a_fresh_environment_equals_the_checkout(wheel, tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", str(wheel)]
    done = subprocess.run(pip, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    installed, checkout = probe(python, tmp_path), probe(sys.executable, ROOT)
    assert Path(installed.pop("where")) != Path(checkout.pop("where"))
    assert installed == checkout
    shown = subprocess.run([str(python.parent / "lit"), "--version"], capture_output=True, text=True, check=True)
    assert installed["version"] in shown.stdout
