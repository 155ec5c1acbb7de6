"""Names of images are for people: where all are the same, every figure and every row stays what it is."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from datasets_in_memory import Pictures, jpegs
from labelled import CLASSES
from prepared import png, write_tfds

from lit.evaluation import plan, run
from lit.evaluation.embedding import embed_dataset
from lit.evaluation.gallery import galleries as galleries_of
from lit.report.paired import paired

pytest.importorskip("tensorflow_datasets")


@pytest.mark.parametrize("keep", [True, False])
def test_embeddings_and_the_index(tiny_model, keep):
    images = jpegs(5)
    images[2] = images[0]
    unlike = embed_dataset(tiny_model, Pictures(images), keep=keep)
    for _ in range(2):  # computed, and from the index
        alike = embed_dataset(tiny_model, Pictures(images, fingerprint="alike", ids=["same"] * 5), keep=keep)
        assert alike.ids == ("same",) * 5
        np.testing.assert_array_equal(alike.zimg, unlike.zimg)
        np.testing.assert_array_equal(alike.digests, unlike.digests)
        assert (alike.labels, alike.texts) == (unlike.labels, unlike.texts)
        assert alike.positions.tolist() == unlike.positions.tolist() == list(range(5))


@pytest.fixture
def suites(tmp_path) -> dict[str, Path]:
    """The same twelve pictures under names of their own and under one name; each label is a guess."""
    (tmp_path / "c.txt").write_text("\n".join(CLASSES) + "\n")
    found = {}
    for name in ("unlike", "alike"):
        examples = [
            {"image": png(i, 32), "label": i % 4, "file_name": "same.png" if name == "alike" else f"{i}.png"}
            for i in range(12)
        ]
        write_tfds(tmp_path, name, examples, label_names=CLASSES)
        found[name] = tmp_path / f"{name}.toml"
        found[name].write_text(
            f'title = "{name}"\ndataset = "{name}"\nsplit = "test"\nidentity = "file_name"\nclasses = "c.txt"\n'
            'prompts = "clip-best"\nsource = "a test"\n'
        )
    return found


def test_a_report_its_pairs_and_its_gallery(tiny_model, suites, tmp_path):
    outcomes, galleries = {}, {}
    for name, suite in suites.items():
        planned = plan(suite, data_dir=tmp_path)
        outcomes[name] = run(tiny_model, planned)
        galleries[name] = galleries_of(planned, outcomes[name], tiny_model.config.preprocess)[0]
    a, b = (outcomes[name].report for name in ("unlike", "alike"))
    assert b.predictions.ids == ("same.png",) * 12
    assert dataclasses.replace(b.predictions, ids=a.predictions.ids) == a.predictions
    assert (a.figures, a.confusion, a.support) == (b.figures, b.confusion, b.support)
    assert 0 < a.accuracy < 1, "the test would see no mix-up"
    result = paired(a, b)
    assert (result.only_a, result.only_b, result.n) == (0, 0, 12)
    assert [dataclasses.replace(item, id="") for item in galleries["alike"]] == [
        dataclasses.replace(item, id="") for item in galleries["unlike"]
    ]
    assert len(galleries["alike"]) == 12 - sum(a.correct)
