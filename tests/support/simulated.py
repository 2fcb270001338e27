"""A machine whose time passes only where a test advances it, as the suite's clock reads it."""

import os
from types import SimpleNamespace

import psutil

from autoenc_bench.instruments import clock

CORE = 1  # the only one of two that the process may use
STEP = 0.01  # seconds in which the system counts idle time


class Machine:
    """A core with one thread of ours, a neighbour and a hypervisor; each method advances time for one of them."""

    def __init__(self, monkeypatch, folder):
        self.now = self.cpu = 100.0
        self._stolen = self._idle = 50.0
        self._folder, self._threads = folder, {}
        self.thread(1)
        monkeypatch.setattr(clock, "THREADS", folder)
        monkeypatch.setattr(clock, "perf_counter", lambda: self.now)
        monkeypatch.setattr(clock, "process_time", lambda: self.cpu)
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: {CORE}, raising=False)
        monkeypatch.setattr(psutil, "cpu_times", self._cpu_times)

    def _cpu_times(self, percpu):
        assert percpu
        idle = self._idle // STEP * STEP
        return [
            SimpleNamespace(steal=7 * self.now, idle=5 * self.now, iowait=3 * self.now),  # the core of others
            SimpleNamespace(steal=self._stolen, idle=0.75 * idle, iowait=0.25 * idle),
        ]

    def thread(self, number, ran=1.0, queued=2.0):
        """Begin a thread, or set for how long it ran and stood in the queue."""
        self._threads[number] = ran, queued
        folder = self._folder / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "schedstat").write_text(f"{ran * 1e9:.0f} {queued * 1e9:.0f} 17\n")

    def end(self, number):
        """End a thread; its folder stays listed for a moment, and is empty."""
        del self._threads[number]
        (self._folder / str(number) / "schedstat").unlink()

    def work(self, seconds, number=1):
        """Compute in a thread of the process."""
        self.now += seconds
        self.cpu += seconds
        ran, queued = self._threads[number]
        self.thread(number, ran + seconds, queued)

    def queue(self, seconds, number=1):
        """Keep a thread in the run queue, while a neighbour computes on the core."""
        self.now += seconds
        ran, queued = self._threads[number]
        self.thread(number, ran, queued + seconds)

    def steal(self, seconds):
        """Give the core to the hypervisor's other guests."""
        self.now += seconds
        self._stolen += seconds

    def sleep(self, seconds):
        """Let the process sleep, and the core be idle."""
        self.now += seconds
        self._idle += seconds


def giving(value):
    """Return a function that gives the value, or raises it."""

    def read(*_args, **_keywords):
        if isinstance(value, Exception):
            raise value
        return value

    return read
