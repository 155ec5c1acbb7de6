"""Every recipe of eval/recipes can be read, and is what its comments say."""

from pathlib import Path

import numpy as np
import pytest
from bert_folder import write_bert
from prepared import jpeg, write_tfds
from weight_rule import weights

import lit
from lit import zoo
from lit.config import BertConfig, ViTConfig
from lit.nn.two_towers import param_shapes
from lit.suites import load_suite, suite_names
from lit.training import train
from lit.training.recipe import load_recipe
from lit.training.starts import start
from lit.training.state import num_params

#: What eval/corpus/assemble.py writes beside the training part: its README lists them.
CORPUS = {"style", "concepts"} | {
    f"{part}-{style}"
    for part, styles in (("style", ("fluent-3d", "fluent-flat")), ("concepts", ("noto", "fluent-3d")))
    for style in styles
}
RECIPES = sorted((Path(__file__).parents[3] / "eval" / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipe_is_read(path):
    recipe = load_recipe(path)
    assert recipe.output.startswith("runs/")
    for suite in recipe.evaluate.suites:
        if suite.startswith("build/corpus/"):
            assert Path(suite).stem in CORPUS
        else:
            assert suite in suite_names()
            assert load_suite(suite)


def test_no_two_recipes_have_one_folder_or_one_name():
    recipes = [load_recipe(path) for path in RECIPES]
    assert len({r.output for r in recipes}) == len({r.name for r in recipes}) == len(recipes)


def test_all_recipes_are_listed_beside_them():
    readme = (RECIPES[0].parent / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in RECIPES if f"`{path.name}`" not in readme] == []


def test_locked_towers_are_embedded_once_and_the_others_are_not():
    rows = {path.stem: load_recipe(path).image_rows for path in RECIPES}
    assert rows == {"coco_B16B": "zimg", "corpus": "features", "corpus_scratch": "pixels", "embedded": "features"}


def test_coco_is_the_published_recipe():
    recipe = load_recipe(Path(RECIPES[0].parent, "coco_B16B.toml"))
    assert (recipe.schedule.steps, recipe.schedule.warmup_steps) == (5000, max(int(0.03 * 5000), 100))
    # Source: big_vision, lit_coco.py: wd = 0.01, which is not multiplied by lr = 0.001.
    assert recipe.optimizer.weight_decay * recipe.optimizer.learning_rate == pytest.approx(0.01)


COCO = RECIPES[0].parent / "coco_B16B.toml"


def _stand_ins(folder, image: ViTConfig, text: BertConfig):
    """Overrides that give the recipe towers of random numbers: an AugReg npz with its classifier, a BERT folder."""
    tower = weights(param_shapes(image))
    head = {"head/kernel": np.zeros((image.width, 7), np.float32), "head/bias": np.zeros(7, np.float32)}
    np.savez(folder / "vit.npz", **tower, **head)
    bert = write_bert(folder / "bert", text, max_position_embeddings=text.max_positions)
    return [f"model.image={folder}/vit.npz", f"model.text={bert}"]


@pytest.mark.slow
def test_coco_has_the_published_shapes(tmp_path):
    """ViT-B/16, and BERT-base with a layer to its width: those of LiT-B16B_2."""
    image, text = ViTConfig.of_size("B/16"), BertConfig.of_size("base", gelu="erf")
    begun = start(load_recipe(COCO, _stand_ins(tmp_path, image, text)), offline=True)
    published = zoo.MODELS["LiT-B16B_2"].config
    assert (begun.config.image.width, begun.config.text.width, begun.config.dim) == (768, 768, published.dim)
    assert num_params(begun.params) == 195_280_897
    assert {name.split("/")[0] for name in begun.trained} == {"t", "txt"}
    assert "txt/head/kernel" not in begun.pretrained


def test_coco_runs_on_stand_ins(tmp_path, monkeypatch):
    """The recipe as it is, but for sizes: small towers and a few pictures, as tfds prepares them."""
    import tensorflow_datasets as tfds

    monkeypatch.setenv("LIT_CACHE", str(tmp_path / "cache"))
    said = tfds.features.Sequence({"id": tfds.features.Scalar(np.int64), "text": tfds.features.Text()})
    features = {"image": tfds.features.Image(shape=(None, None, 3)), "image/filename": tfds.features.Text()}
    examples = [
        {
            "image": jpeg(i, 40),
            "image/filename": f"{i}.jpg",
            "captions": [{"id": n, "text": f"photo {i} of a {thing}"} for n, thing in enumerate(("cat", "dog"))],
        }
        for i in range(9)
    ]
    write_tfds(tmp_path, "coco_captions", examples, features=features | {"captions": said}, split="train")
    small = BertConfig(width=32, depth=2, mlp_dim=64, num_heads=4, vocab_size=200, max_positions=40, gelu="erf")
    sizes = [f"output={tmp_path}/out", f"data.data_dir={tmp_path}", "schedule.steps=3", "schedule.warmup_steps=1"]
    towers = _stand_ins(tmp_path, ViTConfig.of_size("mu/16", image_size=32), small)
    recipe = load_recipe(COCO, [*towers, *sizes, "batch.size=4", "evaluate.suites=[]"])
    result = train(recipe, offline=True)
    assert (result.step, result.stopped) == (3, "")
    assert lit.load(result.model).embed_texts(["a cat"]).shape == (1, 32)
