"""From a suite and a protocol to the texts that stand for each class, and to class embeddings."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from lit.errors import ConfigError
from lit.evaluation import parallel
from lit.model import Model
from lit.prompts import PromptSet, load_classes
from lit.protocols import Classes, class_texts, prompt_set_of, protocol_of
from lit.suites import Suite
from lit.zeroshot import class_embeddings

Prompts = str | Path | PromptSet | Sequence[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Words:
    """How the classes of one evaluation are put into words.

    Attributes:
      classes: the class list as it was given: a name in `prompts/classes/`, a path, names, or a mapping.
      class_names: in order.
      spoken: for each class the names that stand for it, as they are filled in.
      texts: for each class all of its texts, prompts filled in.
      prompts: the prompt set.
      protocol: its name.
      renormalize, canonicalize: its rule (`lit.protocols.Protocol`), or what overrode it.
    """

    classes: Classes
    class_names: tuple[str, ...]
    spoken: tuple[tuple[str, ...], ...]
    texts: tuple[tuple[str, ...], ...]
    prompts: PromptSet
    protocol: str
    renormalize: bool
    canonicalize: bool


def words_of(
    suite: Suite,
    classes: Classes,
    *,
    protocol: str | None = None,
    prompts: Prompts | None = None,
    renormalize: bool | None = None,
    canonicalize: bool | None = None,
) -> Words:
    """Puts classes into words as the suite says, or as the arguments override it.

    Raises:
      UnknownNameError, PromptError: see `lit.ZeroShotClassifier`.
    """
    protocol = protocol or suite.protocol
    rule = protocol_of(protocol)
    prompt_set = prompt_set_of(prompts_of(suite, protocol) if prompts is None else prompts)
    canonicalize = rule.canonicalize if canonicalize is None else canonicalize
    class_names, texts = class_texts(classes, prompt_set, canonicalize=canonicalize)
    if len(class_names) == 1:
        raise ConfigError(
            f"there is one class, {class_names[0]!r}: among one, it is always the answer, whatever the image shows."
        )
    return Words(
        classes=classes,
        class_names=class_names,
        spoken=spoken_of(classes),
        texts=tuple(map(tuple, texts)),
        prompts=prompt_set,
        protocol=protocol,
        renormalize=rule.renormalize if renormalize is None else renormalize,
        canonicalize=canonicalize,
    )


def prompts_of(suite: Suite, protocol: str) -> str:
    """The prompt set that a protocol takes: "clip" what CLIP wrote for this dataset, the others their own.

    Raises:
      UnknownNameError: no such protocol.
    """
    rule = protocol_of(protocol)
    return suite.prompts if protocol == "clip" and suite.prompts else rule.prompts


def spoken_of(classes: Classes) -> tuple[tuple[str, ...], ...]:
    """For each class the names that stand for it."""
    listed = load_classes(classes) if isinstance(classes, str | Path) else classes
    return tuple(tuple(listed[name]) if isinstance(listed, Mapping) else (name,) for name in listed)


def changed(words: Words, suite: Suite, **overrides: object) -> Words:
    """The same classes with other choices: the fields of `words_of`."""
    kept = {
        "protocol": words.protocol,
        "prompts": words.prompts,
        "renormalize": words.renormalize,
        "canonicalize": words.canonicalize,
    }
    return words_of(suite, words.classes, **{**kept, **overrides})  # pyright: ignore[reportArgumentType]


def embed_words(
    model: Model, words: Words, *, keep: bool = True, progress: bool = False
) -> Float32[np.ndarray, "classes dim"]:
    """The class embeddings, from lit's cache where they were computed before.  Every process embeds a share.

    Args:
      model: embeds the texts.
      words: see `words_of`.
      keep: look in the cache, and keep them there.
      progress: show it on standard error.
    """
    return parallel.class_embeddings(model, words.texts, renormalize=words.renormalize, cache=keep, progress=progress)


def embed_repaired(
    model: Model, words: Words, embeddings: Float32[np.ndarray, "classes dim"], repaired: Mapping[int, str]
) -> Float32[np.ndarray, "classes dim"]:
    """`embeddings` with the rows of the repaired names in the place of the published ones.

    Raises:
      ConfigError: a position that no class has.
    """
    beyond = [i for i in repaired if not 0 <= i < len(words.class_names)]
    if beyond:
        raise ConfigError(f"repaired names for classes {beyond}, and there are {len(words.class_names)} classes.")
    texts = [words.prompts.format(name, canonicalize=words.canonicalize) for name in repaired.values()]
    rows = embeddings.copy()
    rows[list(repaired)] = class_embeddings(model, texts, renormalize=words.renormalize)
    return rows
