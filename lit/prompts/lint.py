"""Looks through class names and prompts for what a model would stumble over, before anything is embedded."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

from lit.errors import PromptError
from lit.prompts.prompt_set import PromptSet, check_template

Kind = Literal["template", "whitespace", "duplicate", "unknown-token", "truncated", "same-tokens"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that deserves a look.

    Attributes:
      kind: "template" (not exactly one `{}`), "whitespace", "duplicate" (the same string twice), "unknown-token",
        "truncated" (does not fit the context length), "same-tokens" (classes that the model cannot tell apart).
      where: the class, the template, or both.
      message: what is wrong, and what follows from it.
    """

    kind: Kind
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.message}"


@runtime_checkable
class Explained(Protocol):
    """What the linter needs to know of a tokenized text; `lit.tokenizers.Explanation` has it."""

    @property
    def ids(self) -> tuple[int, ...]:
        """What the model gets."""
        ...

    @property
    def unknown(self) -> tuple[str, ...]:
        """Words without a piece in the vocabulary."""
        ...

    @property
    def cut_text(self) -> str:
        """What does not fit; empty if everything does."""
        ...


@runtime_checkable
class Explains(Protocol):
    """A tokenizer, as far as the linter is concerned; every `lit.tokenizers.Tokenizer` is one."""

    @property
    def context_length(self) -> int:
        """Ids per text."""
        ...

    def explain(self, text: str) -> Explained:
        """How a text becomes ids."""
        ...


def lint_prompts(
    classes: Sequence[str] | Mapping[str, Sequence[str]],
    prompts: PromptSet | Sequence[str],
    tokenizer: Explains | None = None,
) -> list[Finding]:
    """Everything suspicious about these classes in these prompts; an empty list if there is nothing.

    Args:
      classes: class names, or name -> texts, as `load_classes` returns them.
      prompts: a `PromptSet`, or templates, which here may be faulty.
      tokenizer: finds unknown and cut-off words, and classes that look alike to the model; None leaves these out.

    Returns:
      Findings: templates first, then classes in order.
    """
    templates = list(prompts.templates if isinstance(prompts, PromptSet) else prompts)
    pairs = list(_pairs(classes))
    findings = [*_templates(templates), *_whitespace(pairs), *_duplicates(list(classes), "class")]
    if tokenizer is not None:
        sound = [t for t in templates if t.count("{}") == 1]
        findings += _unknown(pairs, sound, tokenizer)
        findings += _tokens(pairs, sound, tokenizer)
    return findings


def _pairs(classes: Sequence[str] | Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """(where, text): the class name, and each text that stands for it."""
    for name in classes:
        texts = classes[name] if isinstance(classes, Mapping) else (name,)
        for text in texts:
            yield (f"class {name!r}" if text == name else f"class {name!r}, text {text!r}"), text


def _templates(templates: list[str]) -> Iterator[Finding]:
    for template in templates:
        try:
            check_template(template, "the template")
        except PromptError as error:
            yield Finding(kind="template", where=f"template {template!r}", message=str(error))
    yield from _whitespace((f"template {t!r}", t) for t in templates)
    yield from _duplicates(templates, "template")


def _whitespace(pairs: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    for where, text in pairs:
        tidy = " ".join(text.split())
        if not tidy:
            yield Finding(kind="whitespace", where=where, message="nothing to read in it.")
        elif tidy != text:
            yield Finding(kind="whitespace", where=where, message=f"odd white space; it should be {tidy!r}.")


def _duplicates(items: list[str], what: str) -> Iterator[Finding]:
    places = defaultdict(list)
    for i, item in enumerate(items):
        places[item].append(i)
    follows = {
        "class": "their scores are equal, and the first always wins",
        "template": "it counts that many times in the mean",
    }
    for item, at in places.items():
        if len(at) > 1:
            message = f"there {len(at)} times (entries {', '.join(map(str, at))}, counted from 0): {follows[what]}."
            yield Finding(kind="duplicate", where=f"{what} {item!r}", message=message)


def _unknown(pairs: list[tuple[str, str]], templates: list[str], tokenizer: Explains) -> Iterator[Finding]:
    bare = [(f"template {t!r}", t.replace("{}", " ")) for t in templates]
    for where, text in [*bare, *pairs]:
        unknown = tokenizer.explain(text).unknown
        if unknown:
            words = ", ".join(map(repr, unknown))
            yield Finding(kind="unknown-token", where=where, message=f"the vocabulary has no piece for {words}.")


def _tokens(pairs: list[tuple[str, str]], templates: list[str], tokenizer: Explains) -> Iterator[Finding]:
    alike: dict[tuple[tuple[int, ...], ...], dict[str, str]] = defaultdict(dict)
    for where, text in pairs:
        prompted = [(t, tokenizer.explain(t.replace("{}", text))) for t in templates or ["{}"]]
        for template, explained in prompted:
            if explained.cut_text:
                message = f"longer than {tokenizer.context_length} tokens; cut off: {explained.cut_text!r}."
                yield Finding(kind="truncated", where=f"{where} in {template!r}", message=message)
        alike[tuple(explained.ids for _, explained in prompted)].setdefault(text, where)
    for same in alike.values():
        if len(same) > 1:
            first, *others = same.values()
            message = f"becomes the same tokens as {', '.join(others)} in every prompt; the model sees no difference."
            yield Finding(kind="same-tokens", where=first, message=message)
