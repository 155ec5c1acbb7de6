"""Every kind of start, from small files: what comes from where, what learns, and what does not go together."""

import dataclasses
import functools
import json
import shutil

import numpy as np
import pytest
from bert_folder import BERT, write_bert
from recipes import IMAGE_TOWER, TEXT_TOWER, recipe
from tiny import random_params, save_tiny, tiny_config, write_vocab
from weight_rule import weights

from lit import zoo
from lit.checkpoints import fit, flatten
from lit.config import (
    BertConfig,
    PreprocessConfig,
    ProjectionHeadConfig,
    PrototypeHeadConfig,
    TextTransformerConfig,
    ViTConfig,
)
from lit.errors import CheckpointError, CheckpointNotFoundError, ConfigError, ParamsMismatchError, UnknownNameError
from lit.nn.two_towers import param_shapes
from lit.tokenizers import load_tokenizer
from lit.training.starts import start


def begin(lock="Lu", image="", text="", objective=None, seed=0, **model):
    """The start of a small recipe; a tower that is trained from scratch is the small one unless given."""
    towers = {"image_tower": IMAGE_TOWER} if lock[0] == "u" else {}
    towers |= {"text_tower": TEXT_TOWER} if lock[1] == "u" else {"text_tower": None}
    section = {"lock": lock, "image": str(image), "text": str(text), **towers, **model}
    return start(recipe(model=section, objective=objective or {}, seed=seed), offline=True)


def same(params, names, want):
    flat = flatten(params)
    for name in names:
        np.testing.assert_array_equal(flat[name], want[name], err_msg=name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("starts")


@pytest.fixture(scope="module")
def vocab(folder):
    write_vocab(folder / "words.txt")
    return str(folder / "words.txt")


@pytest.fixture(scope="module")
def bundle(folder):
    """A saved model, with a bias."""
    return save_tiny(folder / "tiny", tiny_config(bias=True))


BUNDLED = random_params(tiny_config(bias=True))


def test_scratch_beside_a_saved_image_tower(bundle):
    got = begin("Lu", bundle, seed=3)
    flat = flatten(got.params)
    assert {n: a.shape for n, a in flat.items()} == dict(param_shapes(got.config))
    assert {a.dtype for a in flat.values()} == {np.dtype(np.float32)}
    same(got.params, [n for n in BUNDLED if n.startswith("img/")], BUNDLED)
    assert got.pretrained == {n for n in BUNDLED if n.startswith("img/")}
    assert got.trained == {n for n in flat if n.startswith("txt/")} | {"t"}
    assert got.config.name == "new"
    assert got.config.locked == ("image",)
    assert not got.config.bias
    assert got.config.text == TextTransformerConfig(**{**TEXT_TOWER, "out_dim": 32})
    assert flat["t"] == pytest.approx(np.log(10))
    # Words and their ids come with the image tower's model, the length with the text tower.
    assert (got.config.tokenizer.context_length, got.vocab) == (8, bundle / "vocab.txt")
    assert got.tokenizer(["a dog"]).shape == (1, 8)
    assert got.origin == {"image": f"the saved model {bundle}", "text": "scratch", "vocab": str(bundle / "vocab.txt")}


def test_what_is_drawn_depends_on_the_seed_and_the_name_alone(bundle):
    one, again, other = (flatten(begin("Lu", bundle, seed=s).params) for s in (3, 3, 4))
    drawn = [n for n, a in one.items() if n.startswith("txt/") and n.endswith(("kernel", "embedding"))]
    for name in drawn:
        assert one[name].tobytes() == again[name].tobytes() != other[name].tobytes()
        assert 0 < one[name].std() < 1
    sides = begin("uu", seed=3, vocab="embedded", text_tower={**TEXT_TOWER, "vocab_size": 30522, "out_dim": 32})
    kernel = "txt/Encoder_0/encoderblock_0/MlpBlock_0/Dense_0/kernel"
    assert flatten(sides.params)[kernel].tobytes() == one[kernel].tobytes()


def test_both_towers_from_scratch(vocab):
    got = begin("uu", vocab=vocab, dim=48, objective={"loss": "sigmoid", "logit_scale": 5.0})
    assert not got.pretrained
    assert got.trained == set(flatten(got.params))
    assert (got.config.dim, got.config.image.out_dim, got.config.text.out_dim) == (48, 48, 48)
    assert got.config.preprocess == PreprocessConfig(image_size=32)
    assert got.config.locked == ()
    assert (got.params["t"], got.params["b"]) == (pytest.approx(np.log(5)), -10)
    params = flatten(got.params)
    heads = params["img/head/kernel"], params["txt/head/kernel"]
    assert heads[0].shape == heads[1].shape == (32, 48)
    assert not (heads[0] == heads[1]).any()  # each tower draws its own
    assert begin("uu", vocab=vocab).config.dim == 32
    made = begin("uu", vocab=vocab, preprocess={"image_size": 32, "resize": "crop"})
    assert made.config.preprocess.resize == "crop"


def test_a_whole_model_goes_on(bundle):
    got = begin("LU", bundle, bundle, objective={"loss": "sigmoid"})
    same(got.params, BUNDLED, BUNDLED)
    assert got.pretrained == set(BUNDLED)
    assert got.trained == {n for n in BUNDLED if not n.startswith("img/")}
    assert got.config == dataclasses.replace(tiny_config(bias=True), name="new")
    anew = begin("UU", bundle, bundle, objective={"loss": "sigmoid", "logit_scale": 7.0, "logit_bias": -3.0})
    assert (anew.params["t"], anew.params["b"]) == (pytest.approx(np.log(7)), -3)
    assert "b" not in begin("UL", bundle, bundle).params


def licensed(place, texts):
    """A saved model with these licences, by their names."""
    save_tiny(place, tiny_config())
    (place / "LICENSES").mkdir()
    for name, text in texts.items():
        (place / "LICENSES" / name).write_text(text)
    return place


def inherited(got):
    return {name: path.read_text() for name, path in got.licenses.items()}


def test_licences_travel_with_weights_and_words(bundle, tmp_path):
    own = {"LICENSE": "Apache", "NOTICE.md": "of A"}
    a = licensed(tmp_path / "a", own)
    for sides in ((a, a), (a, bundle), (bundle, a)):
        assert inherited(begin("LU", *sides)) == own
    assert inherited(begin("Lu", a)) == own
    assert inherited(begin("LU", bundle, bundle)) == {}
    tower = {**TEXT_TOWER, "vocab_size": 30522}
    for got in (begin("uu", vocab="embedded", text_tower=tower), begin("Lu", "embedded", text_tower=tower)):
        assert got.licenses.keys() == {"Apache-2.0.txt", "MIT-CLIP.txt", "NOTICE.md", "NOTICE-drawings.md"}


def test_licences_of_one_name_are_both_kept_where_they_differ(tmp_path):
    a = licensed(tmp_path / "a", {"LICENSE": "Apache", "NOTICE.md": "of A"})
    b = licensed(tmp_path / "b", {"LICENSE": "Apache", "NOTICE.md": "of B"})
    both = {"LICENSE": "Apache", "NOTICE.md": "of A", "NOTICE-text.md": "of B"}
    assert inherited(begin("LU", a, b)) == both
    # A model that was made of two is the start of a third.
    ab, c = licensed(tmp_path / "ab", both), licensed(tmp_path / "c", {"NOTICE.md": "of C"})
    assert inherited(begin("LU", ab, c)) == {**both, "NOTICE-text-2.md": "of C"}
    assert inherited(begin("LU", a, ab)) == inherited(begin("LU", ab, b)) == both


def test_a_whole_model_and_a_new_width(bundle):
    got = begin("LU", bundle, bundle, dim=48, image_head="linear")
    assert (got.config.dim, got.config.image.out_dim, got.config.text.out_dim) == (48, 48, 48)
    assert set(got.params["txt"]["head"]) == {"kernel", "bias"}
    assert not {n for n in got.pretrained if "/head/" in n}
    same(got.params, got.pretrained - {"t"}, BUNDLED)


def test_locked_towers_with_heads_that_learn(bundle):
    got = begin("LL", bundle, bundle, dim=48, image_head="linear")
    assert got.trained == {f"{side}/head/{leaf}" for side in ("img", "txt") for leaf in ("kernel", "bias")} | {"t"}
    assert got.config.locked == ("image", "text")
    only = begin("LL", bundle, bundle, image_head="linear")
    assert only.trained == {"img/head/kernel", "img/head/bias", "t"}
    with pytest.raises(ConfigError, match=r"'LL' and neither tower has a head.*image_head = 'linear'"):
        begin("LL", bundle, bundle)


def test_a_head_of_two_layers_learns_on_a_locked_tower(bundle):
    got = begin("LL", bundle, bundle, dim=48, image_head="linear", text_head="mlp")
    assert got.config.text_head == ProjectionHeadConfig(dim=48, hidden=192)
    assert (got.config.text.out_dim, got.config.image.out_dim) == (None, 48)
    layers = {"LayerNorm_0": ("scale", "bias"), "Dense_0": ("kernel", "bias"), "Dense_1": ("kernel", "bias")}
    drawn = {f"txt_head/{layer}/{leaf}" for layer, leaves in layers.items() for leaf in leaves}
    assert got.trained == drawn | {"img/head/kernel", "img/head/bias", "t"}
    kernel = got.params["txt_head"]["Dense_1"]["kernel"]
    assert 0.5 < kernel.std() / np.sqrt(2 / (192 + 48)) < 1.5  # Glorot's width
    other = begin("LL", bundle, bundle, dim=48, image_head="mlp", text_head="mlp", seed=1)
    assert other.config.image_head == ProjectionHeadConfig(dim=48, hidden=192)
    assert not np.array_equal(other.params["txt_head"]["Dense_1"]["kernel"], kernel)


def test_a_new_text_head_takes_the_place_of_the_old_one(bundle):
    kept = begin("LL", bundle, bundle, text_head="none", image_head="linear")
    new = begin("LL", bundle, bundle, text_head="linear")
    assert new.trained == {"txt/head/kernel", "txt/head/bias", "t"}
    assert "txt/head/kernel" in kept.pretrained
    assert "txt/head/kernel" not in new.pretrained


def test_a_head_that_is_asked_for_is_new_on_either_side(folder):
    """Also where one of that width is there: a trained head would face a random one."""
    tower = ViTConfig.of_size("mu/16", image_size=32, out_dim=32)
    place = save_tiny(folder / "both", tiny_config(image=tower))
    old = random_params(tiny_config(image=tower))
    got = begin("LL", place, place, image_head="linear", text_head="linear")
    for name in ("img/head/kernel", "txt/head/kernel"):
        assert name in got.trained
        assert not np.array_equal(flatten(got.params)[name], old[name])


def test_new_heads_begin_with_the_temperature_of_a_new_model(bundle):
    assert begin("LU", bundle, bundle).params["t"] == BUNDLED["t"]
    for heads in ({"image_head": "linear"}, {"text_head": "mlp"}, {"image_head": "mlp", "text_head": "mlp"}):
        assert begin("LL", bundle, bundle, **heads).params["t"] == pytest.approx(np.log(10))
    asked = begin("LL", bundle, bundle, objective={"logit_scale": 15.0}, text_head="mlp")
    assert asked.params["t"] == pytest.approx(np.log(15))


def test_prototype_heads_stay_or_make_way(folder):
    config = tiny_config(
        name="heads", dim=40, image_head=PrototypeHeadConfig(num_prototypes=40),
        text_head=PrototypeHeadConfig(num_prototypes=40, centre=True, bias=False),
    )  # fmt: skip
    place = save_tiny(folder / "heads", config)
    kept = begin("LU", place, place)
    assert (kept.config.image_head, kept.config.text_head) == (config.image_head, config.text_head)
    assert {"txt_head/kernel", "txt_head/mean"} <= kept.trained
    assert not {n for n in kept.trained if n.startswith("img")}
    new = begin("LU", place, place, image_head="linear", dim=48)
    assert new.config.image_head is new.config.text_head is None
    assert {n for n in new.trained if n.startswith("img")} == {"img/head/kernel", "img/head/bias"}
    assert not {n for n in flatten(new.params) if n.startswith(("img_head", "txt_head"))}


def vit(**changes) -> ViTConfig:
    return ViTConfig(**{**IMAGE_TOWER, **changes})


def write_vit(path, config, **more):
    np.savez(path, **weights(param_shapes(config)), **more)
    return path


@pytest.mark.parametrize(
    "config",
    [
        vit(),
        vit(depth=2, num_heads=4, mlp_dim=48, image_size=48, patch_size=8),
        vit(pool="gap", class_token=False),
        vit(layout="big_vision"),
        vit(layout="big_vision", pool="map", class_token=False),
    ],
    ids=["vit_jax", "other sizes", "gap", "big_vision", "map"],
)
def test_a_vit_by_itself(folder, vocab, config):
    """The configuration is read off the shapes; the classifier is left out."""
    trained = dataclasses.replace(config, representation_size=16, out_dim=10)
    path = write_vit(folder / "vit.npz", trained)
    got = begin("Lu", path, vocab=vocab)
    assert got.config.image == config
    assert got.config.preprocess == PreprocessConfig(image_size=config.image_size)
    want = weights(param_shapes(config))
    same(got.params["img"], want, want)
    assert got.pretrained == {f"img/{n}" for n in want}


def test_a_vit_in_one_stack_and_one_of_another_size(folder, vocab):
    config = vit(depth=2, layout="big_vision", class_token=False, pool="gap")
    flat = weights(param_shapes(config))
    blocks = [n for n in flat if "encoderblock_0/" in n]
    stacked = {n: a for n, a in flat.items() if "encoderblock_" not in n}
    stacked |= {n.replace("_0/", "/", 1): np.stack([flat[n], flat[n.replace("_0/", "_1/", 1)]]) for n in blocks}
    np.savez(folder / "scan.npz", **stacked)
    got = begin("Lu", folder / "scan.npz", vocab=vocab)
    assert got.config.image == config
    asked = {"depth": 2, "layout": "big_vision", "class_token": False, "pool": "gap", "image_size": 64}
    larger = begin("Lu", folder / "scan.npz", vocab=vocab, image_tower={**IMAGE_TOWER, **asked})
    assert larger.params["img"]["pos_embedding"].shape == (1, 16, 32)
    assert larger.config.preprocess.image_size == 64


def test_a_vit_with_a_head_that_learns(folder, vocab):
    path = write_vit(folder / "headed.npz", vit(out_dim=10))
    got = begin("Lu", path, vocab=vocab, image_head="linear", dim=48)
    assert (got.config.image, got.config.dim) == (vit(out_dim=48), 48)
    assert {n for n in got.trained if n.startswith("img/")} == {"img/head/kernel", "img/head/bias"}
    with pytest.raises(ConfigError, match=r"model.dim is 48 and the image side .* ends 32 wide.*'linear'"):
        begin("Lu", path, vocab=vocab, dim=48)


def test_files_that_are_no_vit(folder, vocab):
    hybrid = {"embedding/kernel": np.zeros((1, 1, 64, 32), np.float32)}
    for name, flat, says in (
        ("hybrid", hybrid, r"is no Vision Transformer: its embedding/kernel is \(1, 1, 64, 32\)"),
        ("other", {"x": np.zeros(3, np.float32)}, "embedding/kernel is missing"),
        ("bare", {"embedding/kernel": np.zeros((4, 4, 3, 8), np.float32)}, "no learned position embedding; name its"),
    ):
        np.savez(folder / f"{name}.npz", **flat)
        with pytest.raises(CheckpointError, match=says):
            begin("Lu", folder / f"{name}.npz", vocab=vocab)
    flat = weights(param_shapes(vit()))
    flat.pop("Transformer/encoder_norm/scale")
    np.savez(folder / "part.npz", **flat)
    with pytest.raises(ParamsMismatchError, match=r"part\.npz .*1 missing: Transformer/encoder_norm/scale"):
        begin("Lu", folder / "part.npz", vocab=vocab)
    with pytest.raises(CheckpointNotFoundError, match="there is no file nowhere.npz"):
        begin("Lu", "nowhere.npz", vocab=vocab)


@pytest.fixture
def released(folder, monkeypatch):
    """A small model stands in the table of released ones, and its files lie in a user's mirror."""
    name = "LiT-B16B_2"
    config = tiny_config(name=name)
    row = dataclasses.replace(
        zoo.MODELS[name], config=config, vocab=zoo.FileRef(name="tiny.txt", kind="wordpiece"),
        weights=zoo.FileRef(name="tiny.npz", kind="npz"),
    )  # fmt: skip
    monkeypatch.setattr(zoo, "MODELS", {name: row})
    mirror = folder / "mirror"
    mirror.mkdir(exist_ok=True)
    np.savez(mirror / "tiny.npz", **weights(param_shapes(config)))
    write_vocab(mirror / "tiny.txt")
    return name, mirror


def test_a_released_model_by_name(released, monkeypatch):
    name, mirror = released
    with pytest.raises(CheckpointNotFoundError, match=r"tiny\.npz is in none of 1 places"):
        begin("LU", name, name)
    monkeypatch.setenv("LIT_MIRRORS", str(mirror))
    got = begin("LU", name, name)
    want = weights(param_shapes(tiny_config()))
    same(got.params, want, want)
    assert got.origin["image"] == f"the released model {name}"
    assert got.vocab.read_text() == (mirror / "tiny.txt").read_text()


def test_a_lit_npz_with_the_parameters_of_a_released_model(released, vocab, monkeypatch):
    name, mirror = released
    monkeypatch.setenv("LIT_MIRRORS", str(mirror))
    path = mirror / "tiny.npz"
    got = begin("LU", path, path)
    assert got.config.text == tiny_config().text
    assert got.origin["text"] == f"{path} ({name})"
    assert "t" in got.pretrained


def test_a_lit_npz_of_nobody(folder, vocab):
    config = tiny_config(image=vit(out_dim=48), dim=48, text=BertConfig(
        width=32, depth=1, mlp_dim=64, num_heads=2, vocab_size=200, max_positions=64, out_dim=48))  # fmt: skip
    np.savez(folder / "own.npz", **weights(param_shapes(config)))
    got = begin("Lu", folder / "own.npz", vocab=vocab)
    assert (got.config.image, got.config.dim) == (vit(out_dim=48), 48)
    with pytest.raises(ConfigError, match=r"model.text: .*own.npz has the parameters of none of LiT-B16B_2"):
        begin("LU", folder / "own.npz", folder / "own.npz")


@pytest.mark.parametrize("form", [{}, {"prefix": "bert.", "old_norms": True}, {"npz": True}], ids=str)
def test_a_bert_folder(tmp_path, bundle, form):
    got = begin("LU", bundle, write_bert(tmp_path / "bert", **form))
    assert got.config.text == dataclasses.replace(BERT, out_dim=32)
    want = weights(param_shapes(BERT))
    same(got.params["txt"], want, want)
    assert {n for n in got.pretrained if n.startswith("txt/")} == {f"txt/{n}" for n in want}
    assert {"txt/head/kernel", "t"} <= got.trained - got.pretrained
    assert (got.config.tokenizer.sep, got.config.tokenizer.context_length) == (True, 40)
    assert got.tokenizer.fingerprint == load_tokenizer(got.config.tokenizer, got.vocab).fingerprint


def test_a_sentence_transformer(tmp_path, bundle):
    place = write_bert(tmp_path / "minilm", pooling={"pooling_mode_mean_tokens": True}, hidden_act="gelu_new")
    (place / "sentence_bert_config.json").write_text('{"max_seq_length": 12}')
    got = begin("LL", bundle, place)
    assert (got.config.text.pool, got.config.text.gelu) == ("gap", "tanh")
    assert got.config.tokenizer.context_length == 12
    assert got.trained == {"txt/head/kernel", "txt/head/bias", "t"}
    tokenizer = {"kind": "wordpiece", "context_length": 16}
    assert begin("LU", bundle, place, tokenizer=tokenizer).config.tokenizer.context_length == 16


def test_folders_that_are_no_bert(tmp_path, bundle):
    def refused(says, error=CheckpointError, **changes):
        with pytest.raises(error, match=says):
            begin("LU", bundle, write_bert(tmp_path / "bert", **changes))

    refused("model of type 'roberta'", model_type="roberta")
    refused("hidden_act is 'relu'; it must be one of gelu", hidden_act="relu")
    refused(r"2 missing: .*|of the wrong shape", ParamsMismatchError, intermediate_size=48)
    refused("missing: .*layers_2", ParamsMismatchError, num_hidden_layers=3)
    flat = weights(param_shapes(BERT)) | {"encoder/adapter/kernel": np.zeros((2, 2), np.float32)}
    refused("1 unexpected: encoder.adapter.weight", ParamsMismatchError, flat=flat)
    place = write_bert(tmp_path / "bert")
    (place / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    refused("the model is cased")
    for option in ("strip_accents", "tokenize_chinese_chars"):
        (place / "tokenizer_config.json").write_text(json.dumps({option: False}))
        refused(f"{option} is false in tokenizer_config.json")
    (place / "tokenizer_config.json").unlink()
    refused(r"config\.json is no BERT's: BertConfig.width is '32'; it must be int", hidden_size="32")
    refused(r"config\.json is no BERT's: BertConfig.width is 32; it must be a multiple", num_attention_heads=3)
    for pooling in ({"pooling_mode_max_tokens": True}, {"pooling_mode": "max"}, {"word_embedding_dimension": 32}):
        refused(r"1_Pooling/config.json pools by .*; lit's BERT pools by mean_tokens or by cls_token", pooling=pooling)
    refused(
        "pools by mean_tokens and max_tokens",
        pooling=dict.fromkeys(("pooling_mode_mean_tokens", "pooling_mode_max_tokens"), True),
    )
    shutil.rmtree(place / "1_Pooling")
    (place / "model.safetensors").write_bytes(b"short")
    with pytest.raises(CheckpointError, match="truncated or corrupt"):
        begin("LU", bundle, place)
    (place / "model.safetensors").unlink()
    with pytest.raises(CheckpointNotFoundError, match=r"no model\.safetensors, and 0 \.npz files.*a pickle"):
        begin("LU", bundle, place)
    (place / "config.json").write_text('{"hidden_size": 32}')
    with pytest.raises(CheckpointError, match=r"config\.json lacks num_hidden_layers"):
        begin("LU", bundle, place)
    with pytest.raises(ConfigError, match="which holds a BERT; name it in model.text"):
        begin("Lu", place, text="")


def test_a_bert_without_its_vocabulary(tmp_path, bundle, vocab):
    place = write_bert(tmp_path / "bert")
    with pytest.raises(ConfigError, match=r"model\.vocab is set and model\.text .* brings its own"):
        begin("LU", bundle, place, vocab=vocab)
    (place / "vocab.txt").unlink()
    assert begin("LU", bundle, place, vocab=vocab).vocab.name == "words.txt"


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"image": "LiT-B16B2", "vocab": "embedded"}, UnknownNameError, "LiT-B16B_2"),
        ({"image": "runs/none/model"}, CheckpointNotFoundError, "model.image: there is no runs/none/model; give"),
        ({"image": "embedded", "image_tower": IMAGE_TOWER}, ConfigError, "image_tower is set and model.image "),
        ({"image": "embedded", "preprocess": {"image_size": 32}}, ConfigError, "model.preprocess is set and"),
        ({"image": "embedded"}, ConfigError, "30,522 ids and the text tower 200 embeddings; set .*vocab_size = 30522"),
        ({"image": "embedded", "dim": 48}, ConfigError, "model.dim is 48 and the image side .* ends 1256 wide"),
        ({"image": "embedded", "text_tower": {**TEXT_TOWER, "out_dim": 32}}, ConfigError,
         "model.text_tower.out_dim is 32 and the shared space is 1256 wide"),
        ({"lock": "uu"}, ConfigError, "model.vocab is empty, and neither model.text nor model.image brings"),
        ({"lock": "uu", "vocab": "words"}, ConfigError, "model.vocab is 'words', whose kind its name does not say"),
        ({"lock": "uu", "vocab": "nowhere.txt"}, CheckpointNotFoundError, "there is no vocabulary nowhere.txt"),
        ({"lock": "uu", "vocab": "embedded", "preprocess": {"image_size": 64}}, ConfigError,
         "parts that model names do not go together: .*takes 32 pixels and preprocessing makes 64"),
    ],
)  # fmt: skip
def test_parts_that_do_not_go_together(settings, error, says):
    with pytest.raises(error, match=says):
        begin(**settings)


def test_a_text_tower_beside_a_start_that_brings_one(bundle):
    with pytest.raises(ConfigError, match="model.text_tower is set and model.text .* brings its own"):
        begin("LU", bundle, bundle, text_tower=TEXT_TOWER)
    with pytest.raises(ConfigError, match="model.tokenizer.kind is 'sentencepiece', and the vocabulary is of kind 'wo"):
        begin("LU", bundle, bundle, tokenizer={"kind": "sentencepiece"})


@functools.cache
def embedded():
    return begin("LU", "embedded", "embedded")


def test_the_embedded_model():
    got = embedded()
    assert (got.config.dim, got.config.image.kind) == (1256, "efficientnet-lite")
    heads = {"first/mean", "first/kernel", "second/Dense_0/kernel", "second/Dense_0/bias"}
    assert {n for n in got.trained if n.startswith("txt_head/")} == {f"txt_head/{name}" for name in heads}
    assert not {n for n in got.trained if n.startswith("img")}
    assert fit(flatten(got.params), got.config, source="embedded")


def test_a_linear_head_on_the_embedded_models_locked_tower():
    """It takes the place of the prototypes; EfficientNet-Lite's features are 1280 wide."""
    got = begin("LL", "embedded", "embedded", image_head="linear", dim=48)
    assert got.params["img"]["head"]["kernel"].shape == (1280, 48)
    assert got.params["txt"]["head"]["kernel"].shape == (384, 48)
    assert got.trained == {f"{side}/head/{leaf}" for side in ("img", "txt") for leaf in ("kernel", "bias")} | {"t"}
    assert (got.config.image.features, got.config.image_head, got.config.text_head) == (48, None, None)
