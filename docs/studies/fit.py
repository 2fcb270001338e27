"""Check how the suite times ``fit``: it waits for nothing, and its losses are those of the call left as it is.

    python docs/studies/fit.py --full

The trainer's call keeps pipelines from tuning themselves, and its clock stands still while they are made and go; the
plain one is what users call. A process per number of cores makes both in turns, each time from the same weights and
order of rows. *Waiting* is the suite's own account of one pinned thread, of the whole call and of what its clock timed.
*Blocked* is how long the calling thread neither ran nor queued for a core, on one core or two: a wait for a sleeper, or
for a thread at work. It needs Linux, and prints a Markdown table; ../findings.md says what a plain ``fit`` waits for.
"""

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from operator import sub
from pathlib import Path
from platform import python_version
from statistics import fmean, median
from threading import get_native_id
from typing import NamedTuple

import keras
import tensorflow
from tabulate import tabulate

from autoenc_bench.backends import selection
from autoenc_bench.catalogue.experiments import find
from autoenc_bench.core.data import sources
from autoenc_bench.core.training import Fit, prepare
from autoenc_bench.instruments.clock import CLOCK, Clock, Reading
from autoenc_bench.machine import threads
from autoenc_bench.records.case import Case

EXPERIMENT = find("crude-simple")
SLICE = 15_000  # rows of an epoch, of 900,000
HEADERS = (
    "cores",
    "rows",
    "epochs",
    "fit",
    "call, s",
    "blocked, s",
    "waiting, s",
    "by the clock, s",
    "waiting, s",
    "set-up, s",
    "losses",
)
Losses = list[tuple[float, float]]  # (loss, val_loss) of each epoch


class Lap(NamedTuple):
    """What one call took: all of it, what the suite's clock timed of it, and where it led."""

    whole: Reading
    timed: Reading
    blocked: float
    losses: Losses


def main() -> None:
    """Measure on one pinned core and on two, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="calls of each kind on a slice (default: %(default)s)")
    parser.add_argument("--full", action="store_true", help="add an epoch over all rows, once")
    chosen = parser.parse_args()
    sizes = [(SLICE, 1, chosen.rounds), (SLICE, 10, chosen.rounds)] + [(EXPERIMENT.rows * 9 // 10, 1, 1)] * chosen.full
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as fresh:
        lines = [line for cores in (1, 2) for line in fresh.submit(measure, cores, sizes).result()]
    print(f"TensorFlow {tensorflow.__version__}, Keras {keras.__version__}, Python {python_version()}\n")
    print(tabulate(lines, HEADERS, tablefmt="github", disable_numparse=True))


def measure(cores: int, sizes: list[tuple[int, int, int]]) -> list[tuple[str, ...]]:
    """Return the table's lines on so many cores, two for each size: (rows, epochs, rounds)."""
    pinned = threads.limit(cores, threads.usable_cores())
    selection.current().configure(cores)
    split = sources.load(EXPERIMENT.data, rows=EXPERIMENT.rows, features=EXPERIMENT.features, seed=0)
    trainer = prepare(EXPERIMENT, "fit", split, seed=0)
    trainer.warm()
    place = f"{cores}, pinned" if pinned else f"{cores}"
    return [
        (place, f"{rows:,}", f"{epochs}", *cells)
        for rows, epochs, rounds in sizes
        for cells in compare(trainer, rows, epochs, rounds)
    ]


def compare(trainer: Fit, rows: int, epochs: int, rounds: int) -> list[tuple[str, ...]]:
    """Make the trainer's call and the plain one in turns, and return the cells of each."""

    def timed() -> Losses:
        return [(epoch.loss, epoch.val_loss) for epoch in trainer.train(epochs, rows=rows)]

    def plain() -> Losses:
        trainer.fit_untouched(epochs, rows=rows)
        history = trainer.model.history.history
        return [*zip(history["loss"], history["val_loss"], strict=True)]

    calls = {"the trainer's": timed, "plain": plain}
    laps: dict[str, list[Lap]] = {kind: [] for kind in calls}
    for _ in range(1 + rounds):
        for kind, call in calls.items():
            trainer.reset()
            laps[kind].append(lap(call))
    losses = [one.losses for kind in calls for one in laps[kind]]
    verdict = "equal" if all(one == losses[0] for one in losses) else "differ"
    return [(kind, *summary(laps[kind][1:]), verdict) for kind in calls]  # the first may have compiled


def lap(call: Callable[[], Losses]) -> Lap:
    """Make one call, with a clock beside the suite's that never stands still."""
    whole = Clock()
    begin, occupied = (whole.read(), CLOCK.read()), occupation()
    losses = call()
    occupied, end = occupation() - occupied, (whole.read(), CLOCK.read())
    readings = [Reading(*map(sub, *pair)) for pair in zip(end, begin, strict=True)]
    return Lap(*readings, readings[0].wall - occupied, losses)


def occupation() -> float:
    """Return for how many seconds this thread has run, or been ready to while others had the core."""
    ran, queued, _ = Path(f"/proc/self/task/{get_native_id()}/schedstat").read_text().split()
    return (int(ran) + int(queued)) * 1e-9


def summary(laps: list[Lap]) -> list[str]:
    """Sum up the calls of one kind: medians, and means of what was blocked and waited."""
    whole, timed = ([getattr(one, name) for one in laps] for name in ("whole", "timed"))
    values = (
        median(reading.wall for reading in whole),
        fmean(one.blocked for one in laps),
        waiting(whole),
        median(reading.wall for reading in timed),
        waiting(timed),
        median(reading.set_up for reading in timed),
    )
    return ["–" if value is None else f"{value:.3f}" for value in values]


def waiting(readings: list[Reading]) -> float | None:
    """Return for how long a record would say that a round waited; on several cores nobody can tell."""
    if len(threads.usable_cores()) > 1:
        return None
    accounts = {name: [getattr(each, name) for each in readings] for name in ("cpu", "queued", "stolen", "idle")}
    case = Case(experiment=EXPERIMENT.name, phase="epoch", backend="tensorflow", seed=0, rows=1, **accounts)
    return case.off_cpu([reading.wall for reading in readings])


if __name__ == "__main__":
    main()
