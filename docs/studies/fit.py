"""Measure what Keras's ``fit`` waits for: ``python docs/studies/fit.py``; TensorFlow, Keras and NumPy are all it needs.

A pipeline of tf.data that tunes itself has a thread that sleeps, and its end waits for this thread. The script calls
``fit`` as it is and with tuning off, alternately, from the same weights, on one pinned core and on two. *Blocked* is
how long the calling thread neither ran nor stood in a run queue. It needs Linux, and prints a Markdown table.
../findings.md explains the wait; noise.md has the off-CPU time of the suite's own ``fit``, which turns tuning off.
"""

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from multiprocessing import get_context
from pathlib import Path
from platform import python_version
from statistics import fmean, median
from threading import get_native_id
from time import perf_counter

import keras
import numpy as np
import tensorflow as tf

FEATURES, CODE, BATCH, ROWS = 32, 2, 100, 15_000  # crude-simple, with fewer rows
HEADERS = ("cores", "epochs", "tuning", "call, median s", "blocked, mean s", "losses")


def main() -> None:
    """Measure on one pinned core and on two, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=5, help="calls of each kind (default: %(default)s)")
    calls = parser.parse_args().calls
    print(f"TensorFlow {tf.__version__}, Keras {keras.__version__}, Python {python_version()}\n")
    print(line(HEADERS), line(["---"] * len(HEADERS)), sep="\n")
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as fresh:
        for cores in (1, 2):
            for cells in fresh.submit(measure, cores, calls).result():
                print(line(cells), flush=True)


def measure(cores: int, calls: int) -> list[tuple[str, ...]]:
    """Return the table's lines for so many cores: with tuning and without, one epoch and ten."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])
    tf.config.threading.set_intra_op_parallelism_threads(cores)
    tf.config.threading.set_inter_op_parallelism_threads(cores)
    data = np.random.default_rng(0).random((ROWS, FEATURES), dtype=np.float32)

    def fit(epochs: int, tuned: bool) -> tuple[float, float, list[float]]:
        """Return the seconds of a call, those in which it was blocked, and the validation losses."""
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Dense(CODE, "relu"), keras.layers.Dense(FEATURES, "sigmoid")]
        model = keras.Sequential([keras.Input((FEATURES,)), *layers])
        model.compile(optimizer="adam", loss="binary_crossentropy")
        model.fit(data[:1000], data[:1000], validation_split=0.1, batch_size=BATCH, verbose=0)  # compiles
        with nullcontext() if tuned else without_tuning():
            began, occupied = perf_counter(), occupation()
            history = model.fit(data, data, validation_split=0.1, batch_size=BATCH, epochs=epochs, verbose=0).history
            seconds, occupied = perf_counter() - began, occupation() - occupied
        return seconds, seconds - occupied, history["val_loss"]

    rows = []
    for epochs in (1, 10):
        tuned, untuned = zip(*((fit(epochs, tuned=True), fit(epochs, tuned=False)) for _ in range(calls)), strict=True)
        equal = all(losses == tuned[0][2] for *_, losses in (*tuned, *untuned))
        for name, measured in (("on", tuned), ("off", untuned)):
            seconds, blocked, _ = zip(*measured, strict=True)
            cells = f"{median(seconds):.3f}", f"{fmean(blocked):.3f}", "equal" if equal else "differ"
            rows.append((str(cores), str(epochs), name, *cells))
    return rows


@contextmanager
def without_tuning() -> Iterator[None]:
    """Turn the tuning of all pipelines off, as ../findings.md shows."""
    untuned = tf.data.Options()
    untuned.autotune.enabled = False
    iterate = tf.data.Dataset.__iter__
    tf.data.Dataset.__iter__ = lambda dataset: iterate(dataset.with_options(untuned))
    try:
        yield
    finally:
        tf.data.Dataset.__iter__ = iterate


def occupation() -> float:
    """Return for how many seconds this thread has run, or stood in a run queue."""
    ran, queued, _ = Path(f"/proc/self/task/{get_native_id()}/schedstat").read_text().split()
    return (int(ran) + int(queued)) * 1e-9


def line(cells) -> str:
    """Return a line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
