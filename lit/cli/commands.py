"""The command `lit` itself: the list of its commands."""

import click

import lit as package
from lit.cli.classify import classify
from lit.cli.completion import completion
from lit.cli.embed import embed
from lit.cli.evaluate import evaluation
from lit.cli.explain import explain_text
from lit.cli.help import HelpfulGroup
from lit.cli.lint import lint_prompts
from lit.cli.models import models
from lit.cli.train import train


@click.group(
    cls=HelpfulGroup,
    examples=(
        ("lit classify cat.jpg", "what is in a picture"),
        ("lit classify *.jpg --class cat --class dog", "your own words"),
        ("lit embed photos/ -o photos.npz", "a folder of pictures as vectors"),
        ("lit eval cifar10 --data-dir DIR", "accuracy on a labelled dataset"),
        ("lit models", "what there is, and what is here"),
    ),
)
@click.version_option(package.__version__, message="%(prog)s %(version)s")
def lit() -> None:
    """Classify and embed pictures with words, without training.

    The embedded model needs no download. Results go to standard output, everything else to standard error.
    """


for command in (classify, embed, evaluation, explain_text, lint_prompts, models, train, completion):
    lit.add_command(command)
