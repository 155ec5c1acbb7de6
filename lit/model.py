"""A model: two towers, and the tokenizer and preprocessing that they were trained with, in one object.

numpy stands at the border: pictures and texts go in, numpy embeddings of unit norm come out.
"""

import copy
import dataclasses
import functools
import hashlib
import math
from collections.abc import Iterable, Mapping, Sized
from typing import Any

import numpy as np
from jaxtyping import Float32

from lit import __version__, streams
from lit import config as configs
from lit import images as pictures
from lit.arrays import ImageEmbeddings, Pixels, TextEmbeddings, TokenIds
from lit.engine import Engine, Precision, XlaEngine, batch_size_for, check_engine
from lit.errors import CheckpointError, ConfigError, InputError
from lit.image_embedder import ImageEmbedder, params_digest
from lit.images import ImageInput
from lit.prepared import checked_pixels, checked_tokens
from lit.progress import progress as show_progress
from lit.tokenizers import Explanation, Tokenizer

#: Texts that are tokenized together; bounds the memory of a stream and lets short texts share a batch.
_TEXT_CHUNK = 4096
#: BERT masks padding, so a short text may run at a shorter length: lengths are rounded up to this times a power of two.
_SHORTEST = 16


class Model(ImageEmbedder):
    """Embeds pictures and texts into one space.

    `lit.load` makes one.

    Args:
      config: the whole model; frozen.
      params: nested parameters that fit it (`lit.checkpoints.fit`).
      tokenizer: fits `config.tokenizer`.
      precision: "float32" (parity with the original code), or "bfloat16" (several times faster where the processor
        has matrix units for it; see README for the measured distance).
      engine: "xla", or "openvino" (extra `openvino`).
      card: what the model is, for people (Markdown).

    Raises:
      CheckpointError: the tokenizer makes ids for which the text tower has no embedding.
    """

    def __init__(
        self,
        config: configs.LiTConfig,
        params: Mapping[str, Any],
        tokenizer: Tokenizer,
        *,
        precision: Precision = "float32",
        engine: str = "xla",
        card: str = "",
    ) -> None:
        self.tokenizer, self.card = tokenizer, card
        if tokenizer.vocab_size > config.text.vocab_size:
            raise CheckpointError(
                f"{config.name}: the vocabulary has {tokenizer.vocab_size:,} ids and the text tower "
                f"{config.text.vocab_size:,} embeddings; take the vocabulary that was published with the weights."
            )
        super().__init__(config, build_engine(engine, config, params, precision), precision)

    def __repr__(self) -> str:
        image, text = self.config.image.kind, self.config.text.kind
        return (
            f"<lit.Model {self.name}: {image} + {text}, dim {self.dim}, {self.precision}, {self._engine.description}>"
        )

    @property
    def name(self) -> str:
        """As released."""
        return self.config.name

    @property
    def logit_scale(self) -> float:
        """Multiplies a cosine to make a logit: exp of the stored parameter `t`."""
        return math.exp(np.asarray(self._engine.params["t"]).item())

    @property
    def logit_bias(self) -> float | None:
        """Added to a logit; None unless the model was trained with one (sigmoid loss)."""
        return np.asarray(self._engine.params["b"]).item() if self.config.bias else None

    @functools.cached_property
    def weights_digest(self) -> str:
        """SHA-256 (hex) over the parameters as they are computed with: names, types, shapes, values."""
        return params_digest(self._engine.params)

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over what determines an embedding.

        Configuration, weights, tokenizer, precision, the versions of lit and of the engine, and kind of device.
        """
        said = (
            configs.to_dict(self.config),
            self.tokenizer.fingerprint,
            self.precision,
            __version__,
            self._engine.description,
            self.weights_digest,
        )
        return hashlib.sha256(repr(said).encode()).hexdigest()

    @property
    def engine_description(self) -> str:
        """What, beside weights and input, can move the last bits of an embedding: engine, device, versions."""
        return self._engine.description

    def with_preprocess(self, **changes: Any) -> "Model":
        """The same towers behind another preprocessing, for measuring what a choice costs; the weights are shared.

        Args:
          changes: fields of `PreprocessConfig` (resize, kernel, antialias, rounding, jpeg, exif).

        Raises:
          ConfigError: they contradict each other, or would change what the tower was compiled for (image_size,
            value_range).
        """
        fixed = sorted({"image_size", "value_range"} & changes.keys())
        if fixed:
            raise ConfigError(
                f"with_preprocess cannot change {' and '.join(fixed)}, for which the image tower was built; it takes "
                "resize, kernel, antialias, rounding, jpeg and exif."
            )
        preprocess = dataclasses.replace(self.config.preprocess, **changes)
        other = copy.copy(self)
        other.config = dataclasses.replace(self.config, preprocess=preprocess)
        return other

    def in_bfloat16(self) -> "Model":
        """The same model with its matrix products in bfloat16, to measure what that costs.

        Raises:
          ConfigError: it is not a float32 model; what was rounded cannot be had back.
        """
        if self.precision != "float32":
            raise ConfigError(f"this model is in {self.precision}; load it in float32, which can be rounded.")
        engine = self._engine.description.partition(" ")[0]
        return Model(
            self.config, self._engine.params, self.tokenizer, precision="bfloat16", engine=engine, card=self.card
        )

    def embed_texts(
        self, texts: Iterable[str], *, batch_size: int | None = None, progress: bool = False
    ) -> TextEmbeddings:
        """Embeds texts; any iterable, in bounded memory.

        Args:
          texts: strings.  What does not fit the context length is cut off; `explain_text` shows what.
          batch_size: texts per batch; see `embed_images`.
          progress: show it on standard error.

        Returns:
          (texts, dim) float32, rows of unit norm.

        Raises:
          InputError: a lone string, something that is not a string, or nothing at all.
        """
        texts = streams.collection(texts, "texts")
        size = batch_size_for(self._engine, batch_size, self._engine.text_batch)
        total = len(texts) if isinstance(texts, Sized) else None
        rows = []
        with show_progress("embedding texts", total, enabled=progress, unit="texts") as advance:
            for chunk in streams.chunks(texts, _TEXT_CHUNK):
                rows.append(self._embed_tokens(self.tokenizer(chunk), size, advance))
        if not rows:
            raise InputError("there are no texts to embed; give at least one.")
        return np.concatenate(rows)

    def _embed_tokens(self, tokens: TokenIds, size: int, advance: Any) -> TextEmbeddings:
        out = np.empty((len(tokens), self.dim), np.float32)
        # BERT alone masks its padding; elsewhere it is a part of the text.
        shortest = _SHORTEST if self.config.text.kind == "bert" else self.tokenizer.context_length
        lengths = streams.by_length(tokens, shortest=shortest)
        groups = ((n, rows) for n, members in lengths for rows in streams.chunks(members, size))

        def start(group: tuple[int, list[int]]) -> Any:
            length, rows = group
            return self._engine.texts(streams.pad_rows(list(tokens[rows, :length]), size))

        for (_, rows), ztxt in streams.pipelined(groups, start):
            out[rows] = ztxt[: len(rows)]
            advance(len(rows))
        return out

    def preprocess(self, images: Iterable[ImageInput]) -> Pixels:
        """What the image tower takes: (images, size, size, 3) float32 in the model's value range."""
        _, pixels = pictures.preprocess_batch(images, self.config.preprocess)
        return pictures.to_range(pixels, self.config.preprocess)

    def tokenize(self, texts: Iterable[str]) -> TokenIds:
        """What the text tower takes: (texts, context_length) int32."""
        return self.tokenizer(list(streams.collection(texts, "texts")))

    def explain_text(self, text: str) -> Explanation:
        """The pieces and ids of a text, and what was cut off at the context length."""
        return self.tokenizer.explain(text)

    def apply(
        self, *, images: Pixels | None = None, tokens: TokenIds | None = None
    ) -> tuple[ImageEmbeddings | None, TextEmbeddings | None, dict[str, np.ndarray]]:
        """One call of both towers on prepared input.

        Args:
          images: what `preprocess` returns, or None.
          tokens: what `tokenize` returns, or None.

        Returns:
          zimg (images, dim), ztxt (texts, dim), each None where its input was; and a dictionary with `logit_scale`
          (1,), which multiplies `zimg @ ztxt.T`, and `logit_bias` (1,) where the model has one.

        Raises:
          InputError: both are None, or not what `preprocess` and `tokenize` return.
        """
        if images is None and tokens is None:
            raise InputError("apply needs images, tokens, or both; both are None.")
        if images is not None:
            images = checked_pixels(images, self.config.preprocess.image_size)
        if tokens is not None:
            tokens = checked_tokens(tokens, self.config.text.vocab_size)
        zimg = None if images is None else self._run(self._engine.images, images, self._engine.image_batch)
        ztxt = None if tokens is None else self._run(self._engine.texts, tokens, self._engine.text_batch)
        out = {"logit_scale": np.full(1, self.logit_scale, np.float32)}
        if self.logit_bias is not None:
            out["logit_bias"] = np.full(1, self.logit_bias, np.float32)
        return zimg, ztxt, out

    def _run(self, tower: Any, rows: np.ndarray, size: int) -> Float32[np.ndarray, "batch dim"]:
        """All rows through one tower, in batches of one shape."""
        batches = streams.pipelined(streams.chunks(rows, size), lambda batch: tower(streams.pad_rows(batch, size)))
        return np.concatenate([z[: len(batch)] for batch, z in batches])


def build_engine(name: str, config: configs.LiTConfig, params: Mapping[str, Any], precision: Precision) -> Engine:
    """What runs the towers: "xla", or "openvino" with its extra."""
    check_engine(name)
    if name == "xla":
        return XlaEngine(config, params, precision=precision)
    from lit.openvino_engine import OpenVinoEngine  # an extra: imported by whoever asks for it

    return OpenVinoEngine(config, params, precision=precision)
