"""What the README shows runs, with the embedded model, as it stands there."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from lit.training.recipe import load_recipe

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = [line.removeprefix("$ lit ") for line in re.findall(r"^\$ lit .*$", README, re.M)]
#: On data that come with the repository.  The tests of `lit eval`, `lit train` and eval/imagenet.py run the others, on
#: data they make.
COMMANDS = [command for command in SHOWN if "cifar10" not in command and "recipe.toml" not in command]


def test_it_is_short_and_its_links_lead_somewhere():
    assert len(README.splitlines()) <= 200
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_the_example(monkeypatch):
    monkeypatch.chdir(ROOT)
    example = re.findall(r"```python\n(.*?)```", README, re.S)[0]
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(compile(example, "README.md", "exec"), {})
    assert "['cat']" in shown.getvalue()
    assert len([line for line in example.splitlines() if line.strip()]) <= 12


def test_the_recipe_of_the_training_page(tmp_path):
    shown = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "train.md").read_text(encoding="utf-8"), re.S)
    for text in shown:
        (tmp_path / "recipe.toml").write_text(text, encoding="utf-8")
        config = load_recipe(tmp_path / "recipe.toml")
        assert config.cached
    assert len(shown) == 1


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands(lit, command):
    (lit.cwd / "eval").symlink_to(ROOT / "eval")
    done = lit(*shlex.split(command, comments=True))
    assert done.returncode == 0, done.stderr
    assert done.stdout or "-o" in command
