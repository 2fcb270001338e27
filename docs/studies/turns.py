"""Compare three ways to measure two revisions: ``python docs/studies/turns.py``; gate.md has the results.

Interleaved: ``continuous`` runs pairs of processes whose rounds alternate on one core. One by one: pytest runs process
after process, base, head, head, base. Duet: pytest runs the two processes of a pair at once, on a core each. The table
shows how far the estimates of the pairs spread, how long the rounds of a pair took, and the smallest change that three
minutes of rounds would show. ``--busy`` keeps a neighbour at work on the other core. ``--injected`` makes the head wait
for a share of each epoch. The script continues where it was stopped; let nothing else run.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import gate
import numpy as np
from tabulate import tabulate

from autoenc_bench import read_record

CASES = ["-k", "epoch and fused", *(f"--experiment={name}" for name in ("crude-simple", "crude-complex", "mnist"))]
ERRORS = 4.0  # about the standard errors that an interval needs, with few pairs and several cases
MINUTES = 3


def measure(clone: Path, head: str, number: int) -> Iterator[dict]:
    """Measure two pairs one by one and in a duet, and some interleaved; yield a row for each case, way and pair."""
    sides = {}
    for side, revision in (("base", "origin/HEAD"), ("head", head)):
        sides[side] = clone.parent / f"{side}-{number}"
        gate.git(clone, "worktree", "add", "--quiet", "--detach", str(sides[side]), revision)
    cores = gate.cores()
    for pair in (("base", "head"), ("head", "base")):
        in_turn = {side: wait(start(sides[side], cores[-1])) for side in pair}
        yield from rows("one by one", in_turn["base"], in_turn["head"])
        processes = {side: start(sides[side], core) for side, core in zip(pair, (cores[0], cores[-1]), strict=True)}
        at_once = {side: wait(process) for side, process in processes.items()}
        yield from rows("duet", at_once["base"], at_once["head"])
    command = ["continuous", "origin/HEAD", head, "--budget", f"{MINUTES}m", "--", *CASES]
    before = {*clone.rglob("*.json")}
    subprocess.run([sys.executable, "-m", "autoenc_bench.cli", *command], cwd=clone, stdout=subprocess.DEVNULL)
    records = [read_record(path).record for path in sorted({*clone.rglob("*.json")} - before)]
    pairs = {(run.autoenc.pair, run.autoenc.side): times(run) for run in records if run.autoenc and run.autoenc.pair}
    for pair in sorted({pair for pair, _ in pairs}):
        yield from rows("interleaved", pairs[pair, "base"], pairs[pair, "head"])


def start(folder: Path, core: int) -> tuple[subprocess.Popen, Path]:
    """Start the suite on a core; return the process, and the folder that its record will be in."""
    store = Path(mkdtemp(dir=folder))
    options = ["--no-report", "--no-roofs", "--benchmark-save=study", f"--benchmark-storage=file://{store}"]
    command = ["taskset", "-c", str(core), sys.executable, "-m", "pytest", "-q", "benchmarks/", *CASES, *options]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL), store


def wait(started: tuple[subprocess.Popen, Path]) -> dict[str, np.ndarray]:
    """Wait for a process; return the rounds of its cases."""
    process, store = started
    assert process.wait() == 0, f"pytest failed in {store.parent}"
    (path,) = store.rglob("*.json")
    return times(read_record(path).record)


def times(record) -> dict[str, np.ndarray]:
    """Return the seconds of each case's rounds."""
    return {one.name.removeprefix("test_"): np.array(one.stats.data) for one in record.benchmarks}


def rows(way: str, base: dict[str, np.ndarray], head: dict[str, np.ndarray]) -> Iterator[dict]:
    """Yield each case's estimate of the change, and the seconds that the pair's rounds took."""
    for case in base.keys() & head.keys():
        if way == "one by one":
            estimate = np.log(np.median(head[case]) / np.median(base[case]))
        else:
            estimate = np.median(np.log(head[case] / base[case]))  # round by round
        both = base[case].sum(), head[case].sum()
        seconds = max(both) if way == "duet" else sum(both)
        yield {"case": case, "way": way, "estimate": float(estimate), "seconds": float(seconds)}


def main() -> None:
    """Measure the groups that are missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=int, default=5, help="repetitions (default: %(default)s)")
    parser.add_argument("--injected", type=float, default=0.0, help="how much slower the head is (default: 0)")
    parser.add_argument("--busy", action="store_true", help="keep the other core busy")
    parser.add_argument("--kept", type=Path, default=Path("turns.jsonl"), help="the results (default: %(default)s)")
    options = parser.parse_args()
    setting = {"injected": options.injected, "busy": options.busy}
    known = [json.loads(line) for line in options.kept.read_text().splitlines()] if options.kept.exists() else []
    done = {row["group"] for row in known if setting.items() <= row.items()}
    with TemporaryDirectory() as temporary:
        clone = gate.clone(Path(temporary))
        gate.branch(clone, options.injected)
        with gate.neighbour("other" if options.busy else "none"):
            for number in sorted(set(range(1, options.groups + 1)) - done):
                group = {**setting, "group": number}
                measured = [{**group, **row} for row in measure(clone, gate.branch_name(options.injected), number)]
                known += measured
                with options.kept.open("a") as file:
                    file.writelines(json.dumps(row) + "\n" for row in measured)
    print(table(known))


def table(measured: list[dict]) -> str:
    """Return how far the pairs of each way spread, and the smallest change that this shows in a while."""
    lines = []

    def key(row: dict) -> tuple:
        return row["injected"], row["busy"], row["case"], row["way"]

    for (injected, busy, case, way), group in groupby(sorted(measured, key=key), key):
        estimates, seconds = np.transpose([(row["estimate"], row["seconds"]) for row in group])
        spread = estimates.std(ddof=1)
        smallest = ERRORS * spread / sqrt(60 * MINUTES / seconds.mean())
        mean = f"{np.expm1(estimates.mean()):+.1%}"
        shares = f"{spread:.1%}", f"{seconds.mean():.1f}", f"{smallest:.1%}"
        lines.append((case, way, f"{injected:.0%}", "busy" if busy else "none", mean, *shares))
    headers = ("case", "way", "injected", "neighbour", "mean", "spread of pairs", "s a pair", f"{MINUTES} min show")
    return tabulate(lines, headers, tablefmt="github")


if __name__ == "__main__":
    main()
