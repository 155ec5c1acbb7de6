"""THE table: released models, their configurations, files, parameter counts and published numbers.

Data for people and for programs: `lit models` prints it, `lit.load` reads it, a test counts its parameters.  Every
number names its source.  The embedded model is not in `MODELS`, for it is not downloaded: it lies in the folder that
`lit.resources.directory("embedded")` finds, and its own configuration and card travel with it there.
"""

import dataclasses
import re
import types
from collections.abc import Mapping
from typing import Literal

from lit.config import BertConfig, LiTConfig, PreprocessConfig, TextTransformerConfig, TokenizerConfig, ViTConfig
from lit.errors import ConfigError, UnknownNameError

#: The embedded model's name, which its own configuration repeats.
EMBEDDED = "LiT-Lite0-MiniLM"

#: Where the models were published, and what has become of it.
BUCKET = "gs://vit_models/lit"
BUCKET_NOTE = (
    "the original bucket denies anonymous readers since February 2026: "
    "github.com/google-research/vision_transformer/issues/321"
)

_REPOSITORY = "github.com/google-research/vision_transformer"
_CARD = f"{_REPOSITORY}, model_cards/lit.md (changelog 2022-08-16)"
_CARD_BEFORE = f"{_REPOSITORY}, model_cards/lit.md at 1cec86b (version 1.0, before B16B_2 replaced B16B)"
_COLAB = f"{_REPOSITORY}, lit.ipynb, last cell (expected value; its recorded output is 0.7922)"
_BIG_VISION = "github.com/google-research/big_vision, configs/proj/image_text/README_lit.md"
_CONFIGS = f"{_REPOSITORY}, vit_jax/configs/models.py"
_COUNTS = f"{_REPOSITORY}, vit_jax/models_test.py, MODEL_SIZES"

#: The vocabulary of BERT uncased.  LiT-B16B.txt is this file: facebookresearch/flip, input_pipeline_laion.py, gives its
#: MD5 as 64800d5d8528ce344256daf115d4965e, which is this SHA-256's file; big_vision, configs/proj/image_text/common.py,
#: takes the text towers of all BERT models from BERT's uncased release.
_BERT_VOCAB_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
_BERT_VOCAB_MIRRORS = (
    "hf://google-bert/bert-base-uncased/vocab.txt",
    "hf://sentence-transformers/all-MiniLM-L6-v2/vocab.txt",
    "https://storage.googleapis.com/mediapipe-assets/mobilebert_vocab.txt",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileRef:
    """A published file.

    Attributes:
      name: its published name, which is also its name in the cache and on a user's mirror.
      kind: "npz", "wordpiece" (text, one piece a line) or "sentencepiece" (a model); says what it must begin with.
      mirrors: complete addresses, in the order in which they are tried after the user's own.
      sha256: 64 hex digits, where known; otherwise the first download is recorded and later ones are held to it.
    """

    name: str
    kind: Literal["npz", "wordpiece", "sentencepiece"]
    mirrors: tuple[str, ...] = ()
    sha256: str | None = None

    def __post_init__(self) -> None:
        # The name becomes a path below the cache; nothing in it may lead elsewhere.
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*", self.name):
            raise ConfigError(f"{self.name!r} is not a file name of letters, digits and _.+- alone.")
        if self.sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise ConfigError(f"{self.name}: sha256 is {self.sha256!r}; it must be 64 lower-case hex digits.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Published:
    """A published number.

    Attributes:
      metric: what was measured.
      value: a fraction in [0, 1].
      protocol: the name in `lit.PROTOCOLS` under which it was measured.
      source: where it stands.
    """

    metric: str
    value: float
    protocol: Literal["big-vision", "lit-colab"]
    source: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReleasedModel:
    """A released model and everything one needs to know of it.

    Attributes:
      config: towers, tokenizer, preprocessing.
      weights, vocab: its files.
      parameter_count: exact, all parameters including `t`.
      published: numbers, each with its source; empty where nothing was published.
      note: one sentence that tells it from its siblings.
      licence: of the weights (SPDX).
      source: where the configuration comes from; parameter counts are those of `count_source`.
    """

    config: LiTConfig
    weights: FileRef
    vocab: FileRef
    parameter_count: int
    published: tuple[Published, ...]
    note: str
    licence: str = "Apache-2.0"
    source: str = _CONFIGS
    count_source: str = _COUNTS

    @property
    def name(self) -> str:
        """As released."""
        return self.config.name

    def card(self) -> str:
        """What the model is, for people (Markdown)."""
        rows = [f"| {p.metric} | {100 * p.value:.4g} % | {p.protocol} | {p.source} |" for p in self.published]
        table = ["| metric | value | protocol | source |", "| :-- | --: | :-- | :-- |", *rows]
        lines = [
            f"# {self.name}",
            "",
            self.note,
            "",
            f"- Parameters: {self.parameter_count:,}, in float32 {self.parameter_count * 4 / 1e6:,.0f} MB.",
            f"- Shared space: {self.config.dim} wide.  Texts: English, {self.config.tokenizer.context_length} tokens.",
            "- Image tower: pre-trained on ImageNet-21k with labels, then locked.  Zero-shot on ImageNet is so for "
            "the pairs alone: the tower saw these classes before.",
            "- Pairs of image and text: CC12M and YFCC100M.",
            f"- Licence: {self.licence}.  Paper: arXiv 2111.07991.",
            f"- Sources: {_CARD} (data); {self.source} (configuration); {self.count_source} (parameters).",
            "",
            *(table if rows else ["No evaluation of this model was published."]),
        ]
        return "\n".join(lines) + "\n"


def _published(protocol: Literal["big-vision", "lit-colab"], source: str, **percent: float) -> tuple[Published, ...]:
    """Numbers of one source; `percent` maps a short key of `_METRICS` to per cent as printed there."""
    return tuple(
        Published(metric=_METRICS[key], value=round(value / 100, 4), protocol=protocol, source=source)
        for key, value in percent.items()
    )


_METRICS = {
    "imagenet": "ImageNet zero-shot top-1",
    "imagenet_v2": "ImageNet v2 zero-shot top-1",
    "cifar100": "CIFAR-100 zero-shot top-1",
    "pets": "Oxford-IIIT Pets zero-shot top-1",
    "resisc45": "Resisc45 zero-shot top-1",
    "coco_i2t": "MS-COCO image-to-text recall@1",
    "coco_t2i": "MS-COCO text-to-image recall@1",
}


def _released(
    config: LiTConfig, *, parameter_count: int, note: str, published: tuple[Published, ...] = ()
) -> ReleasedModel:
    """A row of the table; its files are named as vit_jax names them (models_lit.py: BASE_PATH, vocab_path)."""
    bert = config.tokenizer.kind == "wordpiece"
    vocab = f"{config.name}.txt" if bert else f"{config.name}.model"
    return ReleasedModel(
        config=config,
        weights=FileRef(name=f"{config.name}.npz", kind="npz", mirrors=(f"{BUCKET}/{config.name}.npz",)),
        vocab=FileRef(
            name=vocab,
            kind="wordpiece" if bert else "sentencepiece",
            mirrors=(*(_BERT_VOCAB_MIRRORS if bert else ()), f"{BUCKET}/{vocab}"),
            sha256=_BERT_VOCAB_SHA256 if bert else None,
        ),
        parameter_count=parameter_count,
        published=published,
        note=note,
    )


def _config(name: str, image: ViTConfig, text: BertConfig | TextTransformerConfig, dim: int) -> LiTConfig:
    tokenizer = (
        TokenizerConfig(kind="wordpiece", context_length=16, vocab="vocab.txt")
        if isinstance(text, BertConfig)
        else TokenizerConfig(kind="sentencepiece", context_length=16, vocab="sentencepiece.model")
    )
    return LiTConfig(name=name, image=image, text=text, dim=dim, tokenizer=tokenizer, preprocess=PreprocessConfig())


def _small_text(size: str) -> TextTransformerConfig:
    return TextTransformerConfig.of_size(size, vocab_size=16_000, context_length=16, out_dim=1024)


_B16, _L16 = ViTConfig.of_size("B/16"), ViTConfig.of_size("L/16")

_ROWS = (
    _released(
        _config("LiT-B16B_2", _B16, BertConfig.of_size("base", out_dim=768), 768),
        parameter_count=195_280_897,
        note="ViT-B/16 and BERT base, 60,000 steps, no head on the image side: better than LiT-B16B at the same cost.",
        published=_published("big-vision", _CARD, imagenet=73.9, imagenet_v2=65.1, cifar100=79.0, pets=83.3,
                             resisc45=25.3, coco_i2t=51.6, coco_t2i=31.8)
        + _published("big-vision", _BIG_VISION, imagenet=73.9, coco_i2t=51.5, coco_t2i=31.8),
    ),
    _released(
        _config("LiT-L16L", _L16, BertConfig.of_size("large", out_dim=1024), 1024),
        parameter_count=638_443_521,
        note="ViT-L/16 and BERT large: the most accurate of the released models.",
        published=_published("big-vision", _CARD, imagenet=75.7, imagenet_v2=66.6, cifar100=80.5, pets=83.3,
                             resisc45=25.6, coco_i2t=48.5, coco_t2i=31.1)
        + _published("big-vision", _BIG_VISION, imagenet=75.7, coco_i2t=48.5, coco_t2i=31.2),
    ),
    _released(
        _config("LiT-L16S", _L16, _small_text("S"), 1024),
        parameter_count=331_140_353,
        note="ViT-L/16 and a small text transformer (384 wide) with a SentencePiece vocabulary of 16,000.",
    ),
    _released(
        _config("LiT-L16Ti", _L16, _small_text("Ti"), 1024),
        parameter_count=311_913_089,
        note="ViT-L/16 and a tiny text transformer (192 wide) with a SentencePiece vocabulary of 16,000.",
    ),
    _released(
        _config("LiT-B16B", ViTConfig.of_size("B/16", out_dim=768), BertConfig.of_size("base", out_dim=768), 768),
        parameter_count=195_871_489,
        note="ViT-B/16 and BERT base, 30,000 steps, with a linear head on the image side; LiT-B16B_2 replaced it.",
        published=_published("big-vision", _CARD_BEFORE, imagenet=72.1, imagenet_v2=63.5, cifar100=79.7, pets=81.1,
                             resisc45=26.7, coco_i2t=49.3, coco_t2i=31.2)
        + _published("big-vision", _BIG_VISION, imagenet=72.1, coco_i2t=49.4, coco_t2i=31.1)
        + _published("lit-colab", _COLAB, cifar100=79.19),
    ),
)  # fmt: skip

#: Released models by name, the recommended first.
MODELS: Mapping[str, ReleasedModel] = types.MappingProxyType({row.name: row for row in _ROWS})

#: Every published file by name.
FILES: Mapping[str, FileRef] = types.MappingProxyType({f.name: f for row in _ROWS for f in (row.weights, row.vocab)})


def names() -> tuple[str, ...]:
    """What `lit.load` knows by name: the embedded model, then the released ones."""
    return (EMBEDDED, *MODELS)


def find(name: str) -> ReleasedModel:
    """The released model of that name.

    Raises:
      UnknownNameError: there is none; the message says which was meant, perhaps, and which there are.
    """
    if name not in MODELS:
        raise UnknownNameError("model", name, names(), hint="A folder that holds a saved model works too.")
    return MODELS[name]
