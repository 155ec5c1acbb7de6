"""Speed, side by side in one run: towers against bare JAX and other libraries; pixels; start-up.

    python eval/speed.py [towers] [texts] [pixels] [startup] [--quick] [-o eval/results/speed.json]

Contenders take turns, round after round, so that whatever else the machine does meets all of them alike; read the
ratios, which are medians over rounds of paired times.  The first run sets up the peers in `.venvs/speed-peers`.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from speed_contenders import OURS, PEERS
from speed_environment import prepared
from speed_startup import startup

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE.parent / ".venvs" / "speed-peers"
REQUIREMENTS = ["torch==2.13.0", "torchvision==0.28.0", "open_clip_torch==3.3.0", "transformers==5.23.0"]
SECTIONS = ("towers", "texts", "pixels", "startup")
#: Section -> prefix of its contenders, batch sizes.
TOWERS = {"towers": ("images", (1, 8)), "texts": ("texts", (1, 64))}
#: The best of these, over that, at least; image tower, batch 8.
RATIOS = [
    (("lit float32", "lit openvino float32"), "open_clip float32", 1.0),
    (("lit bfloat16", "lit openvino bfloat16"), "open_clip bfloat16", 1.0),
    (("lit bfloat16",), "lit float32", 3.0),
    (("lit float32",), "bare jnp float32", 0.95),
    (("lit bfloat16",), "bare jnp bfloat16", 0.95),
]
#: Seconds more than bare Python, at most.
SECONDS = {"import lit": 0.15, "lit --help": 0.4, "lit classify, second call": 4.0}


class Worker:
    """A process with one environment's contenders; idle while another works."""

    def __init__(self, python, script="speed_contenders.py", environment=None):
        command = [str(python), str(HERE / script)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | (environment or {})
        )
        self.versions = json.loads(self.process.stdout.readline())

    def time(self, name, batch, repeats):
        """Seconds of each call."""
        print(json.dumps({"name": name, "batch": batch, "repeats": repeats}), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        return json.loads(answer) if answer else sys.exit(f"the worker ended while it ran {name}; see above.")


def race(workers, names, batch, rounds, seconds=0.8):
    """Median seconds of every round, by contender; they alternate."""
    repeats = {n: max(1, round(seconds / min(workers[n].time(n, batch, 3)))) for n in names}
    times = {n: [] for n in names}
    for _ in range(rounds):
        for n in names:
            times[n].append(statistics.median(workers[n].time(n, batch, repeats[n])))
            time.sleep(0.05)  # A thread pool may spin a little after its work.
    return times


def faster(times, reference):
    """How many times as fast as the reference: the median over rounds."""
    return statistics.median(b / a for a, b in zip(times, reference, strict=True))


def towers(section, workers, rounds):
    (prefix, batches), out = TOWERS[section], {}
    for batch in batches:
        names = [n for n in workers if n.startswith(prefix)]
        times = {n.split(": ")[1]: t for n, t in race(workers, names, batch, rounds).items()}
        print(f"\n{prefix}, batch {batch}: a second (median, best), and relative to lit float32")
        for n, t in times.items():
            rates = f"{batch / statistics.median(t):8.1f} {batch / min(t):8.1f}"
            print(f"  {n:24} {rates} {faster(t, times['lit float32']):7.2f} x")
        out[str(batch)] = times
    return out


def pixels(rounds):
    """`speed_pixels.py`, which has an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        script, out = str(HERE / "speed_pixels.py"), Path(folder, "out.json")
        subprocess.run([sys.executable, script, "--rounds", str(18 * rounds), "-o", str(out)], check=True)
        return json.loads(out.read_text())


def targets(results):
    """What was aimed at, what came of it."""
    rows = []
    for candidates, reference, least in RATIOS if "towers" in results else ():
        times = results["towers"]["8"]
        ratios = {n: faster(times[n], times[reference]) for n in candidates}
        best = max(ratios, key=ratios.__getitem__)
        rows.append(
            (f"image tower, batch 8: {best} over {reference}", ratios[best], f">= {least}", ratios[best] >= least)
        )
    for size, row in results.get("pixels", {}).items():
        if isinstance(row, dict):
            ratio = row["processor"]["ratio"]
            rows.append((f"pixels, {size}: lit over tensorflow", ratio, ">= 1", ratio >= 1))
    if "startup" in results:
        runs = results["startup"]
        for name, most in SECONDS.items():
            more = runs[name]["seconds"] - runs["python"]["seconds"]
            rows.append((f"{name}: seconds more than bare Python", more, f"< {most}", more < most))
        peak = max(row["peak_mib"] for row in runs.values())
        rows.append(("start-up: peak MiB", peak, "< 1000", peak < 1000))
    print()
    for what, value, target, holds in rows:
        print(f"{'holds' if holds else 'FAILS'}: {what}: {value:.2f} ({target})")
    return [dict(zip(("what", "value", "target", "holds"), row, strict=True)) for row in rows]


def machine():
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = next(
        (line.split(": ")[1] for line in info.splitlines() if line.startswith("model name")), platform.machine()
    )
    versions = {"python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    return {"processor": model, "amx_bf16": "amx_bf16" in info, **versions}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="3 rounds rather than 11")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "results" / "speed.json")
    args = parser.parse_args()
    sections, rounds = args.sections or SECTIONS, 3 if args.quick else 11
    if unknown := set(sections) - set(SECTIONS):
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    results = {"machine": machine(), "rounds": rounds}
    if results["machine"]["load"] > 0.5:
        print("The machine is busy: OpenMP, and so torch, suffers more from that than the others.", file=sys.stderr)
    if set(sections) & set(TOWERS):
        ours, theirs = Worker(sys.executable), Worker(prepared(ENVIRONMENT, REQUIREMENTS))
        results["versions"] = theirs.versions | ours.versions
        workers = dict.fromkeys(OURS, ours) | dict.fromkeys(PEERS, theirs)
        results |= {section: towers(section, workers, rounds) for section in TOWERS if section in sections}
    if "pixels" in sections:
        results["pixels"] = pixels(rounds)
    if "startup" in sections:
        results["startup"] = startup(rounds)
    results["targets"] = targets(results)
    args.output.parent.mkdir(exist_ok=True)
    args.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
