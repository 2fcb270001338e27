"""How far the gate can be trusted: ``python docs/studies/gate.py statistics|live|errors``. gate.md has the answers.

``statistics`` simulates suites with known changes, and drives the looks of ``continuous`` with them: minutes on all
cores. ``live`` measures real changes, planted in the trainer on branches of a temporary clone, with ``continuous``
itself: up to ``--budget`` each, one after another; let nothing else run. ``errors`` plants losses of accuracy, and
rounding that is none, and compares the records: half an hour.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from math import log1p, sqrt
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from tabulate import tabulate

from autoenc_bench.catalogue import limits
from autoenc_bench.catalogue.limits import Overrides
from autoenc_bench.gate import verdicts
from autoenc_bench.gate.verdicts import Outcome, sides, tables
from autoenc_bench.gate.verdicts.sequential import SequentialComparison
from autoenc_bench.records import loading, storage

ROOT = Path(__file__).parents[2]

# Simulated suites: what docs/studies/noise.md measured, and worse.
CASES, BLOCKS = 40, 10  # 20 runs a side
NOISE, SHARED = 0.03, 0.015  # between processes in all, and what of it is drift that all cases share
SLOW = 0.03  # share of runs that are slower by 5 % or much more


def suite(seed, slowdown):
    """Draw the logarithms of a suite's times, in the order A B B A: (runs, cases), with one case slower on the head."""
    random = np.random.default_rng(seed)
    runs = 4 * BLOCKS
    drift = np.cumsum(random.normal(0, 1, runs)) + random.normal() * np.arange(runs) / 4  # a walk, and a trend
    logs = SHARED * (drift / drift.std())[:, None] + random.normal(0, sqrt(NOISE**2 - SHARED**2), (runs, CASES))
    hit = random.random(logs.shape) < SLOW
    logs[hit] += np.minimum(0.05 + 0.1 * np.abs(random.standard_t(2, hit.sum())), 2)
    heads = np.tile([False, True, True, False], BLOCKS)
    logs[heads, 0] += log1p(slowdown)
    return logs[~heads], logs[heads]


def side(logs):
    """Make a side of these runs."""
    cases = {
        f"case {place}": sides.Observed(None, time=column.tolist(), referenced=column.tolist())
        for place, column in enumerate(logs.T)
    }
    return sides.Side([], sides.Surroundings(None, {"machine": "a machine"}), cases, {}, frozenset())


def simulate(seed, slowdown):
    """Look at one suite after each block, as ``continuous`` does; return (cases called slower, blocks that it took)."""
    base, head = suite(seed, slowdown)
    sequence = SequentialComparison(Overrides({}))
    for block in range(1, BLOCKS + 1):
        share = block / BLOCKS
        found = sequence.look(side(base[: 2 * block]), side(head[: 2 * block]), share, last=block == BLOCKS)
        if len(sequence.closed) == CASES:
            break
    worse = {verdict.case for verdict in found.verdicts if verdict.time.outcome is Outcome.REGRESSED}
    return worse, block


def statistics(suites, slowdowns):
    """Print how often suites with no change raise an alarm, and how often a slower case is found."""
    rows = []
    with ProcessPoolExecutor() as pool:
        for slowdown in slowdowns:
            seeds = [[int(1000 * slowdown), number] for number in range(suites)]
            ended = list(pool.map(simulate, seeds, repeat(slowdown), chunksize=10))
            found = sum("case 0" in worse for worse, _ in ended) if slowdown else None
            false = sum(bool(worse - {"case 0"} if slowdown else worse) for worse, _ in ended)
            rows.append((f"{slowdown:.0%}", suites, found, false, median(blocks for _, blocks in ended)))
            print(rows[-1], file=sys.stderr, flush=True)
    headers = ("slowdown of one case", "suites", "found", "with a false alarm", "blocks until all is decided, median")
    print(tabulate(rows, headers, tablefmt="github"))


# Measured live

EXPERIMENTS = ("crude-simple", "crude-complex", "mnist")
EPOCH = "losses = self._epoch(shuffle)\n"
WAIT = """            until = started + (1 + {share}) * (perf_counter() - started)
            while perf_counter() < until:
                pass
"""


def live(times, budget, shares):
    """Print what ``continuous`` said of each planted change, and how long it took."""
    rows = []
    with TemporaryDirectory() as temporary:
        clone = Path(temporary) / "clone"
        git(ROOT, "clone", "--quiet", str(ROOT), str(clone))
        for share in shares:
            branch(clone, share)
        for number in range(times):
            for share in shares:
                rows.append(measure(clone, share, budget))
                print(number + 1, *rows[-1], sep=" | ", file=sys.stderr, flush=True)
    rows.sort(key=lambda row: row[0])
    headers = ("planted", "status", "seconds", "runs", "regressed", "estimates of the epochs")
    print(tabulate(rows, headers, tablefmt="github", disable_numparse=True))


def branch(clone, share):
    """Make a branch whose fused trainer is slower by a share of each epoch."""
    git(clone, "checkout", "--quiet", "-B", name(share), "origin/HEAD")
    trainer = clone / "autoenc_bench" / "core" / "training.py"
    text = trainer.read_text()
    assert text.count(EPOCH) == 1
    if share:
        trainer.write_text(text.replace(EPOCH, EPOCH + WAIT.format(share=share)))
    author = ("-c", "user.name=Study", "-c", "user.email=study@example.org")
    git(clone, *author, "commit", "--quiet", "--all", "--allow-empty", "--message", f"Wait {share:.0%} longer")


def name(share):
    """Name the branch of a slowdown."""
    return f"slower-{share:.0%}".rstrip("%")


def measure(clone, share, budget):
    """Run ``continuous`` on a branch against where it began."""
    chosen = [option for experiment in EXPERIMENTS for option in ("--experiment", experiment)]
    command = [sys.executable, "-m", "autoenc_bench.cli", "continuous", "origin/HEAD", name(share), "--format", "json"]
    began = perf_counter()
    done = subprocess.run(
        [*command, "--budget", budget, "--", *chosen], cwd=clone, capture_output=True, text=True, check=False
    )
    seconds = perf_counter() - began
    if done.returncode == 2:
        return f"{share:.0%}", "2", f"{seconds:.0f}", "", done.stderr.strip().splitlines()[-1], ""
    verdicts = json.loads(done.stdout)["verdicts"]
    worse = [
        one["case"]
        for one in verdicts
        if "regressed" in {one[kind]["outcome"] for kind in ("time", "memory", "error") if one[kind]}
    ]
    epochs = [f"{one['time']['ratio'] - 1:+.1%}" for one in verdicts if one["case"].startswith("epoch")]
    runs = max(sum(one["time"]["runs"]) for one in verdicts)
    return f"{share:.0%}", str(done.returncode), f"{seconds:.0f}", str(runs), ", ".join(worse) or "–", ", ".join(epochs)


def git(folder, *arguments):
    """Let git do something in a folder."""
    subprocess.run(["git", *arguments], cwd=folder, check=True)


# Errors

LOSSES = (  # experiment, limit, plants that must be flagged
    ("mnist", "error:1%", ("fewer-epochs", "half-rate", "decoder-activation")),
    ("crude-simple", "error:0.3%", ("half-rate", "no-biases")),
)
ROUNDINGS = (
    *(("rounding", {"ROUNDING": str(order)}) for order in (1, 2, 3)),
    ("none", {"XLA_FLAGS": "--xla_cpu_enable_fast_math=true"}),
    ("none", {}),
)


def errors(seeds):
    """Print what the gate says of each planted loss of accuracy, and of rounding."""
    rows = []
    with TemporaryDirectory() as temporary:
        planted = [(plant, {}, experiment, limit) for experiment, limit, plants in LOSSES for plant in plants]
        planted += [
            (plant, variables, experiment, limit)
            for plant, variables in ROUNDINGS
            for experiment, limit in (*(found[:2] for found in LOSSES), ("crude-complex", "error:1%"))
        ]
        bases = {
            name: train(Path(temporary) / name, name, seeds, "none", {}) for name in {found[2] for found in planted}
        }
        for number, (plant, variables, experiment, limit) in enumerate(planted):
            head = train(Path(temporary) / str(number), experiment, seeds, plant, variables)
            found = verdicts.compare([bases[experiment]], [head], limits.parse([limit], [experiment])).verdicts[0].error
            words = " ".join([plant, *(f"{name}={value}" for name, value in variables.items())])
            rows.append((words, experiment, limit, tables.change(found), f"{found.outcome} {found.reason}".strip()))
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    print(tabulate(rows, ("planted", "experiment", "limit", "change", "error"), tablefmt="github"))


def train(folder, experiment, seeds, plant, variables):
    """Run a whole experiment with a plant (see plants.py); return its record."""
    options = ["-p", "plants", "-k", "experiment and fused", "--experiment", experiment, "--seeds", str(seeds)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "docs/studies"), "PLANT": plant, **variables}
    storage_option = f"--benchmark-storage=file://{folder}"
    subprocess.run(
        [sys.executable, "-m", "pytest", "benchmarks/", *options, "--no-report", "--no-roofs", storage_option],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return loading.read(storage.newest(folder), pictured=False)


def main():
    """Do one study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=("statistics", "live", "errors"))
    parser.add_argument("--suites", type=int, default=1000, help="to simulate (default: %(default)s)")
    parser.add_argument("--times", type=int, default=5, help="to measure each change live (default: %(default)s)")
    parser.add_argument("--budget", default="10m", help="of each live measurement (default: %(default)s)")
    parser.add_argument(
        "--slowdowns", type=float, nargs="*", default=[0, 0.1, 0.05], help="to plant (default: 0 0.1 0.05)"
    )
    parser.add_argument("--seeds", type=int, default=1, help="of the whole experiments (default: %(default)s)")
    chosen = parser.parse_args()
    if chosen.study == "statistics":
        statistics(chosen.suites, chosen.slowdowns)
    elif chosen.study == "live":
        live(chosen.times, chosen.budget, chosen.slowdowns)
    else:
        errors(chosen.seeds)


if __name__ == "__main__":
    main()
