"""Every recipe of eval/recipes can be read, and is what its comments say."""

from pathlib import Path

import pytest

from lit.suites import load_suite, suite_names
from lit.training.recipe import load_recipe

RECIPES = sorted((Path(__file__).parents[3] / "eval" / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipe_is_read(path):
    recipe = load_recipe(path)
    assert recipe.output == f"runs/{recipe.name}"
    for suite in recipe.evaluate.suites:
        assert suite in suite_names() and load_suite(suite) if not suite.startswith("build/corpus/") else True


def test_all_recipes_are_listed_beside_them():
    readme = (RECIPES[0].parent / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in RECIPES if f"`{path.name}`" not in readme] == []


def test_locked_towers_are_embedded_once_and_the_others_are_not():
    cached = {path.stem: load_recipe(path).cached for path in RECIPES}
    assert cached == {"coco_B16B": True, "corpus": True, "corpus_minilm": True, "corpus_scratch": False}


def test_coco_is_the_published_recipe():
    recipe = load_recipe(Path(RECIPES[0].parent, "coco_B16B.toml"))
    assert (recipe.schedule.steps, recipe.schedule.warmup_steps) == (5000, max(int(0.03 * 5000), 100))
    # Source: big_vision, lit_coco.py: wd = 0.01, which is not multiplied by lr = 0.001.
    assert recipe.optimizer.weight_decay * recipe.optimizer.learning_rate == pytest.approx(0.01)
