"""The command `lit`, and `python -m lit`."""

import sys


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    try:
        from lit.cli.run import run

        code = run()
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
