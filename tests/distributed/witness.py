"""A pytest plugin for the processes of a distributed run. It writes a line of JSON at the end.

The line has all cases, how far an epoch of strong scaling moves the weights, and how far its losses and weights on all
devices differ from those on one. With FAILS=yes the reference workload fails, and so does every case.
"""

import json
import os

import numpy as np
import pytest

CASES = []
EPOCHS = {}  # number of devices -> weights before, weights after, and the epoch


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Keep the names of all cases, before -k deselects some."""
    CASES.extend(item.name for item in items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop():
    """Replace the trainers by watched ones. Keras may be imported from here on."""
    from autoenc_bench.distributed import data_parallel
    from autoenc_bench.instruments import reference_workload as reference

    class Watched(data_parallel.DataParallelTrainer):
        def __init__(self, experiment, data, devices, weak):
            super().__init__(experiment, data, devices, weak)
            if not weak:
                train, self.train = self.train, lambda epochs: watch(self, len(devices), train, epochs)

    data_parallel.DataParallelTrainer = Watched
    if os.environ.get("FAILS") == "yes":
        reference.seconds = lambda: 1 / 0


def watch(trainer, devices, train, epochs):
    """Train, and keep the weights before and after."""
    before, history = weights(trainer), train(epochs)
    EPOCHS[devices] = before, weights(trainer), history[-1]
    return history


def weights(trainer):
    """Return a copy of all weights in one array."""
    return np.concatenate([np.ravel(np.asarray(value)) for value in trainer.model.trainable_variables])


def pytest_terminal_summary(terminalreporter):
    """Write the line."""
    seen = {"cases": CASES}
    if len(EPOCHS) > 1:
        (start, single, expected), (_, parallel, epoch) = (EPOCHS[devices] for devices in (min(EPOCHS), max(EPOCHS)))
        seen["moved"] = float(np.abs(single - start).max())
        seen["differences"] = [abs(epoch.loss - expected.loss), abs(epoch.val_loss - expected.val_loss)]
        seen["differences"].append(float(np.abs(parallel - single).max()))
    terminalreporter.write_line(json.dumps(seen))
