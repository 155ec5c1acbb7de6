"""The lists of the ImageNet family, the digits, STL-10 and ObjectNet, entry by entry.

The first test needs nothing; the slow ones fetch clip-benchmark 1.6.2 (MIT) and read the lists out of its source,
without importing it, because that would need torch.
"""

import ast
import hashlib
import json
import re

import pytest
from wheels import downloaded

from lit.prompts import PromptSet, load_classes
from lit.suites import load_labels

#: SHA-256 of the entries joined by line feeds; of labels, the first name of each.  Source: clip-benchmark 1.6.2
#: (imagenet-a, imagenet-r, mnist, svhn and the templates); tensorflow_datasets 4.9.10 (imagenet, imagenet_v2,
#: imagenette); github.com/openai/CLIP, data/prompts.md at 04f4dc2 (stl10, mnist); github.com/mlfoundations/wise-ft,
#: src/datasets/objectnet_metadata at 4639a39 (objectnet).
FINGERPRINTS = {
    ("classes", "cifar100-tfds"): "fbe8ad23bbaf24969898a386833b49c3aaf6ad1119d43f7b41cdea1b3416d578",
    ("classes", "imagenet-a"): "4b36c17b1b1bba6c18f01853a5cec90f5a342594ef1e9cfd7b64f374db61ccfc",
    ("classes", "imagenet-r"): "79cac199a91468418c879d1cc78ed06512c6ad13ed7e2cda4d550decccd6f7a1",
    ("classes", "imagenette"): "1a09230f49235d152b45216f2b148a78ab5c6702ca980cbd9f26ab0dfa84ea6c",
    ("classes", "mnist"): "29dd21f55e4611d4c787c2148e39b4e341d4c10701dd03eed360aa55035bdb34",
    ("classes", "objectnet"): "6f31c7eebfd7cd1d19bf0640ec17f649e2b6bce48f13a142224bc0fa327e659e",
    ("classes", "stl10"): "08b234ce7b11dbd3e77d1dacf32b2dac8fcd36efa7d7719ad1def4d8f1153bf4",
    ("classes", "svhn"): "dfab20279a0857952f4261ebbc7fd6e27996c6eb067c1fc8fc3ae4bd82eee209",
    ("labels", "cifar100"): "fbe8ad23bbaf24969898a386833b49c3aaf6ad1119d43f7b41cdea1b3416d578",
    ("labels", "digits"): "29dd21f55e4611d4c787c2148e39b4e341d4c10701dd03eed360aa55035bdb34",
    ("labels", "imagenet"): "385e0240499426c022b773be1ae4da780f057b89c9694c7f47199f62746b6edd",
    ("labels", "imagenet-a"): "f6aa4b23244554d9b864fd715ae20048f6a9686388911b2dfbf1ada01bf0f520",
    ("labels", "imagenet-r"): "e19a59d84e3746fafd34d2ccf6ae604a44e9a0500a596f343c878a89e30ce624",
    ("labels", "imagenet_v2"): "385e0240499426c022b773be1ae4da780f057b89c9694c7f47199f62746b6edd",
    ("labels", "imagenette"): "7fd320a0db9278e1d61bad4b60fa16be117f8d8adcfe4d03fb5c95672bae6033",
    ("labels", "objectnet"): "8931130a1d0560e39b87730b75c3ea8819075942aa9949d39cfede79887279b0",
    ("templates", "clip-mnist"): "c0341e0a1fdfd8fb441a865f926ed68cb9e470397caae1351be2ed752cccaa7e",
    ("templates", "clip-stl10"): "c97a3d1ad58198007966a354d239e288f2f79fa2479aaf7ce6c11f7a6b876efb",
    ("templates", "clip-svhn"): "89f08e8bbeaa6bd57222d0f3d88904591bdf98429cda49086da2a12fec4a5e45",
}


def entries(kind: str, name: str) -> list[str]:
    if kind == "labels":
        return [names[0] for names in load_labels(name)]
    return list(load_classes(name) if kind == "classes" else PromptSet.load(name).templates)


@pytest.mark.parametrize(("kind", "name"), FINGERPRINTS)
def test_fingerprints(kind, name):
    assert hashlib.sha256("\n".join(entries(kind, name)).encode()).hexdigest() == FINGERPRINTS[kind, name]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return downloaded(tmp_path_factory.mktemp("wheel"), ["clip-benchmark==1.6.2"])["clip_benchmark"]


@pytest.mark.slow
def test_names_and_prompts_of_clip_benchmark(wheel):
    folder = "clip_benchmark/datasets/en_"
    templates = json.loads(wheel.read(folder + "zeroshot_classification_templates.json"))
    classes = json.loads(wheel.read(folder + "classnames.json"))
    for name in ("mnist", "svhn"):
        assert classes[name] == entries("classes", name)
    for name in ("mnist", "svhn", "stl10"):
        assert [t.replace("{c}", "{}") for t in templates[name]] == entries("templates", f"clip-{name}")


@pytest.mark.slow
@pytest.mark.parametrize(("variable", "name"), [("imagenet_a_wnids", "imagenet-a"), ("imagenet_r_wnids", "imagenet-r")])
def test_classes_of_imagenet_a_and_r(wheel, variable, name):
    source = wheel.read("clip_benchmark/datasets/builder.py").decode()
    found = re.search(rf"{variable} = ([\[{{].*?[\]}}])\n", source)
    assert sorted(ast.literal_eval(found[1])) == entries("labels", name)


@pytest.mark.slow
def test_order_of_the_synsets(wheel):
    source = wheel.read("clip_benchmark/datasets/builder.py").decode()
    found = re.search(r"all_imagenet_wordnet_ids = (\[.*?\])", source, re.DOTALL)
    assert ast.literal_eval(found[1]) == entries("labels", "imagenet")
