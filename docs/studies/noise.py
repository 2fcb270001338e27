"""Run the suite's training cases over and over on unchanged code, and say how far their times spread.

    python docs/studies/noise.py --processes 24 -k "epoch and fused"

Each process is a run of its own. The table goes to standard output, as Markdown: noise.md keeps one.
"""

import argparse
import subprocess
import sys
from math import log, sqrt
from pathlib import Path
from statistics import fmean, median, stdev
from tempfile import TemporaryDirectory

from scipy.stats import chi2
from tabulate import tabulate

from autoenc_bench.records import loading
from autoenc_bench.records.record import Benchmark

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
    "waiting",
    "set-up, s",
)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=12, help="fresh processes to run (default: %(default)s)")
    cases = "which cases, as for pytest (default: %(default)s)"
    parser.add_argument("-k", default="epoch or untouched or experiment", help=cases)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the records there, and use those it holds")
    chosen = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        for number in range(len(list(folder.rglob("*.json"))), chosen.processes):
            print(f"process {number + 1} of {chosen.processes}", file=sys.stderr, flush=True)
            run(folder, chosen.k)
        found = [loading.read_record(path).record for path in sorted(folder.rglob("*.json"))]
    print(tabulate(map(row, zip(*(record.benchmarks for record in found), strict=True)), HEADERS, tablefmt="github"))


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


def row(benchmarks: tuple[Benchmark, ...]) -> tuple[str, ...]:
    """Sum up one case over the processes: spreads are standard deviations of logarithms, so shares of the time.

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


def waiting_and_set_up(benchmarks: tuple[Benchmark, ...]) -> tuple[str, str]:
    """Give the median share of a round that one pinned thread waited, and the median seconds of fit's set-up."""
    noted = [(case, one.stats) for one in benchmarks if (case := one.extra_info.autoenc)]
    waited = [seconds / stats.median for case, stats in noted if (seconds := case.off_cpu(stats.times)) is not None]
    set_ups = [median(case.set_up) for case, _ in noted if case.set_up]
    return share(median(waited)) if waited else "–", f"{median(set_ups):.3f}" if set_ups else "–"


def between(logs: list[list[float]]) -> float:
    """Give the spread of the processes' medians."""
    return stdev(map(median, logs))


def error(spread: float, count: int) -> float:
    """Give the standard error of a standard deviation of so many normal values."""
    return spread / sqrt(2 * (count - 1))


def share(value: float) -> str:
    """Say a share in per cent."""
    return f"{value:.1%}".replace("%", " %")


if __name__ == "__main__":
    main()
