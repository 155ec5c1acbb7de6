"""Evaluations from folder to report: figures that are known beforehand, warnings, seals, faults."""

import dataclasses
import json

import numpy as np
import pytest
from labelled import CLASSES, save_folders
from PIL import Image
from tiny import pictures

import lit
from lit.errors import ConfigError, DatasetError, ImageError, InputError, UnknownNameError
from lit.evaluation import Options, explain_gap, plan, run
from lit.evaluation.gallery import galleries
from lit.report import compare_seals
from lit.report.paired import paired


def test_labels_that_the_model_gives_are_all_right(tiny_model, folder, known):
    report = lit.evaluate(tiny_model, folder)
    # Folder names in their order are the classes; underscores are spaces.
    assert report.class_names == CLASSES
    assert report.accuracy == 1.0
    assert report.n == 24
    assert report.figures["top1"].low < 1.0
    assert report.suite == "pictures"
    assert report.protocol == "clip"
    assert report.support == report.correct == (6, 6, 6, 6)


def test_k_wrong_labels_cost_k_images(tiny_model, known, tmp_path):
    shown, labels = known
    wrong = labels.copy()
    wrong[[2, 11, 17]] = (wrong[[2, 11, 17]] + 1) % 4
    report = lit.evaluate(tiny_model, save_folders(tmp_path / "p", shown, wrong))
    assert report.accuracy == 21 / 24
    assert sum(n for true, said, n in report.confusion if true != said) == 3
    assert sum(n for _, _, n in report.confusion) == 24


def test_a_manifest_names_classes_and_the_order_of_rows_does_not_matter(tiny_model, folder, tmp_path):
    files = sorted(p for p in folder.rglob("*.png"))
    rows = [f"{p.relative_to(folder)},{p.parent.name}" for p in files]
    reports = []
    for name, order in (("a.csv", rows), ("b.csv", rows[::-1])):
        (folder / name).write_text("\n".join(["image,label", *order]) + "\n")
        reports.append(lit.evaluate(tiny_model, folder / name))
    a, b = reports
    assert a.accuracy == b.accuracy == 1.0
    assert a.seal.data["content"] == b.seal.data["content"] == lit.evaluate(tiny_model, folder).seal.data["content"]


def test_the_report_says_what_was_reused(tiny_model, folder):
    first = lit.evaluate(tiny_model, folder)
    again = lit.evaluate(tiny_model, folder, protocol="big-vision")
    assert (first.timing.computed, first.timing.reused) == (24, 0)
    assert (again.timing.computed, again.timing.reused) == (0, 24)
    assert again.protocol == "big-vision"


def test_a_permuted_order_of_names_is_noticed_and_named(tiny_model, known, tmp_path):
    shown, labels = known
    swapped = np.asarray([1, 0, 2, 3])[labels]
    report = lit.evaluate(tiny_model, save_folders(tmp_path / "p", shown, swapped))
    assert report.accuracy == 0.5
    said = " ".join(report.warnings)
    assert "the order of the labels is suspect" in said
    assert "'car and cat' and 'green' look swapped" in said


def test_a_broken_picture_ends_the_run_or_is_named(tiny_model, folder):
    (folder / "green" / "broken.jpg").write_bytes(b"\xff\xd8\xff not a jpeg")
    with pytest.raises(ImageError, match=r"green/broken\.jpg"):
        lit.evaluate(tiny_model, folder)
    report = lit.evaluate(tiny_model, folder, skip_bad=True)
    assert report.n == 24
    assert report.accuracy == 1.0
    assert [e.id for e in report.excluded] == ["green/broken.jpg"]
    assert "1 that could not be decoded" in report.seal.data["left out"]
    assert any("1 images could not be decoded" in w for w in report.warnings)


def test_limit_is_in_the_seal_and_among_the_warnings(tiny_model, folder):
    report = lit.evaluate(tiny_model, folder, limit=10)
    assert report.n == 10
    assert report.seal.data["images"] == "10 of 24"
    assert report.altered == ("only the first 10 of 24 images",)
    assert any("only the first 10 of 24" in w for w in report.warnings)
    with pytest.raises(ConfigError, match="at least 1"):
        lit.evaluate(tiny_model, folder, limit=0)


def test_seals_say_what_moved(tiny_model, folder):
    base = lit.evaluate(tiny_model, folder)
    assert lit.evaluate(tiny_model, folder).seal.hash == base.seal.hash
    other = lit.evaluate(tiny_model, folder, protocol="lit-colab")
    found = compare_seals(base.seal, other.seal)
    assert not found.comparable
    assert {factor for factor, _, _ in found.differences["protocol"]} == {"protocol", "templates", "averaging"}
    cropped = lit.evaluate(tiny_model.with_preprocess(resize="crop"), folder)
    found = compare_seals(base.seal, cropped.seal)
    assert found.comparable
    assert {factor for factor, _, _ in found.differences["model"]} == {"resize"}


def test_the_label_hash_is_part_of_the_seal(tiny_model, known, tmp_path):
    shown, labels = known
    a = lit.evaluate(tiny_model, save_folders(tmp_path / "a", shown, labels))
    b = lit.evaluate(tiny_model, save_folders(tmp_path / "b", shown, (labels + 1) % 4))
    assert a.seal.data["content"] != b.seal.data["content"]


def test_few_shot_needs_a_training_split(tiny_model, folder):
    with pytest.raises(ConfigError, match="few-shot needs examples to learn from"):
        lit.evaluate(tiny_model, folder, few_shot=(1,))


def test_two_reports_are_paired_by_their_pictures(tiny_model, known, tmp_path):
    shown, labels = known
    folder = save_folders(tmp_path / "a", shown, labels)
    right, cropped = lit.evaluate(tiny_model, folder), lit.evaluate(tiny_model.with_preprocess(resize="crop"), folder)
    lost = round(24 * (1 - cropped.accuracy))
    assert lost > 0
    result = paired(right, cropped)
    assert (result.only_a, result.only_b, result.n) == (lost, 0, 24)
    assert result.difference == pytest.approx(-lost / 24)
    wrong = labels.copy()
    wrong[:5] = (wrong[:5] + 1) % 4
    relabelled = lit.evaluate(tiny_model, save_folders(tmp_path / "b", shown, wrong))
    with pytest.raises(InputError, match="the labels of 5 of the 24 images that both reports scored differ"):
        paired(right, relabelled)


def test_gap_of_each_factor_is_the_difference_of_two_evaluations(tiny_model, known, tmp_path):
    shown, labels = known
    noisy = labels.copy()
    noisy[::4] = (noisy[::4] + 1) % 4
    planned = plan(save_folders(tmp_path / "p", shown, noisy))
    outcome = run(tiny_model, planned)
    steps = {(s.factor, s.after): s for s in explain_gap(tiny_model, planned, Options(), outcome)}
    alone = lit.evaluate(tiny_model, tmp_path / "p", prompts="plain")
    assert steps["templates", "plain"].figure.value == alone.accuracy
    assert steps["templates", "plain"].delta == pytest.approx(alone.accuracy - outcome.report.accuracy)
    cropped = lit.evaluate(tiny_model.with_preprocess(resize="crop"), tmp_path / "p")
    assert steps["crop", "crop"].figure.value == cropped.accuracy
    assert {"templates", "averaging", "canonicalisation", "crop", "antialias", "8-bit pixels", "JPEG decoder",
            "EXIF orientation", "precision"} == {factor for factor, _ in steps}  # fmt: skip
    for step in steps.values():
        assert step.low <= step.delta <= step.high


def test_gap_towards_a_protocol_ends_where_that_protocol_is(tiny_model, known, tmp_path):
    shown, labels = known
    planned = plan(save_folders(tmp_path / "p", shown, labels))
    outcome = run(tiny_model, planned)
    steps = explain_gap(tiny_model, planned, Options(), outcome, towards="big-vision")
    there = lit.evaluate(tiny_model, tmp_path / "p", protocol="big-vision")
    assert [s.factor for s in steps] == ["templates", "canonicalisation"]
    assert steps[-1].figure.value == there.accuracy
    assert outcome.report.accuracy + sum(s.delta for s in steps) == pytest.approx(there.accuracy)
    with pytest.raises(ConfigError, match="follows protocol 'clip' already"):
        explain_gap(tiny_model, plan(tmp_path / "p", prompts="clip-best"), Options(), outcome, towards="clip")


def test_the_gallery_shows_the_surest_mistakes(tiny_model, known, tmp_path):
    shown, labels = known
    wrong = (labels + 1) % 4
    planned = plan(save_folders(tmp_path / "p", shown, wrong))
    outcome = run(tiny_model, planned)
    items, frequent = galleries(planned, outcome, tiny_model.config.preprocess, count=5, pairs=2, each=3)
    assert len(items) == 5
    assert [i.confidence for i in items] == sorted((i.confidence for i in items), reverse=True)
    assert items[0].confidence == max(outcome.report.predictions.confidence)
    assert all(i.label != i.predicted for i in items)
    assert items[0].jpeg[:2] == b"\xff\xd8"
    assert len(frequent) == 6
    pairs = [(i.label, i.predicted) for i in frequent]
    assert len(set(pairs[:3])) == len(set(pairs[3:])) == 1
    assert pairs[0] != pairs[3]


def test_several_labels_any_of_which_is_right(tiny_model, known, tmp_path):
    shown, labels = known
    rows = []
    for i, (picture, label) in enumerate(zip(shown, labels, strict=True)):
        Image.fromarray(picture).save(tmp_path / f"{i:02d}.png")
        wrong = [CLASSES[(label + 2) % 4]] if i % 2 == 0 else []
        right = [CLASSES[label], CLASSES[(label + 1) % 4]] if i % 3 else wrong
        rows.append(json.dumps({"image": f"{i:02d}.png", "label": right}))
    (tmp_path / "m.jsonl").write_text("\n".join(rows) + "\n")
    (tmp_path / "any.toml").write_text(
        'title = "any"\nclasses = "c.txt"\nprompts = "clip-best"\nany_hit = true\nsource = "a test"\n'
    )
    (tmp_path / "c.txt").write_text("\n".join(CLASSES) + "\n")
    report = lit.evaluate(tiny_model, tmp_path / "any.toml", data=tmp_path / "m.jsonl")
    assert report.n == 20  # four of 24 have no label
    assert report.accuracy == 16 / 20  # four have a wrong one


def test_captions_are_found_and_find(tiny_model, tmp_path):
    shown = pictures(12, seed=5)
    rows = []
    for i, picture in enumerate(shown):
        Image.fromarray(picture).save(tmp_path / f"{i:02d}.png")
        rows.append(json.dumps({"image": f"{i:02d}.png", "texts": [f"a photo of it {i}", f"the picture {i}"]}))
    (tmp_path / "m.jsonl").write_text("\n".join(rows) + "\n")
    report = lit.evaluate(tiny_model, tmp_path / "m.jsonl")
    zimg = tiny_model.embed_images(shown)
    texts = [t for row in rows for t in json.loads(row)["texts"]]
    with pytest.raises(ConfigError, match="protocol and prompts: only for class names"):
        plan(tmp_path / "m.jsonl", protocol="clip", prompts="plain")
    similarity = zimg @ tiny_model.embed_texts(texts).T
    best = similarity.argmax(axis=1) // 2
    assert report.task == "retrieval"
    assert report.figures["image_to_text_r1"].value == np.mean(best == np.arange(12))
    assert report.figures["text_to_image_r1"].value == np.mean(similarity.argmax(axis=0) == np.repeat(np.arange(12), 2))


def test_a_suite_may_prescribe_the_resize(tiny_model, known, tmp_path):
    folder = save_folders(tmp_path / "p", *known)
    planned = plan(folder)
    cropping = dataclasses.replace(planned, suite=dataclasses.replace(planned.suite, resize="crop"))
    report = run(tiny_model, cropping).report
    assert report.accuracy == lit.evaluate(tiny_model.with_preprocess(resize="crop"), folder).accuracy
    assert report.accuracy != run(tiny_model, planned).report.accuracy
    assert "smaller side to" in report.seal.model["resize"]


def test_what_cannot_be_is_said_before_a_model_is_needed(tmp_path, folder):
    with pytest.raises(UnknownNameError, match="Did you mean 'cifar10'"):
        plan("cifar-10")
    for choices, named in (
        ({"data_dir": tmp_path}, "data_dir"),
        ({"split": "test"}, "split"),
        ({"reader": "tf", "split": "x"}, "split and reader"),
    ):
        with pytest.raises(ConfigError, match=f"{named}: only for tfds"):
            plan("cifar10", data=folder, **choices)
    with pytest.raises(ConfigError, match=r"in another order: place 0 is 'the dog' and should be 'car and cat'"):
        plan(folder, classes=CLASSES[::-1])
    with pytest.raises(ConfigError, match="is data and not a suite"):
        plan(folder, data=folder)
    with pytest.raises(DatasetError, match="labels are not those of suite cifar10"):
        plan("cifar10", data=folder)
    with pytest.raises(DatasetError, match="no dataset in tfds"):
        plan("objectnet")
    with pytest.raises(ConfigError, match="3 classes were given"):
        plan("cifar10", data=_cifar_folders(tmp_path / "c"), classes=["a", "b", "c"])


def _cifar_folders(folder):
    for name in lit.load_classes("cifar10"):
        (folder / name).mkdir(parents=True)
        Image.fromarray(pictures(1)[0]).save(folder / name / "a.png")
    return folder
