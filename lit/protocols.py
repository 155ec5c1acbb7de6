"""From class names to the texts that stand for them, as published evaluations do it."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path

from lit.errors import PromptError, UnknownNameError
from lit.prompts import PromptSet, class_lists, load_classes
from lit.prompts import canonicalize as canonical


@dataclasses.dataclass(frozen=True, kw_only=True)
class Protocol:
    """How a published evaluation turns class names into class embeddings.

    Attributes:
      prompts: the name of its prompt set.
      renormalize: the mean of a class's unit vectors is scaled to unit norm again.
      canonicalize: names and prompts are lower-cased and lose their punctuation first (`lit.canonicalize`).
      source: where it is written down.
    """

    prompts: str
    renormalize: bool
    canonicalize: bool
    source: str


PROTOCOLS: Mapping[str, Protocol] = {
    "lit-colab": Protocol(
        prompts="lit-colab",
        renormalize=False,
        canonicalize=False,
        source="github.com/google-research/vision_transformer, lit.ipynb",
    ),
    "big-vision": Protocol(
        prompts="big-vision",
        renormalize=True,
        canonicalize=True,
        source="github.com/google-research/big_vision, evaluators/proj/image_text/discriminative_classifier.py",
    ),
    "clip": Protocol(
        prompts="clip-paper",
        renormalize=True,
        canonicalize=False,
        source="github.com/openai/CLIP, notebooks/Prompt_Engineering_for_ImageNet.ipynb",
    ),
}
#: Without a protocol: CLIP's rule with the seven prompts of its notebook's last section, a tenth of the texts.
_DEFAULT = dataclasses.replace(PROTOCOLS["clip"], prompts="clip-best")

Classes = Sequence[str] | Mapping[str, Sequence[str]] | str | Path


def protocol_of(protocol: str | None) -> Protocol:
    """The rule of a name; None for the default.

    Raises:
      UnknownNameError: no such protocol.
    """
    if protocol is None:
        return _DEFAULT
    if protocol not in PROTOCOLS:
        raise UnknownNameError("protocol", protocol, PROTOCOLS)
    return PROTOCOLS[protocol]


def prompt_set_of(prompts: str | Path | PromptSet | Sequence[str]) -> PromptSet:
    """A prompt set from its name, a path, or templates.

    Raises:
      UnknownNameError, PromptError: there is no such set, or it cannot be used.
    """
    if isinstance(prompts, PromptSet):
        return prompts
    if isinstance(prompts, str | Path):
        return PromptSet.load(prompts)
    if not isinstance(prompts, Iterable):
        raise PromptError(f"prompts is of type {type(prompts).__name__}; give a name, a path or a list of templates.")
    return PromptSet(name="custom", templates=tuple(prompts))


def class_texts(classes: Classes, prompts: PromptSet, *, canonicalize: bool) -> tuple[tuple[str, ...], list[list[str]]]:
    """Class names, and for each class all of its texts: its names in every prompt.

    Raises:
      UnknownNameError: no such class list.
      PromptError: no class, one that is there twice (packaged lists are taken as published), or one without a text.
    """
    published = isinstance(classes, str) and classes in class_lists()
    if isinstance(classes, str | Path):
        classes = load_classes(classes)
    if not isinstance(classes, Iterable):
        raise PromptError(f"the classes are of type {type(classes).__name__}; give a list of class names.")
    spoken = classes if isinstance(classes, Mapping) else {}
    class_names = tuple(classes)
    _check_names(class_names, unique=not published)
    texts = [_names_of(name, spoken.get(name, (name,)), canonicalize) for name in class_names]
    if not published:
        _check_distinct(class_names, texts)
    formatted = ([prompts.format(t, canonicalize=canonicalize) for t in of_class] for of_class in texts)
    return class_names, [list(chain.from_iterable(of_class)) for of_class in formatted]


def _check_names(class_names: tuple[str, ...], *, unique: bool) -> None:
    if not class_names:
        raise PromptError("the list of classes is empty; give at least two class names.")
    for name in class_names:
        if not isinstance(name, str) or not name.strip():
            raise PromptError(
                f"{name!r} is not a class name; class names are strings with at least one visible character."
            )
    twice = sorted(name for name, n in Counter(class_names).items() if n > 1)
    if twice and unique:
        raise PromptError(f"these classes are there more than once: {', '.join(twice)}; name each class once.")


def _names_of(class_name: str, spoken: Iterable[str], clean: bool) -> tuple[str, ...]:
    """The texts that stand for a class."""
    sound = isinstance(spoken, Iterable) and not isinstance(spoken, str)
    spoken = tuple(spoken) if sound else spoken  # it may be a generator
    if not sound or not spoken or not all(isinstance(s, str) and s.strip() for s in spoken):
        raise PromptError(f"class {class_name!r} maps to {spoken!r}; it needs a list of at least one text, none blank.")
    if not clean:
        return tuple(spoken)
    cleaned = tuple(canonical(s) for s in spoken)
    if not all(cleaned):
        raise PromptError(
            f"class {class_name!r} is punctuation alone, of which canonicalize leaves nothing; write it in words, or "
            "pass canonicalize=False."
        )
    return cleaned


def _check_distinct(class_names: tuple[str, ...], texts: list[tuple[str, ...]]) -> None:
    """Two classes of the same one text could never be told apart."""
    first: dict[tuple[str, ...], str] = {}
    for name, of_class in zip(class_names, texts, strict=True):
        if len(of_class) == 1 and first.setdefault(of_class, name) != name:
            raise PromptError(
                f"classes {first[of_class]!r} and {name!r} stand for the same text, {of_class[0]!r}; the second could "
                "never win. Name one of them differently."
            )
