"""Speed of a training step, side by side in one run: lit against open_clip's on torch, with the same towers and batch.

    python eval/speed_train.py [--precision float32] [--rounds 9] [-o eval/results/speed_train.json]

Contenders take turns, round after round; ratios are medians over rounds of paired times.  `huge pages` is lit with
GLIBC_TUNABLES=glibc.malloc.hugetlb=1, which a user can set before `lit train` on Linux.  The share outside the tower
is that of loss, optimizer and input in lit's whole step.  The first run sets up the peers in `.venvs/speed-peers`.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from speed import ENVIRONMENT, HERE, REQUIREMENTS, Worker, faster, machine, race
from speed_environment import prepared
from speed_train_contenders import PRECISIONS, TOKENS, TOWERS

SCRIPT = "speed_train_contenders.py"
HUGE = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


class Renamed:
    """A worker whose contenders go by another name."""

    def __init__(self, worker, suffix):
        self._worker, self._suffix = worker, suffix

    def time(self, name, batch, repeats):
        """As the worker's."""
        return self._worker.time(name.removesuffix(self._suffix), batch, repeats)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", choices=PRECISIONS, action="append", help="both by default")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("-o", "--output", type=Path, default=HERE / "results" / "speed_train.json")
    args = parser.parse_args()
    results = {"machine": machine(), "rounds": args.rounds, "tokens": TOKENS}
    if results["machine"]["load"] > 0.5:
        print("The machine is busy: OpenMP, and so torch, suffers more from that than the others.", file=sys.stderr)
    ours, theirs = Worker(sys.executable, SCRIPT), Worker(prepared(ENVIRONMENT, REQUIREMENTS), SCRIPT)
    huge = Renamed(Worker(sys.executable, SCRIPT, HUGE), ", huge pages")
    results["versions"] = theirs.versions | ours.versions
    for precision in args.precision or PRECISIONS:
        for tower, (_, pairs) in TOWERS.items():
            lit, alone, peer = (f"{tower}: {who} {precision}" for who in ("lit", "tower alone", "open_clip"))
            workers = {lit: ours, f"{lit}, huge pages": huge, alone: ours, peer: theirs}
            times = race(workers, list(workers), pairs, args.rounds, seconds=0.1)
            rates = {name: pairs / statistics.median(t) for name, t in times.items()}
            ratios = {name: faster(t, times[peer]) for name, t in times.items() if name != alone}
            outside = 1 - statistics.median(a / b for a, b in zip(times[alone], times[lit], strict=True))
            print(
                f"\n{tower}, {precision}, {pairs} pairs of {TOKENS} tokens: pairs a second, and relative to open_clip"
            )
            for name, rate in rates.items():
                print(f"  {name.split(': ')[1]:32} {rate:8.1f} {f'{ratios[name]:7.2f} x' if name in ratios else ''}")
            print(f"  outside the tower: {outside:.1%} of the step")
            results[f"{tower} {precision}"] = {
                "pairs": pairs, "pairs_per_second": rates, "relative_to_open_clip": ratios,
                "share_outside_the_tower": outside, "seconds": times,
            }  # fmt: skip
            args.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
