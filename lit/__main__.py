"""The command `lit`, and `python -m lit`."""

import contextlib
import os
import signal
import sys


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    try:
        from lit.cli.run import run

        code = run()
        # The work is done: a Ctrl-C that comes while Python tidies up must not turn success into a killed process.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        code = 130
    if code == 130:
        # Ctrl-C may come while JAX is half imported, and then Python crashes as it tidies up.  All of ours is tidy.
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
