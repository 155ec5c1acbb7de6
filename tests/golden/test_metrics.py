"""Figures equal those of big_vision's evaluators on the same embeddings, exactly where they are counts."""

import inspect
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lit import metrics
from lit.zeroshot import class_embeddings

DATA = Path(__file__).parent / "data" / "metrics"


def golden(part, name=""):
    """The recordings under a prefix, by their last names."""
    prefix = f"{part}/{name}/" if name else f"{part}/"
    with np.load(DATA / f"{part}.npz") as arrays:
        return {key.removeprefix(prefix): arrays[key] for key in arrays.files if key.startswith(prefix)}


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_retrieval(name):
    of = golden("retrieval", name)
    found = metrics.retrieval_of(of["similarity"], of["text_image"])
    assert [found[f"image_to_text_r{k}"].value for k in (1, 5, 10)] == of["img2txt"].tolist()
    assert [found[f"text_to_image_r{k}"].value for k in (1, 5, 10)] == of["txt2img"].tolist()
    n = {key: figure.n for key, figure in found.items()}
    assert n == dict.fromkeys((k for k in n if k.startswith("image")), len(of["similarity"])) | dict.fromkeys(
        (k for k in n if k.startswith("text")), of["similarity"].shape[1]
    )


@pytest.mark.parametrize("name", ["wide", "tall", "wide_l2_1024"])
def test_ridge(name):
    of = golden("fewshot", name)
    expected = of["scores_float64"]
    scores = metrics.ridge(of["x"], of["y"], of["x_test"], expected.shape[1], float(of["l2"]))
    # Both are float64; a float32 solution is off by up to 5e-2 here.
    np.testing.assert_allclose(scores, expected, atol=1e-10, rtol=0)
    right = scores.argmax(axis=1) == of["y_test"]
    assert right.mean() == of["acc_float64"]
    assert abs(right.mean() - of["acc"]) <= 1 / 200


def test_few_shot_takes_the_examples_that_the_reference_takes():
    of = golden("fewshot", "eval")
    rows = metrics.few_shot(
        of["x"], of["y"], of["x_test"], of["y_test"], 5, shots=(1, 5, 10), seeds=(0, 1, 2), l2=float(of["l2"])
    )
    by_ridge = np.asarray([row.accuracies for row in rows if row.method == "ridge"]).T
    expected = np.stack([of[f"seed{seed}_acc_1_5_10"] for seed in range(3)])
    # The recordings are float32 means of 150 images.
    np.testing.assert_array_equal(by_ridge.astype(np.float32), (expected * 150).round() / np.float32(150))
    assert len({tuple(row) for row in by_ridge.tolist()}) == 3


def test_predictions_and_both_accuracies():
    of = golden("zeroshot")
    scores = of["zimg"] @ of["class_embeddings"].T
    top = metrics.top_k(scores, 5)
    np.testing.assert_array_equal(top[:, 0], of["prediction"])
    assert metrics.accuracy(metrics.hits(top[:, :1], of["labels"])).value == of["acc"]
    several = [[int(label) for label in row if label >= 0] for row in of["multilabels"]]
    assert max(map(len, several)) > 1
    assert metrics.accuracy(metrics.hits(top[:, :1], several)).value == of["acc_multilabel"]


@pytest.mark.parametrize(
    ("renormalize", "name"), [(True, "class_embeddings"), (False, "class_embeddings_unnormalized")]
)
def test_class_embeddings(renormalize, name):
    of = golden("zeroshot")
    classes = len(of["class_embeddings"])
    texts = [[f"{i}" for i in np.flatnonzero(of["text_labels"] == c)] for c in range(classes)]
    recorded = SimpleNamespace(embed_texts=lambda rows, progress: of["text_embeddings"][[int(row) for row in rows]])
    made = inspect.unwrap(class_embeddings)(recorded, texts, renormalize=renormalize)
    np.testing.assert_allclose(made, of[name], atol=2e-7, rtol=0)
    np.testing.assert_array_equal(
        metrics.top_k(of["zimg"] @ made.T, 1)[:, 0], metrics.top_k(of["zimg"] @ of[name].T, 1)[:, 0]
    )
