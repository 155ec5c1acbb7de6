"""The published lists, entry by entry.

The first test needs nothing: it compares with fingerprints of the lists that open_clip_torch 3.3.0 and clip-benchmark
1.6.2 carry (both MIT).  The second, slow one fetches these packages and reads the lists out of their source, without
importing them, because that would need torch.
"""

import ast
import hashlib
import json

import pytest
from wheels import downloaded

from lit.prompts import PromptSet, load_classes

#: SHA-256 of the entries joined by line feeds.  Source: open_clip_torch 3.3.0, open_clip/zero_shot_metadata.py
#: (clip-best, clip-paper, imagenet); clip-benchmark 1.6.2, clip_benchmark/datasets/en_*.json (clip-paper, imagenet,
#: clip-cifar); github.com/openai/CLIP, data/prompts.md at 04f4dc2 (cifar10, cifar100).
FINGERPRINTS = {
    "clip-best": "6ef3883987d224b7949da69fe0b615af152e1560eaac4c5c38555e50c882d415",
    "clip-paper": "4f976686fb651bb5803d4689dcd849f75efe0ef19a3c801355bc9a6f03c8a5af",
    "clip-cifar": "9bbf912e1144ca4c7de308d478b5ced7ea3df9e61ce5d100ef184831bb5dc715",
    "imagenet": "571ae1c583b4be7da87519494c52bf405a46af05d5815627c7a0dee997068b60",
    "cifar10": "bb3914949cecedee6d1257f7f5fdb8f43fa3b2c8095fd1763161caf1b873fe59",
    "cifar100": "60ae3a3ac1355fcfec19c0ea3cb5fde15203ecf3b537cabcf6d5d54688ee9a4d",
}
CLASSES = ("imagenet", "cifar10", "cifar100")
PACKAGES = ("open_clip_torch==3.3.0", "clip-benchmark==1.6.2")


def entries(name: str) -> list[str]:
    return list(load_classes(name) if name in CLASSES else PromptSet.load(name).templates)


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_fingerprints(name):
    assert hashlib.sha256("\n".join(entries(name)).encode()).hexdigest() == FINGERPRINTS[name]


def test_the_sets_with_a_bare_class_name():
    assert entries("big-vision") == [*entries("clip-paper"), "{}"]
    assert entries("lit-colab") == [*entries("clip-best"), "{}"]
    assert entries("plain") == ["{}"]


def test_the_seven_best_are_among_the_80():
    assert set(entries("clip-best")) < set(entries("clip-paper"))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    return downloaded(tmp_path_factory.mktemp("wheels"), PACKAGES)


@pytest.mark.slow
def test_open_clip(wheels):
    source = wheels["open_clip_torch"].read("open_clip/zero_shot_metadata.py").decode()
    lists = {
        node.targets[0].id: literals(node.value) for node in ast.parse(source).body if isinstance(node, ast.Assign)
    }
    assert lists["OPENAI_IMAGENET_TEMPLATES"] == entries("clip-paper")
    assert lists["SIMPLE_IMAGENET_TEMPLATES"] == entries("clip-best")
    assert lists["IMAGENET_CLASSNAMES"] == entries("imagenet")


@pytest.mark.slow
def test_clip_benchmark(wheels):
    folder = "clip_benchmark/datasets/en_"
    templates = json.loads(wheels["clip_benchmark"].read(folder + "zeroshot_classification_templates.json"))
    classes = json.loads(wheels["clip_benchmark"].read(folder + "classnames.json"))
    assert [t.replace("{c}", "{}") for t in templates["imagenet1k"]] == entries("clip-paper")
    assert [t.replace("{c}", "{}") for t in templates["cifar10"]] == entries("clip-cifar")
    assert [t.replace("{c}", "{}") for t in templates["cifar100"]] == entries("clip-cifar")
    assert classes["imagenet1k"] == entries("imagenet")


def literals(node: ast.expr) -> list[str]:
    """The strings of a tuple; of `lambda c: f"a photo of a {c}."` the text with `{}` for the argument."""
    strings = []
    for item in node.elts:
        parts = [item] if isinstance(item, ast.Constant) else item.body.values
        strings.append("".join(part.value if isinstance(part, ast.Constant) else "{}" for part in parts))
    return strings
