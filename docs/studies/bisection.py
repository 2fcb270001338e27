"""Measure how often bisect finds the right commit: ``bisection.py simulate|live``; why.md has the results.

``simulate`` searches lines of 64 commits, one of which makes a case slower, with the noise that gate.py simulates, and
the package's own search; it takes minutes on all cores. ``live`` makes such a line in a temporary clone, with a wait, a
loss of accuracy or another program in the trainers from one commit on, and runs ``bisect`` on it; a search by time
takes ten minutes or more, and nothing else may run meanwhile.
"""

import argparse
import json
import random
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from math import expm1, log1p
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import gate
import numpy as np
from tabulate import tabulate

from autoenc_bench.live import bisection, points
from autoenc_bench.live.bisection import Answer
from autoenc_bench.verdicts import limits
from autoenc_bench.verdicts.comparison import ALPHAS, CHANGES, Outcome
from autoenc_bench.verdicts.interim import SequentialComparison

COMMITS = 64
GROUPS = 12  # of pairs, in the time of one comparison


def simulate(slowdown, seed):
    """Search one line of commits; return how the search ended, and how many groups of pairs it took."""
    random = np.random.default_rng([seed, round(1e4 * slowdown)])
    culprit = int(random.integers(1, COMMITS))
    process, flicker = random.uniform(*gate.PROCESSES), random.choice(list(gate.FLICKER))
    used = 0

    def compare(base, head, limit):
        nonlocal used
        change = log1p(slowdown) * ((head >= culprit) - (base >= culprit))
        for _ in range(2):  # an undecided comparison is repeated
            pairs = [[gate.pair(random, process, flicker, expm1(change)) for _ in range(2 * GROUPS)]]
            records = gate.side(pairs, 0), gate.side(pairs, 1)
            sequence = SequentialComparison(limits.parse([f"time:{100 * limit:.6f}%"] if limit else [], ()))
            for groups in range(1, GROUPS + 1):
                (verdict,) = gate.analyse(sequence, records, groups, GROUPS)
                if sequence.closed:
                    break
            used += groups
            if verdict.time.outcome is not Outcome.UNDECIDED:
                break
        answers = {Outcome.UNCHANGED: Answer.SAME, **dict.fromkeys(CHANGES, Answer.CHANGED)}
        return answers.get(verdict.time.outcome, Answer.UNKNOWN), verdict.time.interval.estimate

    answer, size = compare(0, COMMITS - 1, None)
    if answer is not Answer.CHANGED:
        return "no change between the ends", used
    limit = expm1(abs(size) / 2)
    with points.repository_of([str(number) for number in range(COMMITS)]) as (folder, named):
        commits = list(named)
        answers = []

        def ask(commit):
            answers.append(compare(0, int(named[commit]), limit)[0])
            return answers[-1]

        suspects = [int(named[commit]) for commit in bisection.search(folder, commits[0], commits[-1], ask)]
    if len(suspects) > 1:
        return "several, the right one among them" if culprit in suspects else "several, all wrong", used
    if compare(suspects[0] - 1, suspects[0], limit)[0] is not Answer.CHANGED:
        return "not confirmed", used
    sure = 1 - ALPHAS["time"] * (len(answers) + 1)
    return f"{'right' if suspects == [culprit] else 'wrong'}, {sure:.0%} sure", used


def simulations(times, slowdowns):
    """Print how simulated searches end."""
    rows = []
    with ProcessPoolExecutor() as pool:
        for slowdown in slowdowns:
            ended = list(pool.map(partial(simulate, slowdown), range(times), chunksize=5))
            numbers = Counter(how for how, _ in ended)
            rows.append((f"{slowdown:.0%}", times, gate.listed(numbers), np.median([used for _, used in ended])))
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    print(tabulate(rows, ("slowdown", "searches", "ended", "groups of pairs, median"), tablefmt="github"))


ERROR = ("self.optimizer = keras.optimizers.Adam()", "self.optimizer = keras.optimizers.Adam(0.0005)")
PROGRAM = (
    "            value = loss(batch, model(batch, training=True))\n",
    "            value = loss(batch, model(batch * 1.0000001, training=True))\n",
)
LIVE = {  # the case to follow, and pytest's options, by what changes
    "time": ("epoch[crude-simple-fused]", ()),
    "error": ("experiment[digits-fused]", ("--scale", "notebook")),
    "counts": ("epoch[digits-fused]", ("--scale", "smoke")),
}


def live(follow, times, kept):
    """Search lines with a culprit, as far as ``kept`` lacks the results; print how the searches ended."""
    rows = [json.loads(row) for row in kept.read_text().splitlines()] if kept.exists() else []
    done = sum(row["follow"] == follow for row in rows)
    for number in range(done, times):
        with TemporaryDirectory() as temporary:
            clone = gate.clone(Path(temporary))
            culprit, place = line(clone, follow, random.Random(number).randrange(1, COMMITS))
            case, selection = LIVE[follow]
            command = ("bisect", f"HEAD~{COMMITS - 1}", "HEAD", "--follow", follow, "--", case, *selection)
            began = perf_counter()
            ended = subprocess.run(
                [sys.executable, "-m", "autoenc_bench.cli", *command], cwd=clone, capture_output=True, text=True
            )
            named = re.search(r"^since (\w+)", ended.stdout, re.MULTILINE)
            row = {
                "follow": follow,
                "injected": place,
                "right": bool(named and culprit.startswith(named[1])),
                "status": ended.returncode,
                "seconds": round(perf_counter() - began),
                "stdout": ended.stdout.splitlines(),
                "stderr": ended.stderr.splitlines(),
            }
            rows.append(row)
            with kept.open("a") as file:
                print(json.dumps(row), file=file)
            print(*row["stderr"], *row["stdout"], row, sep="\n", file=sys.stderr, flush=True)
    table = [(row["follow"], row["injected"], row["status"], row["right"], row["seconds"]) for row in rows]
    print(tabulate(table, ("followed", "injected at", "status", "right", "seconds"), tablefmt="github"))


def line(clone, follow, place):
    """Commit a line of changes without an effect, and a culprit at its place; return its commit, and its number."""
    culprit = ""
    for number in range(COMMITS):
        package = clone / "autoenc_bench" / "core" / "seeds.py"
        package.write_text(f"{package.read_text()}\n# {number}\n")
        if number == place:
            inject(clone, follow)
        gate.git(clone, *gate.AUTHOR, "commit", "--quiet", "--all", "--message", f"Change {number}")
        if number == place:
            culprit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=clone, text=True).strip()
    return culprit, place


def inject(clone, follow):
    """Make training slower by 5 %, less accurate, or another program."""
    if follow == "time":
        gate.slow_down(clone, 0.05)
        return
    file, (old, new) = {"error": ("core/training.py", ERROR), "counts": ("backends/adam_step.py", PROGRAM)}[follow]
    path = clone / "autoenc_bench" / file
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new))


def main():
    """Run one study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=("simulate", "live"))
    parser.add_argument("--times", type=int, default=None, help="default: 1000 simulated, 10 live")
    parser.add_argument(
        "--slowdowns", type=float, nargs="*", default=[0.05, 0.1], help="to simulate (default: 0.05 0.1)"
    )
    parser.add_argument("--follow", choices=LIVE, default="time", help="what changes live (default: %(default)s)")
    parser.add_argument("--kept", type=Path, default=Path("bisect.jsonl"), help="live results (default: %(default)s)")
    options = parser.parse_args()
    if options.study == "simulate":
        simulations(options.times or 1000, options.slowdowns)
    else:
        live(options.follow, options.times or 10, options.kept)


if __name__ == "__main__":
    main()
