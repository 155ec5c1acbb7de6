"""Help screens for people: examples first, the options that choose a model in a section of their own."""

from collections.abc import Sequence
from typing import Any

import click

Examples = Sequence[tuple[str, str]]


class ModelOption(click.Option):
    """An option that says which model runs, and how."""


class _WithExamples(click.Command):
    def __init__(self, *args: Any, examples: Examples = (), **kwargs: Any) -> None:
        kwargs["context_settings"] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        with formatter.section("Examples"):
            formatter.write_dl(list(self.examples), col_max=min(52, formatter.width - 26))


class HelpfulCommand(_WithExamples):
    """A command whose help shows examples, and model options apart."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Overrides click's single list."""
        params = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        ours = [p for p in params if isinstance(p, ModelOption)]
        for title, some in (("Options", [p for p in params if p not in ours]), ("Model", ours)):
            records = [record for p in some if (record := p.get_help_record(ctx))]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class HelpfulGroup(_WithExamples, click.Group):
    """The same for the list of commands, in the order in which they were added."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Overrides click's order: commands are what one looks for."""
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Overrides click's alphabetical order."""
        return list(self.commands)
