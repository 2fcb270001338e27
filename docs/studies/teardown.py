"""Measure how long TensorFlow takes to destroy an iterator of tf.data; TensorFlow and NumPy are all it needs.

    python docs/studies/teardown.py

A pipeline that tunes itself has a thread that sleeps between its steps: 20 ms, 40 ms, 80 ms …, so it wakes about 20,
60, 140, 300, 620 ms after its start. Destroying the iterator cancels the thread and joins it; if the thread misses the
cancellation, it first sleeps to the end. The loops here last 310 to 610 ms on any machine, so they end at all points of
the sleep of 320 ms. Each row of the table is a process of its own. ../findings.md explains the result.
"""

import argparse
import os
import platform
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from time import perf_counter

import numpy as np

SHORTEST, LONGEST = 310, 610  # elements of a loop, each of which keeps its consumer busy for a millisecond
HEADERS = (
    "cores",
    "tuning",
    "loop, median s",
    "teardown, median ms",
    "longest, ms",
    "loop and teardown, median s",
    "teardown's share",
    "over 10 ms",
)


def main() -> None:
    """Measure with and without a pinned core, with and without tuning, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loops", type=int, default=40, help="loops of each process (default: %(default)s)")
    loops = parser.parse_args().loops
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    places = ["one, pinned", "all"]
    if not hasattr(os, "sched_setaffinity"):
        places.remove("one, pinned")
        print("This system cannot pin a process to a core; only all cores are measured.\n")
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as fresh:
        print(fresh.submit(versions).result(), "", line(HEADERS), line(["---"] * len(HEADERS)), sep="\n")
        for place, tuning in product(places, ("on", "off")):
            times = fresh.submit(measure, place == "one, pinned", tuning == "on", loops).result()
            print(line([place, tuning, *summary(*times)]), flush=True)


def versions() -> str:
    """Return the versions of the software, and the number of cores."""
    import tensorflow as tf

    python = f"Python {platform.python_version()} on {platform.system()}, {os.cpu_count()} cores"
    return f"TensorFlow {tf.__version__}, NumPy {np.__version__}, {python}"


def measure(pinned: bool, tuned: bool, loops: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the seconds of each loop over a pipeline, and of the iterator's destruction."""
    if pinned:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # before TensorFlow starts its threads
    import tensorflow as tf

    pipeline = tf.data.Dataset.range(LONGEST).map(lambda number: number + 1).prefetch(tf.data.AUTOTUNE)
    if not tuned:
        options = tf.data.Options()
        options.autotune.enabled = False
        pipeline = pipeline.with_options(options)
    times = []
    for count in (SHORTEST, *np.linspace(SHORTEST, LONGEST, loops, dtype=int)):
        part = pipeline.take(count)
        started = perf_counter()
        iterator = iter(part)
        for done, _ in enumerate(iterator, 1):
            while perf_counter() < started + done / 1000:
                pass
        looped = perf_counter()
        del iterator
        times.append((looped - started, perf_counter() - looped))
    return tuple(np.transpose(times[1:]))  # the first loop warms up


def summary(loops: np.ndarray, teardowns: np.ndarray) -> list[str]:
    """Return the cells for the loops of one process."""
    return [
        f"{np.median(loops):.3f}",
        f"{np.median(teardowns) * 1e3:.1f}",
        f"{teardowns.max() * 1e3:.1f}",
        f"{np.median(loops + teardowns):.3f}",
        f"{teardowns.sum() / (loops + teardowns).sum():.1%}".replace("%", " %"),
        f"{np.mean(teardowns > 0.01):.0%}".replace("%", " %"),
    ]


def line(cells: Sequence[str]) -> str:
    """Return a line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
