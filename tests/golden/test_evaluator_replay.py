"""The whole evaluator on recordings of the original code: the same predictions, and the same figures exactly.

Where the recordings are embeddings, a model stands for them whose towers look their answers up; everything else is what
`lit.evaluate` always does: tfds files, decoding, batches, tokens, class embeddings, scores, figures.
"""

import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest
from golden_towers import TWO_TOWERS, recorded
from PIL import Image
from prepared import write_tfds
from tiny import random_params, tiny_config, write_vocab
from weight_rule import weights

import lit
from lit.checkpoints import fit
from lit.config import TokenizerConfig, ViTConfig
from lit.model import Model
from lit.nn import two_towers
from lit.suites import Suite
from lit.tokenizers import load_tokenizer
from lit.zoo import MODELS

DATA = Path(__file__).parent / "data"

#: The texts whose tokens were recorded with LiT-B16B_2, without the first, which is empty.
LIT_TEXTS = (
    "a photo of a dog running on the beach",
    "An astronaut in a spacesuit, smiling at the camera.",
    "the temple of heaven in Beijing, China",
    "a",
    "A very long caption that certainly exceeds the sixteen token limit because it keeps on describing clouds, trees, "
    "people, buildings and bridges",
    "caf\u00e9 \u2615 \u4f60\u597d 2024",
    "colourful abstract waves",
)


def golden_of(part: str) -> dict[str, np.ndarray]:
    """Recordings of big_vision's evaluators ("zeroshot", "retrieval")."""
    with np.load(DATA / "metrics" / f"{part}.npz") as arrays:
        return {key: arrays[key] for key in arrays.files}


def picture(i: int) -> np.ndarray:
    """A picture of the model's size that says its number."""
    shown = np.zeros((32, 32, 3), np.uint8)
    shown[..., 0], shown[..., 1] = divmod(i, 256)
    return shown


def png(shown: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(shown).save(out, "PNG")
    return out.getvalue()


class RecordedTowers:
    """An engine whose answers are looked up: pictures by their number, texts by their tokens."""

    devices, kind, image_batch, text_batch, description = 1, "zimg", 4, 16, "recordings"

    def __init__(self, zimg, ztxt, tokens, params):
        self.params = params
        self._zimg, self._ztxt = zimg, ztxt
        self._row = {row.tobytes(): i for i, row in enumerate(tokens)}
        assert len(self._row) == len(tokens)

    def images(self, pixels):
        number = pixels[:, 0, 0, 0].astype(int) * 256 + pixels[:, 0, 0, 1]
        return self._zimg[number]

    def texts(self, tokens):
        return np.stack([self._ztxt[self._row.get(row.tobytes(), 0)] for row in tokens])  # rows of 0 are padding


def texts(count: int) -> list[str]:
    return [f"text {i:03d}" for i in range(count)]


@pytest.fixture
def model_of(tmp_path):
    """A model with recorded towers: row i of `ztxt` is the embedding of `texts(n)[i]`."""
    write_vocab(tmp_path / "vocab.txt")

    def build(zimg, ztxt):
        dim = zimg.shape[1]
        config = tiny_config(
            name="recorded",
            dim=dim,
            image=ViTConfig.of_size("mu/16", image_size=32, out_dim=dim),
            text=dataclasses.replace(tiny_config().text, out_dim=dim),
            tokenizer=TokenizerConfig(kind="wordpiece", context_length=16),
        )
        tokenizer = load_tokenizer(config.tokenizer, tmp_path / "vocab.txt")
        model = Model(config, fit(random_params(config), config, source="random"), tokenizer)
        model._engine = RecordedTowers(zimg, ztxt, tokenizer(texts(len(ztxt))), model._engine.params)
        return model

    return build


def suite_file(folder, **fields):
    """A suite with a class list beside it."""
    path = folder / "recorded.toml"
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in fields.items()))
    return path


def class_file(folder, golden):
    """Classes 0 to 11, each with all of its texts; the plain prompt leaves them as they are."""
    labels = golden["zeroshot/text_labels"]
    said = texts(len(labels))
    lines = [
        f"class {k} => " + " | ".join(said[i] for i in np.flatnonzero(labels == k)) for k in range(labels.max() + 1)
    ]
    (folder / "classes.txt").write_text("# source: the recording\n" + "\n".join(lines) + "\n")
    return [f"class {k}" for k in range(labels.max() + 1)]


class TestZeroShot:
    """big_vision's zero-shot evaluator: 87 texts of 12 classes, 90 images with one and with up to three labels."""

    @pytest.fixture
    def golden(self):
        return golden_of("zeroshot")

    @pytest.fixture
    def evaluated(self, golden, model_of, tmp_path):
        import tensorflow_datasets as tfds

        def run(labels, feature, **choices):
            names = class_file(tmp_path, golden)
            label = tfds.features.ClassLabel(names=names)
            features = {
                "image": tfds.features.Image(shape=(32, 32, 3)),
                "label": tfds.features.Sequence(label) if feature == "several" else label,
            }
            examples = [{"image": png(picture(i)), "label": label} for i, label in enumerate(labels)]
            write_tfds(tmp_path / "data", "recorded", examples, features=features)
            suite = suite_file(
                tmp_path, title="Recorded", dataset="recorded", split="test", classes="classes.txt", prompts="plain",
                protocol="big-vision", **choices,
            )  # fmt: skip
            model = model_of(golden["zeroshot/zimg"], golden["zeroshot/text_embeddings"])
            return lit.evaluate(model, suite, data_dir=tmp_path / "data", prompts="plain", keep=False)

        return run

    def test_one_label(self, golden, evaluated):
        report = evaluated(golden["zeroshot/labels"].tolist(), "one")
        assert report.predictions is not None
        assert [top[0] for top in report.predictions.top] == golden["zeroshot/prediction"].tolist()
        assert report.accuracy == float(golden["zeroshot/acc"])
        assert report.n == 90

    def test_several_labels_one_of_which_is_enough(self, golden, evaluated):
        # The recording has the right label first wherever there is one; turned round, the first alone would not do.
        labels = [[k for k in row if k >= 0][::-1] for row in golden["zeroshot/multilabels"].tolist()]
        first = [row[0] == k for row, k in zip(labels, golden["zeroshot/prediction"], strict=True)]
        assert np.mean(first) < float(golden["zeroshot/acc_multilabel"])
        report = evaluated(labels, "several", any_hit=True)
        assert report.predictions is not None
        assert [top[0] for top in report.predictions.top] == golden["zeroshot/prediction"].tolist()
        assert report.accuracy == float(golden["zeroshot/acc_multilabel"])

    def test_a_mean_that_is_not_renormalised_is_another_rule(self, golden, model_of, tmp_path):
        """The recording tells the rules apart: class embeddings to 1e-7, of either kind."""
        from lit.zeroshot import class_embeddings

        model = model_of(golden["zeroshot/zimg"], golden["zeroshot/text_embeddings"])
        labels = golden["zeroshot/text_labels"]
        of_class = [[texts(len(labels))[i] for i in np.flatnonzero(labels == k)] for k in range(labels.max() + 1)]
        for renormalize, key in ((True, "class_embeddings"), (False, "class_embeddings_unnormalized")):
            have = class_embeddings(model, of_class, renormalize=renormalize)
            np.testing.assert_allclose(have, golden[f"zeroshot/{key}"], rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_retrieval(name, model_of, tmp_path):
    """Images hold a row of the recorded similarities, texts a unit vector: their products are the recorded values."""
    import tensorflow_datasets as tfds

    golden = golden_of("retrieval")
    similarity, image_of = golden[f"retrieval/{name}/similarity"], golden[f"retrieval/{name}/text_image"]
    order = np.argsort(image_of, kind="stable")  # captions come image by image
    said = texts(len(image_of))
    examples = [
        {"image": png(picture(i)), "captions": [said[t] for t in np.flatnonzero(image_of[order] == i)]}
        for i in range(len(similarity))
    ]
    features = {
        "image": tfds.features.Image(shape=(32, 32, 3)),
        "captions": tfds.features.Sequence(tfds.features.Text()),
    }
    write_tfds(tmp_path / "data", "recorded", examples, features=features)
    suite = suite_file(
        tmp_path, title="Recorded", task="retrieval", dataset="recorded", split="test", captions="captions",
        metric="image_to_text_r1",
    )  # fmt: skip
    model = model_of(similarity[:, order], np.eye(len(order), dtype=np.float32))
    report = lit.evaluate(model, suite, data_dir=tmp_path / "data", keep=False)
    for way, key in (("image_to_text", "img2txt"), ("text_to_image", "txt2img")):
        have = [report.figures[f"{way}_r{k}"].value for k in (1, 5, 10)]
        assert have == golden[f"retrieval/{name}/{key}"].tolist()


def check_labels(model, shown, best, names, folder):
    """With the recorded best classes as labels everything is right; with others, exactly what the recording says."""
    (folder / "classnames.txt").write_text("\n".join(names) + "\n")
    for i, one in enumerate(shown):
        Image.fromarray(one).save(folder / f"{i}.png")
    suite = Suite(name="recorded", title="Recorded", classes=str(folder / "classnames.txt"), prompts="plain")
    for labels in (best, np.roll(best, 1), (best + 1) % len(names), np.zeros_like(best)):
        rows = [json.dumps({"image": f"{i}.png", "label": names[label]}) for i, label in enumerate(labels)]
        (folder / "manifest.jsonl").write_text("\n".join(rows) + "\n")
        report = lit.evaluate(model, suite, data=folder / "manifest.jsonl", keep=False)
        assert report.predictions is not None
        assert [top[0] for top in report.predictions.top] == best.tolist()
        assert report.accuracy == float(np.mean(labels == best))


@pytest.mark.parametrize("name", TWO_TOWERS)
def test_big_vision_towers(name, tmp_path):
    """Towers, pixels and embeddings of the recording.

    The recorded tokens were drawn, not written, so that no text has them; the first towers' texts stand for them.
    """
    config, golden = TWO_TOWERS[name], recorded("big_vision")
    write_vocab(tmp_path / "vocab.txt")
    tokenizer = load_tokenizer(TokenizerConfig(kind="wordpiece", context_length=16), tmp_path / "vocab.txt")
    model = Model(config, fit(weights(two_towers.param_shapes(config), std=0.1), config, source="rule"), tokenizer)
    names = ["first", "second", "third"]
    written = {row.tobytes(): i for i, row in enumerate(tokenizer(names))}
    tower = model._engine.texts

    def texts_of_the_recording(tokens):
        drawn = [golden["tokens"][written.get(row.tobytes(), 0)] for row in tokens]
        return tower(np.stack(drawn).astype(np.int32))

    model._engine.texts = texts_of_the_recording
    best = (golden[f"{name}/zimg"] @ golden[f"{name}/ztxt"].T).argmax(axis=1)
    check_labels(model, recorded("pictures")["64/nocrop"], best, names, tmp_path)


@pytest.mark.slow
def test_lit(tmp_path):
    """LiT-B16B_2 whole: vocabulary, both towers at full size, four pictures, seven texts (the eighth is empty)."""
    config, golden = MODELS["LiT-B16B_2"].config, recorded("LiT-B16B_2")
    tokenizer = load_tokenizer(config.tokenizer, DATA / "tokens" / "bert_vocab.txt")
    model = Model(config, fit(weights(two_towers.param_shapes(config)), config, source="rule"), tokenizer)
    np.testing.assert_array_equal(tokenizer(LIT_TEXTS), golden["tokens"][1:])
    best = (golden["zimg_nocrop"] @ golden["ztxt"][1:].T).argmax(axis=1)
    assert len(set(best.tolist())) > 1
    check_labels(model, recorded("pictures")["224/nocrop"], best, list(LIT_TEXTS), tmp_path)
