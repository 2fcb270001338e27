"""How far the gate can be trusted: ``python docs/studies/gate.py statistics|live|errors``. gate.md has the answers.

``statistics`` simulates suites with known changes, and drives the looks of ``continuous`` with them: minutes on all
cores. ``live`` measures real changes, planted in the trainers on branches of a temporary clone, with ``continuous``
itself, one after another, for minutes each; let nothing else run but the neighbour that ``--beside`` starts. What is
planted differs in code, or ``--by`` a variable or a package. It keeps what it measured, and goes on from there.
``errors`` plants losses of accuracy, and rounding that is none, and compares the records: half an hour.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import zlib
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import repeat
from math import log1p, sqrt
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from tabulate import tabulate

from autoenc_bench.records import loading, storage
from autoenc_bench.verdicts import comparison, limits, sides, tables
from autoenc_bench.verdicts.interim import SequentialComparison

ROOT = Path(__file__).parents[2]

# Simulated suites, as docs/studies/gate.md measured pairs, and worse
CASES, GROUPS = 40, 3
PROCESSES = 0.002, 0.015  # between which a case's pairs are spread by what differs from process to process
FLICKER = {0.02: 24, 0.04: 40, 0.07: 60}  # spread of a pair's rounds, with Student's tails, and how many there are
SLOW = 0.3, 6, 0.2  # share of visits with a slow stretch, its rounds, and by how much they are slower


def suite(random, slowdown):
    """Draw each case's pairs, base and head round by round, the first case slower on the head."""
    for number in range(CASES):
        process, flicker = random.uniform(*PROCESSES), random.choice(list(FLICKER))
        yield [pair(random, process, flicker, slowdown * (number == 0)) for _ in range(2 * GROUPS)]


def pair(random, process, flicker, slowdown):
    """Draw the logarithms of a pair's rounds: a base and a head in one stretch of time."""
    rounds = FLICKER[flicker]
    both = flicker / sqrt(2) * random.standard_t(4, (2, rounds)) + np.cumsum(random.normal(0, 0.02, rounds))
    if random.random() < SLOW[0]:
        start = random.integers(rounds)
        both[:, start : start + SLOW[1]] += SLOW[2] * random.random(both[:, start : start + SLOW[1]].shape)
    both[1] += random.normal(0, process) + log1p(slowdown)
    return both


def side(pairs, groups, place):
    """Make a side of the first groups' pairs."""
    cases = {
        f"case {number}": sides.CaseResult(
            None,
            runs=[run(float(np.median(one[place]))) for one in known[: 2 * groups]],
            pairs={str(name): one[place] for name, one in enumerate(known[: 2 * groups])},
        )
        for number, known in enumerate(pairs)
    }
    return sides.Side([], sides.Context(None, {"machine": "a machine"}, {}), cases)


def run(time):
    """Make what one live run has of a case: interleaved rounds whose median has this logarithm."""
    return sides.RunResult({0: time}, {}, {}, is_live=True, is_timed=True, memory=None, counts=None, readings=None)


def simulate(seed, slowdown, limit):
    """Look at one suite after each group, as ``continuous`` does; return (cases called changed, groups it took)."""
    pairs = list(suite(np.random.default_rng(seed), slowdown))
    sequence = SequentialComparison(limits.parse([f"time:{limit:.1%}"], ()))
    for groups in range(1, GROUPS + 1):
        both = side(pairs, groups, 0), side(pairs, groups, 1)
        found = sequence.analyse(*both, groups, GROUPS, last=groups == GROUPS)
        if len(sequence.closed) == CASES:
            break
    changed = {one.case for one in found.verdicts if one.time.outcome in comparison.CHANGES}
    return changed, groups


def statistics(suites, slowdowns):
    """Print how often suites with no change raise an alarm, and how often a slower case is found."""
    rows = []
    with ProcessPoolExecutor() as pool:
        for slowdown in slowdowns:
            limit = 0.03 if slowdown != 0.03 else 0.015
            seeds = [[int(1000 * slowdown), number] for number in range(suites)]
            ended = list(pool.map(simulate, seeds, repeat(slowdown), repeat(limit), chunksize=10))
            found = sum("case 0" in changed for changed, _ in ended) if slowdown else None
            false = sum(bool(changed - {"case 0"} if slowdown else changed) for changed, _ in ended)
            rows.append((f"{slowdown:.0%}", f"{limit:.1%}", suites, found, false))
            print(rows[-1], file=sys.stderr, flush=True)
    headers = ("slowdown of one case", "limit", "suites", "found", "with a false alarm")
    print(tabulate(rows, headers, tablefmt="github"))


# Measured live

FUSED = ("losses = self._epoch(rows, shuffle)\n", "started")
FIT = ("result = step(*arguments)\n", "began")
WAIT = """{indent}until = {began} + (1 + {share}) * (perf_counter() - {began})
{indent}while perf_counter() < until:
{indent}    pass
"""
BY = {  # where the trainers read a share in which the sides differ, where that is not the code
    "variable": 'float(__import__("os").environ["SLOWDOWN"])',
    "package": '__import__("slowdown").SHARE',
}
BUSY = "import numpy as np\na = np.random.rand(1500, 1500)\nwhile True: a @ a"
COMING_AND_GOING = """
import random, time
import numpy as np
a = np.random.rand(300, 300)
while True:
    until = time.time() + random.uniform(0.5, 5)
    while time.time() < until:
        a @ a
    time.sleep(random.uniform(0.5, 5))
"""
NEIGHBOURS = {"other": (0, BUSY), "measuring": (-1, COMING_AND_GOING)}  # by cores; the last one is measured on
STUDIES = {  # what is measured live: experiments, trainer, options of continuous
    "fused": (("crude-simple", "crude-complex", "mnist"), "fused", ("--budget", "5m")),
    "fused-2": (("crude-simple", "crude-complex", "mnist"), "fused", ("--budget", "10m", "--fail-on", "time:1%")),
    "fit": (("crude-simple", "mnist"), "fit", ("--budget", "6m")),
}


def live(study, times, shares, by, beside, kept):
    """Measure each planted change so many times, going on where it was stopped; print what ``continuous`` said."""
    setting = {"study": study, "by": by, "beside": beside}
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    with TemporaryDirectory() as temporary:
        clone = Path(temporary) / "clone"
        git(ROOT, "clone", "--quiet", str(ROOT), str(clone))
        for share in shares:
            branch(clone, share if by == "code" else BY[by])
        for number in range(1, times + 1):
            for share in shares:
                known = {**setting, "planted": share, "number": number}
                if not any(known.items() <= row.items() for row in rows):
                    with neighbour(beside):
                        rows.append(known | measure(clone, study, share, by))
                    with kept.open("a") as file:
                        print(json.dumps(rows[-1]), file=file)
                    print(rows[-1], file=sys.stderr, flush=True)
    summary(rows)


def summary(rows):
    """Print how each planted change ended, and how long it took."""
    table, settings = [], ("study", "by", "beside", "planted")
    for setting in sorted({tuple(row[name] for name in settings) for row in rows}):
        chosen = [row for row in rows if tuple(row[name] for name in settings) == setting]
        *how, share = setting
        outcomes = Counter(outcome for row in chosen for outcome in row["outcomes"].values())
        status = Counter(row["status"] for row in chosen)
        seconds = sorted(row["seconds"] for row in chosen)
        times = f"{median(seconds):.0f}", f"{seconds[-1]:.0f}"
        table.append((*how, f"{share:.0%}", len(chosen), listed(status), listed(outcomes), *times))
    headers = ("measured", "by", "beside", "planted", "times", "status", "cases", "seconds, median", "at most")
    print(tabulate(table, headers, tablefmt="github"))


def listed(counter):
    """Show how often each thing was counted."""
    return ", ".join(f"{number} × {thing}" for thing, number in sorted(counter.items()))


@contextmanager
def neighbour(where):
    """Keep a process at work on another core, or let one come and go on the one that is measured on."""
    if where == "nobody":
        yield
        return
    place, program = NEIGHBOURS[where]
    core = sorted(os.sched_getaffinity(0))[place]
    process = subprocess.Popen(["taskset", "-c", str(core), sys.executable, "-c", program])
    try:
        yield
    finally:
        process.kill()


def branch(clone, share):
    """Make a branch whose trainers are slower by a share, a number or an expression."""
    git(clone, "checkout", "--quiet", "-B", name(share), "origin/HEAD")
    if share:
        slow_down(clone, share)
    author = ("-c", "user.name=Study", "-c", "user.email=study@example.org")
    git(clone, *author, "commit", "--quiet", "--all", "--allow-empty", "--message", f"Wait by {share} longer")


def slow_down(clone, share):
    """Let the trainers wait for a share of each epoch longer, or of each of Keras's steps."""
    trainer = clone / "autoenc_bench" / "core" / "training.py"
    text = trainer.read_text()
    for line, began in (FUSED, FIT):
        before, found, after = text.partition(line)
        assert found, line
        indent = before[before.rindex("\n") + 1 :]
        start = "" if began == "started" else f"{began} = perf_counter()\n{indent}"
        text = before + start + line + WAIT.format(indent=indent, began=began, share=share) + after
    for clock in ("started = CLOCK()", "CLOCK() - started"):
        text = text.replace(clock, clock.replace("CLOCK", "perf_counter"))
    typing = "from typing import Any\n"
    trainer.write_text(text.replace(typing, f"from time import perf_counter\n{typing}", 1))


def name(share):
    """Return the name of a slowdown's branch."""
    return f"slower-{zlib.crc32(str(share).encode()):x}"


def both(clone, share, by):
    """Return the sides that differ by a slowdown: revisions, and what ``continuous`` sets up for each."""
    if by == "code":
        return "origin/HEAD", name(share)
    if by == "variable":
        return name(BY[by]), name(BY[by]), "--base-env", "SLOWDOWN=0", "--head-env", f"SLOWDOWN={share}"
    base, head = package(clone.parent / "base", 0.0), package(clone.parent / f"head-{share}", share)
    return name(BY[by]), name(BY[by]), "--base-with", str(base), "--head-with", str(head)


def package(folder, share):
    """Make a package that says by how much the trainers are slower."""
    folder.mkdir(exist_ok=True)
    (folder / "slowdown.py").write_text(f"SHARE = {share}\n")
    module = '[tool.setuptools]\npy-modules = ["slowdown"]\n'
    (folder / "pyproject.toml").write_text(f'[project]\nname = "slowdown"\nversion = "{share}"\n{module}')
    return folder


def measure(clone, study, share, by):
    """Run ``continuous`` on a branch against where it began, or on what else makes it slower."""
    experiments, trainer, options = STUDIES[study]
    chosen = [option for experiment in experiments for option in ("--experiment", experiment)]
    command = [sys.executable, "-m", "autoenc_bench.cli", "continuous", *both(clone, share, by), "--format", "json"]
    began = perf_counter()
    command += [*options, "--", *chosen, "-k", f"epoch and {trainer} and not untouched"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=clone, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            out, err = process.communicate()
        finally:
            process.terminate()  # where this study is ended, so that the comparison ends what it started
    seconds = perf_counter() - began
    if not out:
        return {"status": process.returncode, "seconds": seconds, "outcomes": {}, "said": err[-300:]}
    document = json.loads(out)
    judged = {one["case"]: one["time"] for one in document["verdicts"]}
    ends = ("ratio", "low", "high")
    return {
        "status": process.returncode,
        "seconds": round(seconds, 1),
        "outcomes": {case: time["outcome"] for case, time in judged.items()},
        "changes": {case: [round(time[end] - 1, 4) for end in ends] for case, time in judged.items()},
        "pairs": {case: time["runs"][0] for case, time in judged.items()},
        "measured": document["measured"],
    }


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
            found = (
                comparison.compare([bases[experiment]], [head], limits.parse([limit], [experiment])).verdicts[0].error
            )
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
    return loading.read_record(storage.newest(folder), pictured=False)


def main():
    """Do one study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=("statistics", "live", "errors"))
    parser.add_argument("--suites", type=int, default=1000, help="to simulate (default: %(default)s)")
    parser.add_argument("--times", type=int, default=6, help="to measure each change live (default: %(default)s)")
    parser.add_argument("--of", choices=STUDIES, default="fused", help="what is measured live (default: %(default)s)")
    parser.add_argument("--by", choices=("code", *BY), default="code", help="what differs (default: %(default)s)")
    beside = "the core that somebody else uses (default: %(default)s)"
    parser.add_argument("--beside", choices=("nobody", *NEIGHBOURS), default="nobody", help=beside)
    parser.add_argument("--kept", type=Path, default=Path("gate.jsonl"), help="live results (default: %(default)s)")
    parser.add_argument(
        "--slowdowns", type=float, nargs="*", default=[0, 0.05, 0.1], help="to plant (default: 0 0.05 0.1)"
    )
    parser.add_argument("--seeds", type=int, default=1, help="of the whole experiments (default: %(default)s)")
    chosen = parser.parse_args()
    if chosen.study == "statistics":
        statistics(chosen.suites, chosen.slowdowns)
    elif chosen.study == "live":
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cancelled study ends like a Ctrl-C
        live(chosen.of, chosen.times, chosen.slowdowns, chosen.by, chosen.beside, chosen.kept)
    else:
        errors(chosen.seeds)


if __name__ == "__main__":
    main()
