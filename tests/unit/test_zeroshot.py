"""Zero-shot classification: protocols, probabilities, the cache, and class lists that cannot work."""

import inspect
import logging
import os
from pathlib import Path

import numpy as np
import pytest
from tiny import pictures

import lit
from lit import protocols, zeroshot
from lit.errors import ConfigError, ImageError, InputError, PromptError, UnknownNameError
from lit.files import cache_directory
from lit.protocols import PROTOCOLS
from lit.zeroshot import ZeroShotClassifier

CLASSES = ["dog", "cat", "red car"]


def test_class_embeddings_are_means_of_unit_vectors(tiny_model):
    clf = ZeroShotClassifier(tiny_model, CLASSES, prompts=["a photo of a {}", "{}"], renormalize=False, cache=False)
    by_hand = np.stack([tiny_model.embed_texts([f"a photo of a {c}", c]).mean(axis=0) for c in CLASSES])
    np.testing.assert_allclose(clf.class_embeddings, by_hand, atol=1e-6)
    scaled = ZeroShotClassifier(tiny_model, CLASSES, prompts=["a photo of a {}", "{}"], cache=False)
    expected = by_hand / np.linalg.norm(by_hand, axis=1, keepdims=True)
    np.testing.assert_allclose(scaled.class_embeddings, expected, atol=1e-6)


def test_predictions_agree_with_each_other(tiny_model):
    clf = ZeroShotClassifier(tiny_model, CLASSES, prompts="plain")
    images = pictures(6)
    proba = clf.predict_proba(images)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)
    logits = tiny_model.logit_scale * tiny_model.embed_images(images) @ clf.class_embeddings.T
    np.testing.assert_allclose(proba, zeroshot.softmax(logits), atol=1e-6)
    assert clf.predict(images) == [CLASSES[i] for i in proba.argmax(axis=1)]
    table = clf.top_k(images, 2)
    assert list(table.columns) == ["image", "rank", "class_name", "probability", "similarity"]
    assert table[table["rank"] == 1]["class_name"].tolist() == clf.predict(images)
    assert len(table) == 12
    assert (table["similarity"].diff()[table["rank"] == 2] <= 0).all()


def test_ties_go_to_the_first_class(tiny_model):
    clf = ZeroShotClassifier(tiny_model, {"b": ["dog", "cat"], "a": ["dog", "cat"]})
    assert clf.predict(pictures(2)) == ["b", "b"]
    assert clf.top_k(pictures(1), 2)["class_name"].tolist() == ["b", "a"]


@pytest.mark.parametrize("classes", [53, 997])
def test_equal_classes_score_equally_wherever_they_stand(tiny_model, classes):
    """A float32 matrix product treats its last columns otherwise."""
    rng = np.random.default_rng(0)
    clf = ZeroShotClassifier(tiny_model, [f"dog {i}" for i in range(classes)], prompts="plain")
    clf.class_embeddings = np.tile(rng.normal(size=(1, 768)).astype(np.float32), (classes, 1))
    for n in (1, 2, 11):
        similarity = clf.similarity_of(rng.normal(size=(n, 768)).astype(np.float32))
        assert (similarity == similarity[:, :1]).all()


def test_a_mapping_averages_over_all_texts_of_a_class(tiny_model):
    clf = ZeroShotClassifier(tiny_model, {"pet": ["dog", "cat"], "car": ["car"]}, prompts=["{}"], renormalize=False)
    np.testing.assert_allclose(clf.class_embeddings[0], tiny_model.embed_texts(["dog", "cat"]).mean(axis=0), atol=1e-6)
    assert clf.class_names == ("pet", "car")


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocols_set_the_four_choices_and_each_can_be_overridden(tiny_model, name):
    rule = PROTOCOLS[name]
    clf = ZeroShotClassifier(tiny_model, CLASSES, protocol=name)
    assert (clf.prompts.name, clf.renormalize, clf.canonicalize) == (
        rule.prompts,
        rule.renormalize,
        rule.canonicalize,
    )
    other = ZeroShotClassifier(tiny_model, CLASSES, protocol=name, prompts="plain", renormalize=not rule.renormalize)
    assert (other.prompts.name, other.renormalize) == ("plain", not rule.renormalize)


def test_canonicalize_cleans_names_and_prompts(tiny_model):
    clean = ZeroShotClassifier(tiny_model, ["dog", "red car"], prompts=["a photo of a {}"], canonicalize=False)
    spoken = ZeroShotClassifier(tiny_model, ["Dog!", "RED_car"], prompts=["A photo of a {}."], canonicalize=True)
    np.testing.assert_array_equal(clean.class_embeddings, spoken.class_embeddings)


def test_class_embeddings_are_computed_once(tiny_model, monkeypatch):
    first = ZeroShotClassifier(tiny_model, CLASSES)
    monkeypatch.setattr(zeroshot, "class_embeddings", lambda *a, **k: pytest.fail("embedded again"))
    again = ZeroShotClassifier(tiny_model, CLASSES)
    assert again.class_embeddings.tobytes() == first.class_embeddings.tobytes()


@pytest.mark.parametrize(
    "change",
    [
        {"classes": ["dog", "cat", "boat"]},
        {"classes": CLASSES[::-1]},
        {"renormalize": False},
        {"prompts": "plain"},
    ],
)
def test_whatever_determines_them_is_in_the_key(tiny_model, monkeypatch, change):
    ZeroShotClassifier(tiny_model, CLASSES)
    asked = []
    monkeypatch.setattr(zeroshot, "class_embeddings", lambda m, t, **k: asked.append(t) or np.ones((3, 32), np.float32))
    ZeroShotClassifier(tiny_model, **{"classes": CLASSES, **change})
    assert asked


def flipped(content: bytes, place: int, bits: int = 255) -> bytes:
    return content[:place] + bytes([content[place] ^ bits]) + content[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"PK\x03\x04 cut off",
        lambda content: flipped(content, len(content) // 2),
        lambda content: flipped(content, content.index(b"PK\x01\x02") + 8, 1),  # "encrypted"
        lambda content: flipped(content, content.index(b"PK\x01\x02") + 10),  # an unknown method
    ],
)
def test_a_damaged_cache_entry_is_made_anew_with_a_warning(tiny_model, damage, caplog):
    clf = ZeroShotClassifier(tiny_model, CLASSES)
    entry = next(Path(os.environ["LIT_CACHE"]).rglob("*.npz"))
    entry.write_bytes(damage(entry.read_bytes()))
    with caplog.at_level(logging.WARNING, logger="lit"):
        again = ZeroShotClassifier(tiny_model, CLASSES)
    assert "embedding the classes again" in caplog.text
    np.testing.assert_array_equal(again.class_embeddings, clf.class_embeddings)


def test_a_cache_that_cannot_be_written_costs_no_result(tiny_model, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LIT_CACHE", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING, logger="lit"):
        clf = ZeroShotClassifier(tiny_model, CLASSES)
    assert "could not be kept" in caplog.text
    assert clf.class_embeddings.shape == (3, 32)


def test_sigmoid_needs_a_bias(tiny_model, biased_model):
    clf = ZeroShotClassifier(biased_model, CLASSES)
    each = clf.predict_proba(pictures(2), independent=True)
    logits = biased_model.logit_scale * clf.similarity(pictures(2)) + biased_model.logit_bias
    np.testing.assert_allclose(each, 1 / (1 + np.exp(-logits)), atol=1e-6)
    assert ZeroShotClassifier(biased_model, ["dog"]).top_k(pictures(1), 1)["class_name"].tolist() == ["dog"]
    with pytest.raises(ConfigError, match="softmax over one class is always 1"):
        ZeroShotClassifier(biased_model, ["dog"]).predict_proba(pictures(1))
    with pytest.raises(ConfigError, match="no logit_bias"):
        ZeroShotClassifier(tiny_model, CLASSES).predict_proba(pictures(1), independent=True)


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        ([], "empty"),
        (["dog"], "there is one class, 'dog'"),
        (["dog", "cat", "dog"], "more than once: dog"),
        (["dog", " "], "not a class name"),
        ({"a": [], "b": ["x"]}, "at least one text"),
        ({"a": "x", "b": ["x"]}, "at least one text"),
        ({"a": [" "], "b": ["x"]}, "none blank"),
    ],
)
def test_class_lists_that_cannot_work(tiny_model, classes, says):
    with pytest.raises(PromptError, match=says):
        ZeroShotClassifier(tiny_model, classes)


def test_names_that_do_not_exist(tiny_model):
    with pytest.raises(UnknownNameError, match="Did you mean 'clip-best'"):
        ZeroShotClassifier(tiny_model, CLASSES, prompts="clip-bset")
    with pytest.raises(UnknownNameError, match="Did you mean 'big-vision'"):
        ZeroShotClassifier(tiny_model, CLASSES, protocol="bigvision")
    with pytest.raises(PromptError, match="exactly one"):
        ZeroShotClassifier(tiny_model, CLASSES, prompts=["a photo"])


@pytest.mark.parametrize("k", [0, 4])
def test_top_k_outside_the_classes(tiny_model, k):
    with pytest.raises(InputError, match="between 1 and 3"):
        ZeroShotClassifier(tiny_model, CLASSES).top_k(pictures(1), k)


def test_published_lists_keep_their_duplicates(tiny_model):
    clf = ZeroShotClassifier(tiny_model, "imagenet", prompts="plain", cache=False)
    assert len(clf.class_names) == 1000
    assert clf.class_names.count("missile") == 2


def test_your_own_file_names_each_class_once(tiny_model, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("dog\ncat\ndog\n")
    with pytest.raises(PromptError, match="more than once: dog"):
        ZeroShotClassifier(tiny_model, path)


def test_lit_exports_it():
    assert lit.ZeroShotClassifier is ZeroShotClassifier


def test_top_k_of_few_classes_is_all_of_them(tiny_model):
    assert ZeroShotClassifier(tiny_model, CLASSES).top_k(pictures(1))["rank"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("k", [1.5, "2"])
def test_top_k_is_a_whole_number(tiny_model, k):
    with pytest.raises(InputError, match="whole number between 1 and 3"):
        inspect.unwrap(ZeroShotClassifier.top_k)(ZeroShotClassifier(tiny_model, CLASSES), pictures(1), k)


def test_failures_are_collected_and_the_others_classified(tiny_model):
    clf = ZeroShotClassifier(tiny_model, CLASSES)
    first, last = pictures(2)
    images = [first, b"no picture", last]
    for method in (clf.predict, clf.predict_proba, clf.similarity, clf.top_k):
        failures: list[ImageError] = []
        result = method(images, failures=failures)
        assert len(result) == 2 * (3 if method == clf.top_k else 1)
        assert [f.index for f in failures] == [1]
        with pytest.raises(ImageError, match="item 1"):
            method(images)
    table = clf.top_k(images, 1, failures=[])
    assert table["image"].tolist() == [0, 2]
    assert table["class_name"].tolist() == clf.predict([first, last])
    assert clf.top_k([b"no picture"], failures=[]).empty


def test_classes_and_prompts_that_are_no_lists():
    with pytest.raises(PromptError, match="the classes are of type NoneType; give a list"):
        inspect.unwrap(protocols.class_texts)(None, lit.PromptSet.load("plain"), canonicalize=False)
    with pytest.raises(PromptError, match="prompts is of type int; give a name"):
        inspect.unwrap(protocols.prompt_set_of)(3)


def test_a_cache_entry_of_another_width_is_made_anew(tiny_model, caplog):
    kept = ZeroShotClassifier(tiny_model, CLASSES).class_embeddings
    (entry,) = (cache_directory() / "classes").glob("*.npz")
    np.savez(entry, embeddings=kept[:, :7])
    np.testing.assert_array_equal(ZeroShotClassifier(tiny_model, CLASSES).class_embeddings, kept)
    assert "damaged" in caplog.text


def test_classes_that_canonicalize_makes_alike_or_empty(tiny_model):
    with pytest.raises(PromptError, match="'Dog!' and 'dog' stand for the same text"):
        ZeroShotClassifier(tiny_model, ["Dog!", "dog"], canonicalize=True)
    with pytest.raises(PromptError, match="'!!!' is punctuation alone"):
        ZeroShotClassifier(tiny_model, ["!!!", "dog"], canonicalize=True)
    with pytest.raises(PromptError, match="'a' and 'b' stand for the same text"):
        ZeroShotClassifier(tiny_model, {"a": ["dog"], "b": ["dog"]})
