"""The suite's one clock: it pauses for what is not measured, and knows what the process did while it ran.

Beside each round's wall seconds stand its CPU seconds and, where the system tells, for how long its cores were idle or
taken by the hypervisor, and threads stood in the run queue. What neither ran nor was kept from it has waited.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

import psutil

VERSION = 2  # part of a run's context; 1 counted fit's set-up, and its wait for a thread that only sleeps
THREADS = Path("/proc/self/task")


class Mode(Enum):
    """What the seconds count as that pass now."""

    RUN = "run"
    SET_UP = "set-up"
    PAUSE = "pause"


class Reading(NamedTuple):
    """Seconds since the clock was made; ``None`` is what the system does not tell."""

    wall: float
    set_up: float
    cpu: float  # of all threads
    queued: float | None  # ready to run and on no core, summed over threads, of which one may wait for another
    stolen: float | None  # taken by the hypervisor, of all cores that the process may use
    idle: float | None  # of these cores, in steps of 0.01


class Clock:
    """A timer as pytest-benchmark takes one: called, it returns the seconds that it ran."""

    __name__ = "clock"  # in records

    def __init__(self) -> None:
        self._mode = Mode.RUN
        self._wall = self._set_up = self._cpu = self._queued = self._stolen = self._idle = 0.0
        self._delays, self._cores = _delays(), _cores()
        self._cpu_since, self._since = process_time(), perf_counter()

    def __call__(self) -> float:
        return self._wall + (perf_counter() - self._since if self._mode is Mode.RUN else 0.0)

    def read(self) -> Reading:
        """Return what has passed; that takes some tenths of a millisecond, in which the clock stands still."""
        self.switch(self._mode)
        queued = self._queued if self._delays else None
        stolen, idle = (self._stolen, self._idle) if self._cores else (None, None)
        return Reading(self._wall, self._set_up, self._cpu, queued, stolen, idle)

    @contextmanager
    def during(self, mode: Mode) -> Iterator[Mode]:
        """Count a block's seconds as something else; yield what they counted as before, and do so afterwards."""
        before = self.switch(mode)
        try:
            yield before
        finally:
            self.switch(before)

    def switch(self, mode: Mode) -> Mode:
        """Count the seconds that follow as something else; return what they counted as before."""
        now, cpu, delays, cores = perf_counter(), process_time(), _delays(), _cores()
        before, passed = self._mode, now - self._since
        if before is Mode.RUN:
            self._wall += passed
            self._cpu += cpu - self._cpu_since
            # Threads come and go, so each is held against itself.
            self._queued += sum(delay - self._delays.get(thread, 0) for thread, delay in delays.items()) * 1e-9
            if cores and self._cores:
                self._stolen += cores[0] - self._cores[0]
                self._idle += cores[1] - self._cores[1]
        elif before is Mode.SET_UP:
            self._set_up += passed
        self._mode, self._delays, self._cores = mode, delays, cores
        self._cpu_since, self._since = process_time(), perf_counter()
        return before


def _delays() -> dict[str, int]:
    """Return how long each thread has waited for a core, in nanoseconds; none where Linux does not tell."""
    delays, ran = {}, 0
    with suppress(OSError):
        for thread in os.listdir(THREADS):  # noqa: PTH208 - pathlib takes five times as long, in each round
            with suppress(OSError):  # it has ended meanwhile
                with open(f"{THREADS}/{thread}/schedstat", "rb", buffering=0) as file:  # noqa: PTH123 - likewise
                    running, delays[thread], _ = map(int, file.read().split())
                ran += running
    return delays if ran else {}


def _cores() -> tuple[float, float] | None:
    """Return for how many seconds the cores that this process may use were stolen, and idle, since the system began."""
    try:
        cores = os.sched_getaffinity(0)
        times = psutil.cpu_times(percpu=True)
        used = [times[core] for core in cores]
        return sum(core.steal for core in used), sum(core.idle + core.iowait for core in used)
    except (AttributeError, IndexError, OSError):  # no Linux, or a container that hides its cores
        return None


CLOCK = Clock()
