"""Let the suite's clock pass by what is done, not by time: a pytest plugin for runs whose times are judged.

An epoch of ``fused`` takes 10 ms, a look at a clock a tick. ``RUN`` seeds by how much the epochs of a run differ.
"""

import os
import random

import plants
import pytest

EPOCH, TICK = 1e-2, 1e-5  # seconds
APART = 0.005  # of runs, and of the epochs of a run


class Work:
    """Seconds of what has been done."""

    def __init__(self):
        self.now = 0.0
        self._random = random.Random(os.environ["RUN"])
        self._run = self._random.gauss(1, APART)

    def look(self):
        """Return the seconds, one tick later."""
        self.now += TICK
        return self.now

    def timed(self, epoch):
        """Let an epoch take its time."""

        def run(*arguments):
            losses = epoch(*arguments)
            self.now += EPOCH * self._run * self._random.gauss(1, APART)
            return losses

        return run


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop():
    """Replace what looks at the time, now that threads are limited and Keras may be loaded."""
    from autoenc_bench.core import clock, training
    from autoenc_bench.machine import reference

    work = Work()
    for module in (clock, reference, plants):
        module.perf_counter = work.look
    clock.process_time = lambda: work.now
    clock._delays, clock._cores = dict, lambda: None  # as where the system tells nothing
    clock.CLOCK.__init__()
    training.Fused._epoch = work.timed(training.Fused._epoch)
