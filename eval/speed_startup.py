"""How long commands take from process start to end, and how much memory they hold at most."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PHOTO = Path(__file__).parent / "demo" / "photos" / "coffee.jpg"
CLASSIFY = ["-m", "lit", "classify", str(PHOTO), "--class", "cup of coffee", "--class", "cat", "--class", "boat"]
COMMANDS = {
    "python": ["-c", "pass"],
    "import lit": ["-c", "import lit"],
    "lit --help": ["-m", "lit", "--help"],
    "lit classify, second call": CLASSIFY,
}


def run(arguments, environment):
    """Seconds from start to end, and the most memory held (MiB)."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(arguments)} ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def startup(rounds):
    """Medians over rounds; `lit classify` has a cache of its own, which a first call fills."""
    runs = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "LIT_CACHE": cache}
        first = [run(CLASSIFY, environment)]
        for _ in range(rounds):
            for name, arguments in COMMANDS.items():
                runs[name].append(run(arguments, environment))
    rows = {**runs, "lit classify, first call": first}
    rows = {
        n: {"seconds": statistics.median(s for s, _ in r), "peak_mib": max(m for _, m in r)} for n, r in rows.items()
    }
    print("\nstart-up: seconds, seconds more than bare Python, peak MiB")
    for name, row in rows.items():
        more = row["seconds"] - rows["python"]["seconds"]
        print(f"  {name:26} {row['seconds']:6.2f} {more:6.2f} {row['peak_mib']:6.0f}")
    return rows
