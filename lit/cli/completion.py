"""`lit completion`: the script that teaches a shell to complete lit's commands, options and names."""

import click
from click.shell_completion import CompletionItem, get_completion_class

from lit.cli.help import HelpfulCommand
from lit.errors import LitError


@click.command(
    cls=HelpfulCommand,
    examples=(
        ('eval "$(lit completion bash)"', "in ~/.bashrc"),
        ('eval "$(lit completion zsh)"', "in ~/.zshrc"),
        ("lit completion fish | source", "in ~/.config/fish/config.fish"),
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    It completes commands, options, and the names of models, prompts and class lists.
    """
    kind = get_completion_class(shell)
    assert kind is not None, shell
    script = kind(context.find_root().command, {}, "lit", "_LIT_COMPLETE")
    click.echo(script.source_template % script.source_vars())


class NameOrPath(click.ParamType):
    """Completes to known names and to paths; what it is in the end, the library says.

    Args:
      kind: "models", "suites", or the folder of `prompts/` whose files have the names ("classes", "templates").
    """

    name = "text"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Names that begin so; the shell adds paths."""
        try:
            names = _names(self.kind)
        except LitError:
            names = []
        fits = [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return fits or [CompletionItem(incomplete, type="dir" if self.kind == "models" else "file")]


def _names(kind: str) -> list[str]:
    if kind == "models":
        from lit import zoo

        return list(zoo.names())
    from lit import resources

    if kind == "suites":
        return sorted(path.stem for path in resources.directory("suites").glob("*.toml"))

    return sorted(path.stem for path in (resources.directory("prompts") / kind).glob("*.txt"))
