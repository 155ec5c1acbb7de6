"""One run of the command line: what every command shares around it, from signals to exit codes."""

import _thread
import logging
import os
import sys
import threading
import warnings
from collections.abc import Sequence
from typing import Any

import click

from lit.cli.commands import lit
from lit.cli.say import say
from lit.errors import LitError


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code of the process.

    Args:
      arguments: as after the word `lit`; None takes them from the process.
    """
    _hush_third_parties()
    sys.unraisablehook = _keep_ctrl_c
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # pyright: ignore[reportAttributeAccessIssue]
    try:
        code = lit.main(arguments, prog_name="lit", complete_var="_LIT_COMPLETE", standalone_mode=False)
    except LitError as error:
        say(f"error: {error}")
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort as abort:
        # click made it from Ctrl-C; a command may have said with it what is kept.
        say("; ".join(["stopped", *map(str, abort.__cause__.args if abort.__cause__ else ())]) + ".")
        return 130
    return code if isinstance(code, int) else 0


def _hush_third_parties() -> None:
    """Warnings of libraries are for developers (`python -W default -m lit` shows them); lit's own are for the user."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    # XLA writes to the process's standard error by itself; 3 leaves fatal errors.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger().addHandler(logging.NullHandler())
    own = logging.getLogger("lit")
    if not own.handlers:
        own.addHandler(_ToTheUser(logging.WARNING))
        own.propagate = False


def _keep_ctrl_c(found: Any) -> None:
    """Python drops what is raised in a callback of its garbage collector, Ctrl-C too; that one is sent again."""
    if issubclass(found.exc_type, KeyboardInterrupt):
        threading.Timer(0.01, _thread.interrupt_main).start()
    else:
        sys.__unraisablehook__(found)


class _ToTheUser(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(f"{record.levelname.lower()}: {record.getMessage()}")
