"""Messages for people, on standard error."""

import re

import click


def say(message: str) -> None:
    """One line on standard error, whatever the message contains."""
    click.echo("lit: " + re.sub(r"\s*[\r\n]\s*", " ", message.strip()), err=True)
