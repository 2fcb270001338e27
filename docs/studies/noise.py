"""Run the suite's training cases repeatedly on unchanged code, and print how far their times spread.

    python docs/studies/noise.py --processes 24 -k "epoch and fused"

Each run is a process of its own. The table goes to standard output as Markdown; noise.md keeps one.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from math import log, sqrt
from pathlib import Path
from statistics import fmean, median, stdev
from tempfile import TemporaryDirectory

from scipy.stats import chi2
from tabulate import tabulate

from autoenc_bench import read_record

HEADERS = (
    "case",
    "median, s",
    "rounds",
    "within, raw",
    "within, referenced",
    "between, raw",
    "between, referenced",
    "at least",
    "A/A",
    "off-CPU",
    "set-up, s",
)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=12, help="fresh processes to run (default: %(default)s)")
    cases = "cases to run, as for pytest (default: %(default)s)"
    parser.add_argument("-k", default="epoch or untouched or experiment", help=cases)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the records in this folder, and use those in it")
    chosen = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        for number in range(len(list(folder.rglob("*.json"))), chosen.processes):
            print(f"process {number + 1} of {chosen.processes}", file=sys.stderr, flush=True)
            run(folder, chosen.k)
        records = [read_record(path).record for path in sorted(folder.rglob("*.json"))]
    print(tabulate(map(row, zip(*(record.benchmarks for record in records), strict=True)), HEADERS, tablefmt="github"))


def run(folder: Path, cases: str) -> None:
    """Run the cases once, in a process of their own."""
    options = [
        "-q",
        "-k",
        cases,
        "--no-report",
        "--no-roofs",
        "--benchmark-save=noise",
        f"--benchmark-storage=file://{folder.resolve()}",
    ]
    suite = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-m", "pytest", "benchmarks/", *options], cwd=suite, check=True, stdout=subprocess.DEVNULL
    )


def row(benchmarks: Sequence) -> tuple[str, ...]:
    """Return one case's line: spreads are standard deviations of logarithms over the processes, so shares of the time.

    ``at least`` is the lower 90 % bound of the referenced spread between processes.
    """
    raw = [list(map(log, benchmark.stats.data or [])) for benchmark in benchmarks]
    referenced = [list(map(log, benchmark.quotients or [])) for benchmark in benchmarks]
    middles = [median(values) for values in referenced]
    pairs = [first - second for first, second in zip(middles[::2], middles[1::2], strict=False)]
    return (
        benchmarks[0].name.removeprefix("test_"),
        f"{median(benchmark.stats.median for benchmark in benchmarks):.3g}",
        str(benchmarks[0].stats.rounds),
        *(share(median(map(stdev, each))) if len(each[0]) > 1 else "–" for each in (raw, referenced)),
        *(f"{share(spread)} ± {share(error(spread, len(raw)))}" for spread in (between(raw), between(referenced))),
        share(between(referenced) * sqrt((len(raw) - 1) / chi2.ppf(0.9, len(raw) - 1))),
        f"{fmean(pairs):+.3f} ± {stdev(pairs) / sqrt(len(pairs)):.3f}" if len(pairs) > 1 else "–",
        *waiting_and_set_up(benchmarks),
    )


def waiting_and_set_up(benchmarks: Sequence) -> tuple[str, str]:
    """Return the median share of off-CPU time in a round, and the median seconds of fit's set-up."""
    cases = [(case, one.stats) for one in benchmarks if (case := one.extra_info.autoenc)]
    off_cpu = [seconds / stats.median for case, stats in cases if (seconds := case.off_cpu(stats.times)) is not None]
    set_ups = [median(case.set_up) for case, _ in cases if case.set_up]
    return share(median(off_cpu)) if off_cpu else "–", f"{median(set_ups):.3f}" if set_ups else "–"


def between(logs: list[list[float]]) -> float:
    """Return the spread of the processes' medians."""
    return stdev(map(median, logs))


def error(spread: float, count: int) -> float:
    """Return the standard error of a standard deviation of ``count`` normal values."""
    return spread / sqrt(2 * (count - 1))


def share(value: float) -> str:
    """Return a share in per cent."""
    return f"{value:.1%}".replace("%", " %")


if __name__ == "__main__":
    main()
