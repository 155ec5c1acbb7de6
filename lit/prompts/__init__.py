"""Prompts and class names: the words of zero-shot classification.  No JAX in here.

`prompts/` at the top level of the repository holds the published lists, one entry per line; its README.md describes the
format.  A list of your own is a path.
"""

from lit.prompts.canonical import canonicalize as canonicalize
from lit.prompts.classes import class_lists as class_lists
from lit.prompts.classes import load_classes as load_classes
from lit.prompts.lint import Finding as Finding
from lit.prompts.lint import lint_prompts as lint_prompts
from lit.prompts.prompt_set import PromptSet as PromptSet
from lit.prompts.prompt_set import prompt_sets as prompt_sets
