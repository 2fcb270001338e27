"""The clock pauses, and separates off-CPU time from work and from a neighbour's work on the core."""

import os

import pytest
from msgspec.structs import replace
from simulated import STEP, Machine

from autoenc_bench.instruments import clock
from autoenc_bench.instruments.clock import Clock, Mode, Reading
from autoenc_bench.records.case import Case

ALONE = {"threads": 1, "pinned": True, "device": "CPU"}


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Return a machine whose time only a test advances."""
    return Machine(monkeypatch, tmp_path / "task")


def lap(target):
    """Return the clock's accounts of a function's round, as in a record."""
    watch = Clock()
    before = watch.read()
    target()
    passed = [end - begin for begin, end in zip(before, watch.read(), strict=True)]
    return dict(zip(Reading._fields, passed, strict=True))


def waited(account):
    """Return the off-CPU time that a record would report of a case with this round."""
    accounts = {name: [account[name]] for name in ("cpu", "queued", "stolen", "idle")}
    case = Case(experiment="digits", phase="epoch", backend="jax", seed=0, rows=1, **accounts)
    return case.unusual_off_cpu([account["wall"]], ALONE)


def test_sleep(machine):
    """Sleep in a round is off-CPU time, even if the round also computes."""

    def target():
        machine.work(0.2)
        machine.sleep(0.1)
        machine.work(0.2)

    account = lap(target)
    assert (account["wall"], account["cpu"]) == pytest.approx((0.5, 0.4))
    assert account["idle"] == pytest.approx(0.1, abs=1.01 * STEP)
    assert waited(account) == pytest.approx(0.1)


def test_competitor(machine):
    """A neighbour's work on the core is no off-CPU time, even if it doubles the round."""

    def target():
        machine.work(0.3)
        machine.queue(0.5)
        machine.work(0.2)

    account = lap(target)
    assert (account["wall"], account["cpu"], account["queued"]) == pytest.approx((1.0, 0.5, 0.5))
    assert waited(account) is None


def test_late_waking(machine):
    """If a process wakes late because another one, or the hypervisor, uses the core, only idle time is off-CPU time."""

    def target():
        machine.work(0.4)
        machine.sleep(0.1)
        machine.queue(0.04)
        machine.steal(0.06)

    account = lap(target)
    assert (account["wall"], account["stolen"]) == pytest.approx((0.6, 0.06))
    assert waited(account) == pytest.approx(0.1)


def test_threads(machine):
    """Time in the queue counts per thread: all of a thread that begins meanwhile, none of one that ends."""
    machine.thread(2, queued=5.0)

    def target():
        machine.queue(0.25)
        machine.thread(3, ran=0.5, queued=0.75)
        machine.end(2)

    assert lap(target)["queued"] == pytest.approx(0.25 + 0.75)


def test_this_system():
    """On this system no account of the clock decreases."""
    watch = Clock()
    before, seconds = watch.read(), watch()
    after = watch.read()
    assert watch() >= seconds >= 0
    for earlier, later in zip(before, after, strict=True):
        assert (earlier is None) is (later is None)
        assert earlier is None or earlier <= later
    assert None not in (before.wall, before.set_up, before.cpu)


def test_off_cpu_time_of_one_pinned_thread():
    """Off-CPU time is known only for one pinned thread, on the CPU, on a system that reports idle time."""
    accounts = {"cpu": [0.5], "queued": [0.4], "stolen": [0.0], "idle": [0.51]}
    case = Case(experiment="digits", phase="epoch", backend="jax", seed=0, rows=1, **accounts)
    assert case.unusual_off_cpu([1.0], ALONE) == pytest.approx(0.5)
    for name, value in (("threads", 2), ("pinned", False), ("device", "H100")):
        assert case.unusual_off_cpu([1.0], {**ALONE, name: value}) is None
    assert replace(case, idle=None).unusual_off_cpu([1.0], ALONE) is None


@pytest.mark.parametrize(
    ("queued", "stolen", "idle", "off_cpu"),
    [
        (0.4, 0.0, 0.51, 0.5),  # threads of the process waited for each other, and no other process had the core
        (0.4, 0.0, 0.0, 0.1),  # a neighbour had the core, for longer than the process was ready
        (0.5, 0.0, 0.01, 0.0),
        (0.9, 0.0, 0.21, 0.2),  # both
        (0.0, 0.5, 0.0, 0.0),
        (0.0, 0.3, 0.2, 0.2),
    ],
)
def test_off_cpu_time(queued, stolen, idle, off_cpu):
    """In a second with half a second of CPU time, the rest is off-CPU, less stolen time and preemption."""
    accounts = {"cpu": [0.5], "queued": [queued], "stolen": [stolen], "idle": [idle]}
    case = Case(experiment="digits", phase="epoch", backend="jax", seed=0, rows=1, **accounts)
    assert case.off_cpu([1.0]) == pytest.approx(off_cpu)


def test_paused(machine):
    """A paused clock stands still, and continues in its previous mode; set-up has an account of its own."""
    watch = Clock()
    with watch.during(Mode.PAUSE):
        machine.work(1)
        assert watch() == 0
    machine.work(2)
    assert watch() == 2
    watch.switch(Mode.SET_UP)
    machine.work(4)
    with watch.during(Mode.PAUSE) as before:
        assert before is Mode.SET_UP
        machine.work(8)
    machine.work(16)
    assert watch.switch(Mode.RUN) is Mode.SET_UP
    machine.work(32)
    reading = watch.read()
    assert (reading.wall, reading.cpu, reading.set_up) == (34, 34, 20)


def test_reading_stands_still(machine, monkeypatch):
    """The time to read the clock is in none of its accounts."""
    monkeypatch.setattr(clock, "_delays", lambda: machine.work(3) or {})
    watch = Clock()
    for _ in range(2):
        reading = watch.read()
    assert (reading.wall, reading.cpu) == (0, 0)


def test_system_without_accounts(monkeypatch, tmp_path):
    """If the system reports no queues and no stolen time, the clock reports None."""
    monkeypatch.setattr(clock, "THREADS", tmp_path / "none")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    reading = Clock().read()
    assert (reading.queued, reading.stolen, reading.idle) == (None, None, None)
    assert reading.cpu >= 0
