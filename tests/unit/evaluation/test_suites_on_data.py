"""Suites on prepared datasets of tfds: few-shot, subsets, several labels, captions."""

import dataclasses
import json
from collections import Counter

import numpy as np
import pytest
from labelled import CLASSES, answers
from PIL import Image
from prepared import write_tfds

import lit
from lit.errors import ConfigError, DatasetError
from lit.evaluation import Options, plan, run
from lit.evaluation.classification import class_labels
from lit.evaluation.gallery import galleries
from lit.suites import Suite


@pytest.fixture(scope="module")
def known(tiny_model):
    return answers(tiny_model, each=8)


def png(picture):
    import io

    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def rows(shown, labels):
    return [{"image": png(p), "label": int(y)} for p, y in zip(shown, labels, strict=True)]


@pytest.fixture(scope="module")
def data_dir(known, tmp_path_factory):
    """A set with the model's own labels: eight of each class to learn from and two of each, others, to score."""
    folder = tmp_path_factory.mktemp("tfds")
    shown, labels = known
    test = np.concatenate([np.flatnonzero(labels == c)[6:] for c in range(4)])
    train = np.concatenate([np.flatnonzero(labels == c)[:6] for c in range(4)])
    pick = lambda at: rows([shown[i] for i in at], labels[at])  # noqa: E731
    splits = {"train": pick(train), "test": pick(test), "both": pick(np.concatenate([train, test]))}
    write_tfds(folder, "noise", splits, version="1.0.0", label_names=list(CLASSES), file_format="array_record")
    return folder


def suite(tmp_path, **fields):
    path = tmp_path / "classes.txt"
    path.write_text("\n".join(CLASSES) + "\n")
    given = {"name": "noise", "title": "noise", "dataset": "noise", "train_split": "train", "prompts": "clip-best"}
    return Suite(**{**given, "classes": str(path), **fields})


def test_few_shot_learns_from_the_training_split(tiny_model, data_dir, tmp_path):
    report = lit.evaluate(tiny_model, suite(tmp_path), data_dir=data_dir, few_shot=(1, 6), seeds=(0, 1))
    assert report.accuracy == 1.0
    assert [(row.method, row.shots) for row in report.few_shot] == [
        (method, shots) for shots in (1, 6) for method in ("ridge", "nearest neighbours")
    ]
    assert all(len(row.accuracies) == 2 for row in report.few_shot)
    # The labels are a function of the embedding, and all examples are taken: better than chance.
    assert np.mean([row.accuracies for row in report.few_shot if row.shots == 6]) > 0.4
    other = lit.evaluate(tiny_model, suite(tmp_path), data_dir=data_dir, few_shot=(1,), seeds=(0, 1))
    none = lit.evaluate(tiny_model, suite(tmp_path), data_dir=data_dir)
    assert len({report.seal.hash, other.seal.hash, none.seal.hash}) == 3


def test_few_shot_does_not_learn_from_what_it_scores(tiny_model, data_dir, tmp_path):
    mixed = lit.evaluate(tiny_model, suite(tmp_path, train_split="both"), data_dir=data_dir, few_shot=(6,))
    clean = lit.evaluate(tiny_model, suite(tmp_path), data_dir=data_dir, few_shot=(6,))
    assert [row.accuracies for row in mixed.few_shot] == [row.accuracies for row in clean.few_shot]
    assert any(w.startswith("8 training images are among those that are scored") for w in mixed.warnings)


def test_few_shot_takes_all_examples_whatever_the_limit(tiny_model, data_dir, tmp_path):
    planned = plan(suite(tmp_path), data_dir=data_dir, few_shot=True)
    report = run(tiny_model, planned, Options(few_shot=(6,), limit=3)).report
    assert report.n == 3
    assert "24 to draw from" in report.seal.protocol["few-shot examples"]
    with pytest.raises(ConfigError, match="several labels"):
        plan(suite(tmp_path, any_hit=True), data_dir=data_dir, few_shot=True)


def test_a_subset_scores_its_own_classes(tiny_model, data_dir, tmp_path):
    (tmp_path / "two.txt").write_text("red car\nthe dog\n")
    two = suite(tmp_path, classes=str(tmp_path / "two.txt"), subset=True)
    report = lit.evaluate(tiny_model, two, data_dir=data_dir)
    assert report.class_names == ("red car", "the dog")
    assert report.n == 4  # two of each of its classes; images of the others are not scored
    assert report.accuracy == 1.0
    with pytest.raises(DatasetError, match="2 unknown"):
        plan(dataclasses.replace(two, subset=False), data_dir=data_dir)


def test_several_labels_need_a_suite_that_allows_them(tiny_model, known, tmp_path):
    lines = []
    for i, (picture, label) in enumerate(zip(*known, strict=True)):
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
        lines.append(
            json.dumps({"image": f"{i}.png", "label": [CLASSES[label], CLASSES[(label + 1) % 4]][: 1 + i % 2]})
        )
    (tmp_path / "m.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(DatasetError, match=r"has 2 labels, and suite 'noise' takes one for each image"):
        lit.evaluate(tiny_model, suite(tmp_path), data=tmp_path / "m.jsonl")
    report = lit.evaluate(tiny_model, suite(tmp_path, any_hit=True), data=tmp_path / "m.jsonl")
    assert report.accuracy == 1.0
    assert "mean_per_class" not in report.figures
    # What is counted class by class does not depend on what the model says.
    other = lit.evaluate(tiny_model, suite(tmp_path, any_hit=True), data=tmp_path / "m.jsonl", prompts="plain")
    assert report.support == other.support
    assert sum(report.support) == 16
    assert any("16 of 32 images have several labels" in w for w in report.warnings)


def test_examples_of_a_confusion_show_it_where_other_images_have_several_labels(tiny_model, known, tmp_path):
    lines = []
    for i, (picture, label) in enumerate(zip(*known, strict=True)):
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
        # Every other image has two labels, one of them right; the others have a single wrong one.
        right = [CLASSES[(label + 1) % 4], *([CLASSES[label]] if i % 2 == 0 else [])]
        lines.append(json.dumps({"image": f"{i}.png", "label": right}))
    (tmp_path / "m.jsonl").write_text("\n".join(lines) + "\n")
    planned = plan(suite(tmp_path, any_hit=True), data=tmp_path / "m.jsonl")
    outcome = run(tiny_model, planned)
    _, examples = galleries(planned, outcome, tiny_model.config.preprocess, pairs=4, each=99)
    names = outcome.report.class_names
    cells = {(names[a], names[b]): n for a, b, n in outcome.report.confusion if a != b}
    assert sum(cells.values()) == 16
    assert Counter((item.label, item.predicted) for item in examples) == cells


def test_the_protocol_takes_the_first_captions(tiny_model, known, tmp_path):
    lines = []
    for i, picture in enumerate(known[0][:8]):
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
        lines.append(json.dumps({"image": f"{i}.png", "texts": [f"a photo {i}", f"picture {i}", f"the red {i}"]}))
    (tmp_path / "m.jsonl").write_text("\n".join(lines) + "\n")
    captions = Suite(
        name="c", title="c", task="retrieval", captions="texts", metric="image_to_text_r1", captions_per_image=2
    )
    report = lit.evaluate(tiny_model, captions, data=tmp_path / "m.jsonl")
    assert report.figures["text_to_image_r1"].n == 16
    assert "the first 2" in report.seal.protocol["captions"]
    with pytest.raises(DatasetError, match="has 3 captions, and suite 'c' needs 4"):
        lit.evaluate(tiny_model, dataclasses.replace(captions, captions_per_image=4), data=tmp_path / "m.jsonl")


def test_a_label_that_the_dataset_does_not_have_is_named(tiny_model, data_dir, tmp_path):
    planned = plan(suite(tmp_path), data_dir=data_dir)
    from lit.evaluation.run import embed

    embedded = embed(tiny_model, planned, Options())
    wrong = dataclasses.replace(embedded, labels=((9,), *embedded.labels[1:]))
    with pytest.raises(DatasetError, match=r"noise:1\.0\.0, .*: label 9 is out of range"):
        class_labels(planned, wrong)
