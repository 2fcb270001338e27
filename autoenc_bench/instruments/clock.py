"""The suite's one clock: it pauses for what is not measured, and accounts for what the process did in a round.

Besides wall seconds it reports CPU seconds and, where the system reports them, the seconds in which the process's cores
were idle or taken by the hypervisor, and in which threads stood in the run queue. The rest is off-CPU time.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

import psutil

VERSION = 2  # part of a run's context; version 1 counted fit's set-up, and its wait for a sleeping thread
THREADS = Path("/proc/self/task")


class Mode(Enum):
    """What the clock counts the current seconds as."""

    RUN = "run"
    SET_UP = "set-up"
    PAUSE = "pause"


class Reading(NamedTuple):
    """Seconds since the clock was made; ``None`` if the system does not report them."""

    wall: float
    set_up: float
    cpu: float  # of all threads
    queued: float | None  # ready to run but on no core, summed over threads, which may wait for each other
    stolen: float | None  # taken by the hypervisor, of all cores that the process may use
    idle: float | None  # of these cores, in steps of 0.01


class Clock:
    """A timer for pytest-benchmark: a call returns the seconds in mode ``RUN``."""

    __name__ = "clock"  # in records

    def __init__(self) -> None:
        self._mode = Mode.RUN
        self._wall = self._set_up = self._cpu = self._queued = self._stolen = self._idle = 0.0
        self._delays, self._cores = _delays(), _cores()
        self._cpu_since, self._since = process_time(), perf_counter()

    def __call__(self) -> float:
        return self._wall + (perf_counter() - self._since if self._mode is Mode.RUN else 0.0)

    def read(self) -> Reading:
        """Return all accounts; this takes tenths of a millisecond, in which the clock stands still."""
        self.switch(self._mode)
        queued = self._queued if self._delays else None
        stolen, idle = (self._stolen, self._idle) if self._cores else (None, None)
        return Reading(self._wall, self._set_up, self._cpu, queued, stolen, idle)

    @contextmanager
    def during(self, mode: Mode) -> Iterator[Mode]:
        """Switch to a mode for a block; yield the previous mode, and switch back to it afterwards."""
        before = self.switch(mode)
        try:
            yield before
        finally:
            self.switch(before)

    def switch(self, mode: Mode) -> Mode:
        """Add the past seconds to the accounts and switch to a mode; return the previous mode."""
        now, cpu, delays, cores = perf_counter(), process_time(), _delays(), _cores()
        before, passed = self._mode, now - self._since
        if before is Mode.RUN:
            self._wall += passed
            self._cpu += cpu - self._cpu_since
            # Thread by thread, because threads begin and end.
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
    """Return how long each thread stood in the run queue, in nanoseconds; empty if Linux does not count that."""
    delays, ran = {}, 0
    with suppress(OSError):
        for thread in os.listdir(THREADS):  # noqa: PTH208 - pathlib takes five times as long, in each round
            with suppress(OSError):  # the thread has ended
                with open(f"{THREADS}/{thread}/schedstat", "rb", buffering=0) as file:  # noqa: PTH123 - the same
                    running, delays[thread], _ = map(int, file.read().split())
                ran += running
    return delays if ran else {}


def _cores() -> tuple[float, float] | None:
    """Return the stolen and the idle seconds of the cores that this process may use, since the system began."""
    try:
        times = psutil.cpu_times(percpu=True)
        used = [times[core] for core in os.sched_getaffinity(0)]
        return sum(core.steal for core in used), sum(core.idle + core.iowait for core in used)
    except (AttributeError, IndexError, OSError):  # no Linux, or a container that hides its cores
        return None


CLOCK = Clock()
