"""Measure how reliable verdicts are: ``python docs/studies/gate.py statistics|live|errors``; gate.md has the results.

``statistics`` writes records of simulated suites, and analyses them group by group as ``continuous`` does, with the
package's own statistics; it takes minutes on all cores. ``live`` injects a wait into the trainers on branches of a
temporary clone, or by a variable or a package (``--by``), and runs ``continuous`` on them, minutes each; let nothing
else run but the neighbour that ``--beside`` starts. It keeps its results, and continues where it was stopped.
``errors`` injects losses of accuracy, and rounding that is none, and runs ``compare`` on the records, for half an hour.
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

from autoenc_bench import read_record
from autoenc_bench.verdicts import limits, sides
from autoenc_bench.verdicts.comparison import CHANGES
from autoenc_bench.verdicts.interim import SequentialComparison

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/example/0001_digits.json"
AUTHOR = ("-c", "user.name=Study", "-c", "user.email=study@example.org")

# Simulated suites, with the noise that gate.md measured, and worse
CASES, GROUPS = 40, 3
SLOWER = "epoch[case-0-fused]"
PROCESSES = 0.002, 0.015  # the smallest and largest spread between the pairs of a case
FLICKER = {0.02: 24, 0.04: 40, 0.07: 60}  # the spread of a pair's rounds, with Student's tails, and their number
SLOW = 0.3, 6, 0.2  # the share of pairs with a slow stretch, its rounds, and how much slower they are at most


def suite(random, slowdown):
    """Yield each case's pairs of rounds; the first case is slower on the head."""
    for number in range(CASES):
        process, flicker = random.uniform(*PROCESSES), random.choice(list(FLICKER))
        yield [pair(random, process, flicker, slowdown * (number == 0)) for _ in range(2 * GROUPS)]


def pair(random, process, flicker, slowdown):
    """Return the logarithms of a pair's rounds, shape (2, rounds): base and head, measured at the same time."""
    rounds = FLICKER[flicker]
    both = flicker / sqrt(2) * random.standard_t(4, (2, rounds)) + np.cumsum(random.normal(0, 0.02, rounds))
    share, length, most = SLOW
    if random.random() < share:
        start = random.integers(rounds)
        both[:, start : start + length] += most * random.random(both[:, start : start + length].shape)
    both[1] += random.normal(0, process) + log1p(slowdown)
    return both


def side(suite_pairs, place):
    """Return the records of a side, base (0) or head (1), one for each pair."""
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.json" for number in range(len(suite_pairs[0]))]
        for number, path in enumerate(paths):
            rounds = {f"case-{case}": pairs[number][place] for case, pairs in enumerate(suite_pairs)}
            path.write_text(json.dumps(record(rounds, number, ("base", "head")[place])))
        return [read_record(path) for path in paths]


def record(rounds, number, name):
    """Return the content of a live process's record: its rounds by experiment, as logarithms."""
    content = json.loads(EXAMPLE.read_text())
    content["datetime"] = f"2026-01-01T{number:02}:00:00"
    content["autoenc"] |= {"pair": f"pair-{number}", "side": name, "skipped": [], "failed": []}
    content["benchmarks"] = []
    for experiment, logarithms in rounds.items():
        times = (0.05 * np.exp(logarithms)).tolist()
        case = {"experiment": experiment, "phase": "epoch", "backend": "tensorflow", "seed": 0, "rows": 1000}
        content["benchmarks"].append(
            {
                "name": f"test_epoch[{experiment}-fused]",
                "fullname": f"benchmarks/test_epoch.py::test_epoch[{experiment}-fused]",
                "stats": {"median": median(times), "min": min(times), "rounds": len(times), "data": times},
                "extra_info": {"autoenc": {**case, "trainer": "fused", "between": [0.0] * len(times)}},
            }
        )
    return content


def analyse(sequence, records, groups, most):
    """Analyse the pairs of the first groups, of ``most`` groups; return the verdicts."""
    base, head = (sides.gather(side[: 2 * groups]) for side in records)
    return sequence.analyse(base, head, groups, most, last=groups == most).verdicts


def simulate(seed, slowdown, limit):
    """Analyse one suite after each group, as ``continuous`` does; return the changed cases, and the groups it took."""
    suite_pairs = list(suite(np.random.default_rng(seed), slowdown))
    records = side(suite_pairs, 0), side(suite_pairs, 1)
    sequence = SequentialComparison(limits.parse([f"time:{limit:.1%}"], ()))
    for groups in range(1, GROUPS + 1):
        verdicts = analyse(sequence, records, groups, GROUPS)
        if len(sequence.closed) == CASES:
            break
    return {verdict.case for verdict in verdicts if verdict.time.outcome in CHANGES}, groups


def statistics(suites, slowdowns):
    """Print how often suites without a change raise a false alarm, and how often a slower case is found."""
    rows = []
    with ProcessPoolExecutor() as pool:
        for slowdown in slowdowns:
            limit = 0.03 if slowdown != 0.03 else 0.015
            seeds = [[int(1000 * slowdown), number] for number in range(suites)]
            ended = list(pool.map(simulate, seeds, repeat(slowdown), repeat(limit), chunksize=10))
            slower = {SLOWER} if slowdown else set()
            found = sum(SLOWER in changed for changed, _ in ended) if slowdown else None
            false = sum(bool(changed - slower) for changed, _ in ended)
            rows.append((f"{slowdown:.0%}", f"{limit:.1%}", suites, found, false))
            print(rows[-1], file=sys.stderr, flush=True)
    headers = ("slowdown of one case", "limit", "suites", "found", "with a false alarm")
    print(tabulate(rows, headers, tablefmt="github"))


# Measured live

FUSED = ("losses = self._epoch(rows, shuffle)\n", "started")  # a line of the trainer, and the name of its start
FIT = ("result = step(*arguments)\n", "began")
WAIT = """{indent}until = {began} + (1 + {share}) * (perf_counter() - {began})
{indent}while perf_counter() < until:
{indent}    pass
"""
BY = {  # an expression for the slowdown, if the sides do not differ in code
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
NEIGHBOURS = {"other": (0, BUSY), "measuring": (-1, COMING_AND_GOING)}  # by core: pairs are measured on the last one
STUDIES = {  # experiments, trainer, options of continuous
    "fused": (("crude-simple", "crude-complex", "mnist"), "fused", ("--budget", "5m")),
    "fused-2": (("crude-simple", "crude-complex", "mnist"), "fused", ("--budget", "10m", "--fail-on", "time:1%")),
    "fit": (("crude-simple", "mnist"), "fit", ("--budget", "6m")),
}


def live(study, times, shares, by, beside, kept):
    """Measure each injected slowdown so many times, as far as ``kept`` lacks the results; print a summary."""
    setting = {"study": study, "by": by, "beside": beside}
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    with TemporaryDirectory() as temporary:
        folder = clone(Path(temporary))
        for share in shares:
            branch(folder, share if by == "code" else BY[by])
        for number in range(1, times + 1):
            for share in shares:
                facts = {**setting, "injected": share, "number": number}
                if any(facts.items() <= row.items() for row in rows):
                    continue
                with neighbour(beside):
                    rows.append(facts | measure(folder, study, share, by))
                with kept.open("a") as file:
                    print(json.dumps(rows[-1]), file=file)
                print(rows[-1], file=sys.stderr, flush=True)
    summary(rows)


def summary(rows):
    """Print how the runs with each injected slowdown ended, and how long they took."""
    table, names = [], ("study", "by", "beside", "injected")
    for setting in sorted({tuple(row[name] for name in names) for row in rows}):
        chosen = [row for row in rows if tuple(row[name] for name in names) == setting]
        *how, share = setting
        outcomes = Counter(outcome for row in chosen for outcome in row["outcomes"].values())
        status = Counter(row["status"] for row in chosen)
        seconds = sorted(row["seconds"] for row in chosen)
        times = f"{median(seconds):.0f}", f"{seconds[-1]:.0f}"
        table.append((*how, f"{share:.0%}", len(chosen), listed(status), listed(outcomes), *times))
    headers = ("measured", "by", "beside", "injected", "times", "status", "cases", "seconds, median", "at most")
    print(tabulate(table, headers, tablefmt="github"))


def listed(counter):
    """Return a counter's items and numbers in words."""
    return ", ".join(f"{number} × {item}" for item, number in sorted(counter.items()))


def cores() -> list[int]:
    """Return the cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


@contextmanager
def neighbour(where):
    """Keep a process at work on the first core, or let one come and go on the last core, where pairs are measured."""
    if where == "none":
        yield
        return
    place, program = NEIGHBOURS[where]
    process = subprocess.Popen(["taskset", "-c", str(cores()[place]), sys.executable, "-c", program])
    try:
        yield
    finally:
        process.kill()


def clone(folder: Path) -> Path:
    """Clone the project into a folder."""
    git(folder, "clone", "--quiet", str(ROOT), "clone")
    return folder / "clone"


def git(folder, *arguments):
    """Run git in a folder."""
    subprocess.run(["git", *arguments], cwd=folder, check=True)


def branch(folder, share):
    """Make a branch whose trainers are slower by a share: a number or an expression."""
    git(folder, "checkout", "--quiet", "-B", branch_name(share), "origin/HEAD")
    if share:
        slow_down(folder, share)
    git(folder, *AUTHOR, "commit", "--quiet", "--all", "--allow-empty", "--message", f"Wait by {share} longer")


def branch_name(share):
    """Return the name of a slowdown's branch."""
    return f"slower-{zlib.crc32(str(share).encode()):x}"


def slow_down(folder, share):
    """Let the trainers wait for a share of each epoch of ``fused``, and of each step of Keras's ``fit``."""
    trainer = folder / "autoenc_bench" / "core" / "training.py"
    text = trainer.read_text()
    for line, began in (FUSED, FIT):
        before, found, after = text.partition(line)
        assert found, line
        indent = before[before.rindex("\n") + 1 :]
        start = "" if began == "started" else f"{began} = perf_counter()\n{indent}"
        text = before + start + line + WAIT.format(indent=indent, began=began, share=share) + after
    for reading in ("started = CLOCK()", "CLOCK() - started"):
        assert reading in text, reading
        text = text.replace(reading, reading.replace("CLOCK", "perf_counter"))
    typing = "from typing import Any\n"
    trainer.write_text(text.replace(typing, f"from time import perf_counter\n{typing}", 1))


def both_sides(folder, share, by):
    """Return the arguments of ``continuous`` for two sides that differ by a slowdown."""
    if by == "code":
        return "origin/HEAD", branch_name(share)
    revisions = branch_name(BY[by]), branch_name(BY[by])
    if by == "variable":
        return *revisions, "--base-env", "SLOWDOWN=0", "--head-env", f"SLOWDOWN={share}"
    base, head = package(folder.parent / "base", 0.0), package(folder.parent / f"head-{share}", share)
    return *revisions, "--base-with", str(base), "--head-with", str(head)


def package(folder, share):
    """Make a package that holds a slowdown."""
    folder.mkdir(exist_ok=True)
    (folder / "slowdown.py").write_text(f"SHARE = {share}\n")
    module = '[tool.setuptools]\npy-modules = ["slowdown"]\n'
    (folder / "pyproject.toml").write_text(f'[project]\nname = "slowdown"\nversion = "{share}"\n{module}')
    return folder


def measure(folder, study, share, by):
    """Run ``continuous`` on two sides that differ by a slowdown; return what it reported."""
    experiments, trainer, options = STUDIES[study]
    chosen = [option for experiment in experiments for option in ("--experiment", experiment)]
    command = [sys.executable, "-m", "autoenc_bench.cli", "continuous", *both_sides(folder, share, by)]
    command += ["--format", "json", *options, "--", *chosen, "-k", f"epoch and {trainer} and not untouched"]
    began, pipe = perf_counter(), subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            out, err = process.communicate()
        finally:
            process.terminate()  # if this study is stopped, so that the comparison stops its own processes
    seconds = round(perf_counter() - began, 1)
    if not out:
        return {"status": process.returncode, "seconds": seconds, "outcomes": {}, "stderr": err[-300:]}
    document = json.loads(out)
    judged = {verdict["case"]: verdict["time"] for verdict in document["verdicts"]}
    ends = ("ratio", "low", "high")
    return {
        "status": process.returncode,
        "seconds": seconds,
        "outcomes": {case: time["outcome"] for case, time in judged.items()},
        "changes": {case: [round(time[end] - 1, 4) for end in ends] for case, time in judged.items()},
        "pairs": {case: time["runs"][0] for case, time in judged.items()},
        "measured": document["measured"],
    }


# Errors

LOSSES = (  # experiment, limit, changes that must be flagged
    ("mnist", "error:1%", ("fewer-epochs", "half-rate", "decoder-activation")),
    ("crude-simple", "error:0.3%", ("half-rate", "no-biases")),
)
ROUNDINGS = (
    *(("rounding", {"ROUNDING": str(order)}) for order in (1, 2, 3)),
    ("none", {"XLA_FLAGS": "--xla_cpu_enable_fast_math=true"}),
    ("none", {}),
)


def errors(seeds):
    """Print the verdict on each injected loss of accuracy, and on rounding."""
    rows = []
    injected = [(change, {}, experiment, limit) for experiment, limit, changes in LOSSES for change in changes]
    injected += [
        (change, variables, experiment, limit)
        for change, variables in ROUNDINGS
        for experiment, limit in (*(loss[:2] for loss in LOSSES), ("crude-complex", "error:1%"))
    ]
    with TemporaryDirectory() as temporary:
        bases = {experiment: Path(temporary, experiment) for _, _, experiment, _ in injected}
        for experiment, base in bases.items():
            train(base, experiment, seeds, "none", {})
        for number, (change, variables, experiment, limit) in enumerate(injected):
            head = Path(temporary, str(number))
            train(head, experiment, seeds, change, variables)
            error = compare(bases[experiment], head, limit)
            words = " ".join([change, *(f"{name}={value}" for name, value in variables.items())])
            mean, low, high = (f"{error[end] - 1:+.1%}" for end in ("ratio", "low", "high"))
            rows.append((words, experiment, limit, f"{mean} ({low} … {high})", error["outcome"]))
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    print(tabulate(rows, ("injected", "experiment", "limit", "change of the mean", "error"), tablefmt="github"))


def train(folder, experiment, seeds, change, variables):
    """Run a whole experiment with a change of injections.py, and save its record in a folder."""
    options = ["-p", "injections", "-k", "experiment and fused", "--experiment", experiment, "--seeds", str(seeds)]
    options += ["--no-report", "--no-roofs", f"--benchmark-storage=file://{folder}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "docs/studies"), "INJECT": change, **variables}
    command = [sys.executable, "-m", "pytest", "benchmarks/", *options]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def compare(base, head, limit):
    """Return the verdict on the error of one case, as ``compare`` reports it in JSON."""
    command = [sys.executable, "-m", "autoenc_bench.cli", "compare", str(base), str(head), "--fail-on", limit]
    done = subprocess.run([*command, "--format", "json"], stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(done.stdout)["verdicts"][0]["error"]


def main():
    """Run one study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=("statistics", "live", "errors"))
    parser.add_argument("--suites", type=int, default=1000, help="to simulate (default: %(default)s)")
    parser.add_argument("--times", type=int, default=6, help="to measure each slowdown live (default: %(default)s)")
    parser.add_argument("--of", choices=STUDIES, default="fused", help="what to measure live (default: %(default)s)")
    parser.add_argument(
        "--by", choices=("code", *BY), default="code", help="how the sides differ (default: %(default)s)"
    )
    beside = "the core that another process uses (default: %(default)s)"
    parser.add_argument("--beside", choices=("none", *NEIGHBOURS), default="none", help=beside)
    parser.add_argument("--kept", type=Path, default=Path("gate.jsonl"), help="live results (default: %(default)s)")
    slowdowns = "to inject (default: 0 0.05 0.1)"
    parser.add_argument("--slowdowns", type=float, nargs="*", default=[0, 0.05, 0.1], help=slowdowns)
    parser.add_argument("--seeds", type=int, default=1, help="of the whole experiments (default: %(default)s)")
    options = parser.parse_args()
    if options.study == "statistics":
        statistics(options.suites, options.slowdowns)
    elif options.study == "live":
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cancelled study ends like a Ctrl-C
        live(options.of, options.times, options.slowdowns, options.by, options.beside, options.kept)
    else:
        errors(options.seeds)


if __name__ == "__main__":
    main()
