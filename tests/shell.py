"""The real command line in a process of its own, for tests."""

import dataclasses
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image


@dataclasses.dataclass(frozen=True)
class Shell:
    """Runs `lit` in a folder, with a cache of its own.

    Attributes:
      cwd: where it runs.
      env: its environment.
    """

    cwd: Path
    env: dict[str, str]

    def __call__(self, *arguments, **options):
        """Runs to the end; the outcome has `returncode`, `stdout` and `stderr`."""
        settings = {"cwd": self.cwd, "env": self.env, "capture_output": True, "text": True, "timeout": 120}
        return subprocess.run(self.command(*arguments), **(settings | options))

    def start(self, *arguments):
        """Runs beside the test."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.command(*arguments), cwd=self.cwd, env=self.env, stdout=pipe, stderr=pipe, text=True
        )

    def command(self, *arguments):
        """The words of the command."""
        return [sys.executable, "-m", "lit", *map(str, arguments)]

    def files(self):
        """What lies in the folder, hidden files included."""
        return sorted(str(p.relative_to(self.cwd)) for p in self.cwd.rglob("*") if p.is_file())


def save_picture(path, rng, side=40):
    """A picture of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.integers(0, 256, (side, side + 8, 3), dtype=np.uint8)).save(path)


def in_a_terminal(lit, *arguments, **env):
    """Runs with a terminal on standard output; returns what it shows."""
    reader, writer = pty.openpty()
    process = subprocess.Popen(
        lit.command(*arguments),
        cwd=lit.cwd,
        env=lit.env | {"TERM": "xterm-256color"} | env,
        stdout=writer,
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    shown = b""
    while True:
        try:
            part = os.read(reader, 1 << 16)
        except OSError:
            break
        if not part:
            break
        shown += part
    assert process.wait(60) == 0
    os.close(reader)
    return shown.decode().replace("\r\n", "\n")
