"""What travels with lit: its size, its papers, its figures, and what it makes of real photographs."""

import hashlib
import json
from pathlib import Path

import pytest

import lit
from lit import resources

ROOT = Path(__file__).parents[2]
PHOTOS = ROOT / "eval" / "demo" / "photos"
EMBEDDED = resources.directory("embedded")
REPORT = json.loads((ROOT / "eval" / "results" / "embedded.json").read_text())

#: The first of these words that the model should choose for each photograph.  An astronaut and galaxies, which are
#: beyond it (see its card), are left out; and a temple, which it takes for a house: that is a word it learnt from
#: drawings, and a pagoda is none.
WORDS = {
    "cat.jpg": "cat",
    "coffee.jpg": "cup of coffee",
    "flower.jpg": "flower",
    "photographer.jpg": "camera",
    "raccoon.jpg": "raccoon",
    "rocket.jpg": "rocket",
}
OTHERS = ["dog", "car", "bicycle", "tree", "house", "fish"]


@pytest.fixture(scope="module")
def model():
    return lit.load()


def test_figures_are_those_of_the_shipped_bytes():
    weights = EMBEDDED / "model.safetensors"
    assert weights.stat().st_size < 60e6
    said = (EMBEDDED / "config.json").read_bytes() + weights.read_bytes()
    assert hashlib.sha256(said).hexdigest() == REPORT["sha256"]


def test_reaches_the_accuracy_that_was_asked_of_it():
    cifar = REPORT["sets"][0]
    assert (cifar["set"], cifar["n"], cifar["templates"]) == ("CIFAR-10", 10_000, 18)
    assert cifar["top1"] >= 0.70


def test_card_carries_every_figure_and_the_warning(model):
    assert REPORT["sha256"] in model.card
    for row in REPORT["sets"]:
        assert f"{row['top1']:.1%}" in model.card
    assert "trained on ImageNet-1k with its labels" in model.card
    assert f"with {100 * model.config.image_head.share:.0f} %, are heads" in model.card


def test_licences_of_all_parts_travel_with_it():
    here = {p.name for p in (EMBEDDED / "LICENSES").iterdir()}
    assert here == {"Apache-2.0.txt", "MIT-CLIP.txt", "NOTICE.md", "NOTICE-drawings.md"}


def test_photographs_are_small_and_credited():
    credits_ = (PHOTOS / "CREDITS.md").read_text()
    for photo in PHOTOS.glob("*.jpg"):
        assert f"`{photo.name}`" in credits_
        assert photo.stat().st_size <= 60_000


def test_recognises_the_demo_photographs(model):
    classifier = lit.ZeroShotClassifier(model, [*WORDS.values(), *OTHERS], cache=False)
    assert classifier.predict([PHOTOS / name for name in WORDS]) == list(WORDS.values())


@pytest.mark.slow
def test_bfloat16_agrees(model):
    photos = sorted(PHOTOS.glob("*.jpg"))
    low = lit.load(precision="bfloat16")
    cosine = (model.embed_images(photos) * low.embed_images(photos)).sum(axis=1)
    assert cosine.min() > 0.999
    texts = ["a photo of a cat", "airplane"]
    assert (model.embed_texts(texts) * low.embed_texts(texts)).sum(axis=1).min() > 0.999
