"""`lit train` as a user has it: from a folder of pictures to a model that the other commands take."""

import json
import shutil

import pytest
from training_corpus import save_corpus, write_recipe

pytestmark = pytest.mark.slow


@pytest.fixture
def setting(lit, tiny_bundle):
    """The folder of a shell with pictures and a recipe in it."""
    save_corpus(lit.cwd / "pictures")
    vocab = lit.cwd / "vocab.txt"
    shutil.copyfile(tiny_bundle / "vocab.txt", vocab)
    write_recipe(
        lit.cwd / "recipe.toml", bundle=tiny_bundle, vocab=vocab, source="pictures/pairs.csv", output="runs/toy"
    )
    return lit.cwd


def test_from_pictures_to_a_classifier(lit, setting):
    planned = lit("train", "recipe.toml", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "24 images, 48 captions" in planned.stdout
    assert not (setting / "runs").exists()
    plan = json.loads(lit("train", "recipe.toml", "--dry-run", "--json").stdout)
    assert plan["steps"] == 12

    trained = lit("train", "recipe.toml")
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout.strip() == "runs/toy/model"
    assert "step 12 of 12, loss " in trained.stderr
    assert "24 images embedded" in trained.stderr
    assert "lit: 12 steps, loss " in trained.stderr
    assert sorted(path.name for path in (setting / "runs/toy").iterdir() if path.name[0] != ".") == [
        "checkpoints", "curve.png", "metrics.jsonl", "model", "recipe.toml", "run.json",
    ]  # fmt: skip

    words = ["--class", "red dog", "--class", "blue boat"]
    classified = lit("classify", "pictures/red-dog-0.png", *words, "--model", "runs/toy/model", "--json")
    assert classified.returncode == 0, classified.stderr

    again = lit("train", "recipe.toml", "--json", "-q")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["step"] == 12
    assert again.stderr == ""

    for options, first_step in (((), 12), (("--fresh",), 0)):
        plan = json.loads(lit("train", "recipe.toml", "--dry-run", "--json", *options).stdout)
        assert plan["first_step"] == first_step
    assert (setting / "runs/toy/model").is_dir()


def test_mistakes_are_one_line_each(lit, setting):
    for arguments, said in (
        (("train", "nothing.toml"), "there is no recipe nothing.toml"),
        (("train", "recipe.toml", "--set", "optimizer.leaning_rate=1"), "Did you mean"),
        (("train", "recipe.toml", "--set", "batch.size=100"), "has 24 images with captions"),
        (("train", "recipe.toml", "--set", "output=pictures"), "and no run of `lit train`"),
        (("train", "recipe.toml", "--set", "data.source=pictures"), "caption"),
    ):
        outcome = lit(*arguments)
        assert outcome.returncode == 1, outcome.stderr
        assert said in outcome.stderr
        assert outcome.stderr.startswith("lit: error: ")
        assert len(outcome.stderr.splitlines()) == 1, outcome.stderr


def test_a_learning_rate_that_diverges_stops_the_run(lit, setting):
    outcome = lit("train", "recipe.toml", "--set", "optimizer.learning_rate=1e30", "--set", "optimizer.clip_norm=0.0")
    assert outcome.returncode == 1, outcome.stderr
    assert "Try a tenth of the learning rate" in outcome.stderr
    assert "Traceback" not in outcome.stderr
