"""The closed-form baselines on data whose answer is known."""

import json
from pathlib import Path

import numpy as np
import pytest

RECIPE = Path(__file__).parents[3] / "eval" / "corpus"


@pytest.fixture(autouse=True)
def recipe(monkeypatch):
    """Lets a test import the scripts of eval/corpus, which are not a package."""
    monkeypatch.syspath_prepend(str(RECIPE))


def test_logits_are_what_the_head_took_the_root_of_the_softmax_of():
    import baselines

    x = np.random.default_rng(0).normal(size=(3, 7)) * 9
    p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    got = baselines.logits(np.sqrt(p).astype(np.float32))
    np.testing.assert_allclose(got, x - x.mean(axis=1, keepdims=True), atol=1e-4)


def test_features_are_recovered_from_what_the_head_made_of_them():
    import baselines

    rng = np.random.default_rng(0)
    x, kernel = baselines.unit(rng.normal(size=(5, 4))), rng.normal(size=(4, 20)).astype(np.float32)
    p = np.exp(x @ kernel / 0.5)
    got = baselines.sentence_features(np.sqrt(p / p.sum(axis=1, keepdims=True)), kernel, 0.5)
    np.testing.assert_allclose(got, x, atol=1e-4)


def test_whitened_columns_are_uncorrelated_and_vary_alike():
    import baselines

    rng = np.random.default_rng(0)
    x = (rng.normal(size=(500, 3)) @ rng.normal(size=(3, 3))).astype(np.float32)
    white = np.cov((x @ baselines.whitening(x, floor=0)).T)
    np.testing.assert_allclose(white, np.eye(3), atol=1e-2)


def test_ridge_finds_a_linear_map_and_takes_a_small_penalty_for_it():
    import baselines

    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 5)).astype(np.float32)
    w, b = rng.normal(size=(5, 3)).astype(np.float32), np.float32([1, -2, 3])
    fitted, penalty = baselines.regression(x, x @ w + b, np.arange(300))
    assert penalty == min(baselines.PENALTIES)
    new = rng.normal(size=(4, 5)).astype(np.float32)
    np.testing.assert_allclose(fitted(new), new @ w + b, atol=0.02)


def test_ridge_takes_a_large_penalty_where_there_is_nothing_to_learn():
    import baselines

    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(60, 40)).astype(np.float32) for _ in range(2))
    assert baselines.regression(x, y + 1, np.arange(60))[1] == max(baselines.PENALTIES)


def test_bag_of_words_weighs_rare_words_more_and_knows_training_words_alone():
    import baselines

    weigh = baselines.bag_of_words(
        ["a cat", "a dog", "a cat, small", "A big dog!", "a small ant", "big ideas", "an owl"]
    )
    a, cat, unseen = weigh(["a", "cat CAT", "owl zebra"])
    both = weigh(["a cat"])[0]
    assert both @ cat > both @ a > 0
    assert not unseen.any()  # "owl" is there once, which shows nothing


def test_embeddings_are_made_once_for_the_same_items(tmp_path):
    import baselines

    calls = []

    def embed(items):
        calls.append(items)
        return np.eye(len(items), dtype=np.float32)

    file = tmp_path / "z.npz"
    for items, key in (("a b", "k"), ("a b", "k"), ("a c", "k"), ("a c", "other")):
        found = baselines.kept(file, key, items.split(), embed)
        assert found[items.split()[1]].tolist() == [0, 1]
    assert calls == [["a", "b"], ["a", "c"], ["a", "c"]]


def _write(corpus, name, rows):
    (corpus / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_corpus_where_pictures_look_like_their_words_is_learnt(tmp_path):
    """Pictures are noisy codes of their concept, and so are texts; the two codes have nothing in common."""
    import baselines

    rng = np.random.default_rng(0)
    concepts, width = 60, 16
    meaning = rng.normal(size=(concepts, width))
    to_image, to_text = rng.normal(size=(2, width, width))

    def code(x):
        p = np.exp(x - x.max(axis=1, keepdims=True))
        return np.sqrt(p / p.sum(axis=1, keepdims=True)).astype(np.float32)

    image = code(meaning @ to_image / 2)
    text = code(meaning @ to_text / 2)
    names = [f"name {i}" for i in range(concepts)]
    rows = [
        {"id": f"{s}{i}", "image": f"{s}{i}", "text": [names[i]], "concept": str(i), "style": s, "label": names[i]}
        for s in ("noto", "fluent-3d")
        for i in range(concepts)
    ]
    _write(tmp_path, "train", rows[:concepts])
    for name in (*baselines.RETRIEVED, *baselines.CLASSIFIED):
        _write(tmp_path, name, rows[concepts:])
    images = {row["image"]: image[int(row["concept"])] for row in rows}
    texts = dict(zip(names, text, strict=True))
    found = baselines.baselines(tmp_path, images, texts, {n: baselines.logits(z[None])[0] for n, z in texts.items()})
    for name in ("ridge to MiniLM", "ridge to whitened MiniLM"):
        assert found[name]["style-fluent-3d"]["image_to_text_r1"]["value"] > 0.9
    assert found["ridge to MiniLM"]["concepts, top 1 by bare names"]["classes"] == concepts
    assert found["untrained"]["style-fluent-3d"]["image_to_text_r1"]["value"] < 0.2


def test_the_table_of_trained_models_has_a_figure_and_an_interval_in_each_column():
    import trained

    figure = {"value": 0.5, "low": 0.25, "high": 0.75}
    parts = {part: {} for _, part, _ in trained.COLUMNS}
    for n, (_, part, name) in enumerate(trained.COLUMNS):
        one = {**figure, "value": n / 100}
        parts[part] = one if name is None else {**parts[part], name: one}
    head, _, row = trained.table({"a model": parts}).splitlines()
    assert head.count("|") == row.count("|") == len(trained.COLUMNS) + 2
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["a model", *(f"{n}.0 (25.0-75.0)" for n in range(len(trained.COLUMNS)))]
