"""Zero-shot classification: class names and prompts instead of training.

The classes' texts are embedded once, averaged, and become the rows of a matrix; a picture's class is the row with the
largest inner product.  The published protocols differ in four choices, which `lit.protocols.Protocol` names.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int

from lit.arrays import ImageEmbeddings
from lit.classcache import ClassCache
from lit.errors import ConfigError, ImageError, InputError, PromptError
from lit.images import ImageInput
from lit.model import Model
from lit.prompts import PromptSet
from lit.protocols import Classes, class_texts, prompt_set_of, protocol_of


class ZeroShotClassifier:
    """Classifies pictures with a list of words.

    Args:
      model: from `lit.load`.
      classes: class names; or a mapping from a class name to the several texts that stand for it (each goes into every
        prompt, and all count alike in the mean); or the name of a packaged list ("imagenet") or a path to one.
      prompts: a prompt set: its name, a path, a `PromptSet`, or templates with one `{}` each; else the protocol's.
      protocol: "lit-colab", "big-vision" or "clip".  None: CLIP's rule with the prompt set "clip-best".
      renormalize, canonicalize: override the protocol's.
      cache: keep the class embeddings on disk, keyed by everything that determines them.
      progress: show the embedding of the classes on standard error.

    Attributes:
      class_names: in order.
      class_embeddings: (classes, dim) float32; rows of unit norm where `renormalize`.

    Raises:
      PromptError: no class, a single class for a softmax, duplicate classes, or a prompt without exactly one `{}`.
      UnknownNameError: no such prompt set, class list or protocol.

    A packaged list is taken as published, duplicates and all (the ImageNet list has two).
    """

    def __init__(
        self,
        model: Model,
        classes: Classes,
        *,
        prompts: str | Path | PromptSet | Sequence[str] | None = None,
        protocol: str | None = None,
        renormalize: bool | None = None,
        canonicalize: bool | None = None,
        cache: bool = True,
        progress: bool = False,
    ) -> None:
        rule = protocol_of(protocol)
        self.model = model
        self.renormalize = rule.renormalize if renormalize is None else renormalize
        self.canonicalize = rule.canonicalize if canonicalize is None else canonicalize
        self.prompts = prompt_set_of(rule.prompts if prompts is None else prompts)
        self.class_names, texts = class_texts(classes, self.prompts, canonicalize=self.canonicalize)
        if len(self.class_names) == 1 and model.logit_bias is None:
            raise PromptError(
                f"there is one class, {self.class_names[0]!r}: among one, it is always the answer. Give at least two, "
                "for example one that says what else the picture may show."
            )
        store = ClassCache(model.fingerprint, texts, self.renormalize, model.dim) if cache else None
        found = store.read() if store else None
        if found is None:
            found = class_embeddings(model, texts, renormalize=self.renormalize, progress=progress)
            if store:
                store.write(found)
        self.class_embeddings = found

    def __repr__(self) -> str:
        return (
            f"<lit.ZeroShotClassifier {len(self.class_names)} classes, prompts {self.prompts.name!r}, "
            f"renormalize={self.renormalize}, canonicalize={self.canonicalize}, {self.model.name}>"
        )

    def similarity(
        self, images: Iterable[ImageInput], *, failures: list[ImageError] | None = None
    ) -> Float32[np.ndarray, "images classes"]:
        """Inner products with the class embeddings: cosines where `renormalize`, in [-1, 1].

        Args:
          images, failures: as for `Model.embed_images`: with a list of failures, there is a row for each picture that
            can be used.
        """
        return self.similarity_of(self.model.embed_images(images, failures=failures))

    def similarity_of(self, zimg: ImageEmbeddings) -> Float32[np.ndarray, "images classes"]:
        """`similarity` from embeddings that are there already.

        Summed in float64: a product in float32 differs in its last bit from one column to another, and of two equal
        classes the second could win.
        """
        return (zimg.astype(np.float64) @ self.class_embeddings.astype(np.float64).T).astype(np.float32)

    def predict(self, images: Iterable[ImageInput], *, failures: list[ImageError] | None = None) -> list[str]:
        """The class name of each picture; of equal scores the first class wins.

        Args:
          images, failures: see `similarity`.
        """
        return [self.class_names[i] for i in np.argmax(self.similarity(images, failures=failures), axis=1)]

    def predict_proba(
        self, images: Iterable[ImageInput], *, independent: bool = False, failures: list[ImageError] | None = None
    ) -> Float32[np.ndarray, "images classes"]:
        """Probabilities in [0, 1].

        Args:
          images, failures: see `similarity`.
          independent: False is a softmax over the classes: rows sum to 1, and one of the classes is presumed right.
            True asks each class by itself, with a sigmoid; it needs a model with a `logit_bias`.

        Raises:
          ConfigError: `independent` and the model has no bias; or a single class and not `independent`.
        """
        return self.probabilities(self.similarity(images, failures=failures), independent=independent)

    def probabilities(
        self, similarity: Float32[np.ndarray, "images classes"], *, independent: bool = False
    ) -> Float32[np.ndarray, "images classes"]:
        """The probabilities that `predict_proba` gives, from inner products that are there already."""
        logits = self.model.logit_scale * similarity.astype(np.float64)
        if not independent:
            if len(self.class_names) == 1:
                raise ConfigError("a softmax over one class is always 1; pass independent=True, or a second class.")
            return softmax(logits).astype(np.float32)
        if self.model.logit_bias is None:
            raise ConfigError(
                f"{self.model.name} has no logit_bias, so a class by itself has no probability; leave out "
                "independent=True for a softmax over the classes."
            )
        return sigmoid(logits + self.model.logit_bias).astype(np.float32)

    def top_k(
        self, images: Iterable[ImageInput], k: int | None = None, *, failures: list[ImageError] | None = None
    ) -> pd.DataFrame:
        """The k best classes of each picture, best first.

        Args:
          images, failures: see `similarity`.
          k: how many; None for five, or all classes if there are fewer.

        Returns:
          One row per picture and rank: `image` (position in `images`), `rank` (1 is best), `class_name`,
          `probability` (softmax; sigmoid where there is one class) and `similarity`.

        Raises:
          InputError: k is less than 1, more than there are classes, or no whole number.
        """
        classes = len(self.class_names)
        k = min(5, classes) if k is None else k
        if not isinstance(k, int | np.integer) or not 1 <= k <= classes:
            raise InputError(f"k is {k!r}; with {classes} classes it must be a whole number between 1 and {classes}.")
        batches = list(self.model.iter_images(images, failures=failures))
        places = np.concatenate([np.zeros(0, np.intp), *(positions for positions, _ in batches)])
        zimg = np.concatenate([np.zeros((0, self.model.dim), np.float32), *(z for _, z in batches)])
        best, probability, similarity = self.ranked(zimg, k)
        image, rank = np.indices(best.shape)
        return pd.DataFrame(
            {
                "image": places[image.ravel()],
                "rank": rank.ravel() + 1,
                "class_name": [self.class_names[c] for c in best.ravel()],
                "probability": probability.ravel(),
                "similarity": similarity.ravel(),
            }
        )

    def ranked(
        self, zimg: ImageEmbeddings, k: int
    ) -> tuple[
        Int[np.ndarray, "images ranks"], Float32[np.ndarray, "images ranks"], Float32[np.ndarray, "images ranks"]
    ]:
        """The k best classes of embeddings that are there already, best first; of equal scores the first class wins.

        Returns:
          Positions in `class_names`, their probabilities (softmax; sigmoid where there is one class), and their inner
          products.
        """
        similarity = self.similarity_of(zimg)
        probability = self.probabilities(similarity, independent=len(self.class_names) == 1)
        best = np.argsort(-similarity, axis=1, kind="stable")[:, :k]
        return best, np.take_along_axis(probability, best, axis=1), np.take_along_axis(similarity, best, axis=1)


def class_embeddings(
    model: Model, texts: Sequence[Sequence[str]], *, renormalize: bool, progress: bool = False
) -> Float32[np.ndarray, "classes dim"]:
    """The mean embedding of each class's texts.

    Args:
      model: embeds the texts, each to unit norm.
      texts: for each class all of its texts, prompts filled in.
      renormalize: scale each mean to unit norm (CLIP, big_vision), or leave it (the LiT notebook).
      progress: show it on standard error.

    Source: big_vision divides by 1e-8 + norm (evaluators/proj/image_text/discriminative_classifier.py); so does this.
    """
    flat = [text for of_class in texts for text in of_class]
    ztxt = model.embed_texts(flat, progress=progress)
    starts = np.cumsum([0] + [len(of_class) for of_class in texts[:-1]])
    counts = np.asarray([len(of_class) for of_class in texts])[:, None]
    means = np.add.reduceat(ztxt.astype(np.float64), starts, axis=0) / counts
    if renormalize:
        means /= 1e-8 + np.linalg.norm(means, axis=1, keepdims=True)
    return means.astype(np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Along the last axis."""
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Element by element, without overflow at either end."""
    return np.exp(-np.logaddexp(0, -logits))
