"""A set of prompts: sentences with a place for the class name."""

import dataclasses
from pathlib import Path

from lit.errors import PromptError
from lit.prompts import lists
from lit.prompts.canonical import canonicalize as canonical


@dataclasses.dataclass(frozen=True, kw_only=True)
class PromptSet:
    """Prompts that are used together; a class's embedding is the mean over all of them.

    Attributes:
      name: as published ("clip-best"), or your own.
      templates: each holds exactly one `{}`, where the class name goes; other braces are ordinary characters.
      source: where the prompts were published.
      licence: theirs.

    Raises:
      PromptError: there is no template, or one without exactly one `{}`.
    """

    name: str
    templates: tuple[str, ...]
    source: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.templates, str):
            raise PromptError(
                f"prompt set {self.name!r}: the templates are one string; give a list: [{self.templates!r}]."
            )
        object.__setattr__(self, "templates", tuple(self.templates))
        if not self.templates:
            raise PromptError(
                f"prompt set {self.name!r} is empty; give at least one template, such as 'a photo of a {{}}.'."
            )
        for i, template in enumerate(self.templates, 1):
            check_template(template, f"prompt set {self.name!r}, template {i} of {len(self.templates)}")

    @classmethod
    def load(cls, name_or_path: str | Path) -> "PromptSet":
        """Loads a published set by name, or your own from a text file with one template per line.

        Raises:
          UnknownNameError: no such set.
          PromptError: the file cannot be read, is empty, or holds a template without exactly one `{}`; the message
            says in which line.
        """
        path = lists.find(name_or_path, folder="templates", kind="prompt set")
        found = lists.read(path)
        for line, template in found.entries:
            check_template(template, f"{found.path}, line {line}")
        templates = tuple(template for _, template in found.entries)
        return cls(name=found.name, templates=templates, source=found.source, licence=found.licence)

    def format(self, class_name: str, *, canonicalize: bool = False) -> list[str]:
        """The class name in every template, in order.

        Args:
          class_name: inserted as it is, braces included.
          canonicalize: give class name and templates the plain spelling first (see `lit.canonicalize`).
        """
        if canonicalize:
            class_name = canonical(class_name)
            return [canonical(t, keep="{}").replace("{}", class_name) for t in self.templates]
        return [t.replace("{}", class_name) for t in self.templates]


def prompt_sets() -> tuple[str, ...]:
    """The names of the published prompt sets."""
    return tuple(lists.packaged("templates"))


def check_template(template: object, where: str) -> None:
    """Raises PromptError, which says where, unless this is a string with exactly one `{}`."""
    if not isinstance(template, str):
        raise PromptError(f"{where} is {template!r}; a template is a string with one {{}}.")
    found = template.count("{}")
    if found != 1:
        how_many = "no" if not found else str(found)
        raise PromptError(
            f"{where}: {template!r} has {how_many} {{}}; it needs exactly one {{}}, where the class name goes."
        )
