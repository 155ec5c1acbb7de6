"""`lit lint-prompts`: what a model would stumble over in class names and prompts."""

import dataclasses
from pathlib import Path

import click

from lit.cli.completion import NameOrPath
from lit.cli.explain import open_tokenizer
from lit.cli.help import HelpfulCommand
from lit.cli.model_options import tokenizer_options
from lit.cli.output import emit, emit_json, emit_row, for_people
from lit.cli.say import say


@click.command(
    "lint-prompts",
    cls=HelpfulCommand,
    examples=(
        ("lit lint-prompts words.txt", "your classes, for the embedded model"),
        ("lit lint-prompts imagenet --model LiT-L16L", "as a released model cuts them"),
        ("lit lint-prompts words.txt --prompts mine.txt", "with your own prompts"),
    ),
)
@click.argument("classes", type=NameOrPath("classes"), metavar="NAME|FILE")
@click.option("--prompts", type=NameOrPath("templates"), default="clip-best", show_default=True, metavar="NAME|FILE",
              help="The sentences around each class.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a finding, for programs.")
@tokenizer_options
def lint_prompts(
    classes: str, prompts: str, as_json: bool, model: str | None, vocab: Path | None, offline: bool
) -> int:
    """Look through a list of classes for trouble.

    Finds duplicates, odd white space, words without a piece in the vocabulary, prompts that are cut off at the context
    length, and classes that become the same tokens. The exit code is 1 if there is anything.
    """
    from lit import prompts as lists

    names, sentences = lists.load_classes(classes), lists.PromptSet.load(prompts)
    findings = lists.lint_prompts(names, sentences, open_tokenizer(model, vocab=vocab, offline=offline))
    for finding in findings:
        if as_json:
            emit_json(dataclasses.asdict(finding))
        elif for_people():
            emit(str(finding))
        else:
            emit_row(finding.kind, finding.where, finding.message)
    say(f"classes: {len(names)}, prompts: {len(sentences.templates)}, findings: {len(findings)}")
    return 1 if findings else 0
