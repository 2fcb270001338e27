"""The clock stands still when told to, and tells waiting from working and from a neighbour's work on the core."""

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
    """Return a machine on which only a test lets time pass."""
    return Machine(monkeypatch, tmp_path / "task")


def lap(target):
    """Return what the clock tells of a function's round, as a record has it."""
    watch = Clock()
    before = watch.read()
    target()
    passed = [end - begin for begin, end in zip(before, watch.read(), strict=True)]
    return dict(zip(Reading._fields, passed, strict=True))


def waited(one):
    """Return for how long a record would say that a case of one such round waited."""
    accounts = {name: [one[name]] for name in ("cpu", "queued", "stolen", "idle")}
    case = Case(experiment="digits", phase="epoch", backend="jax", seed=0, rows=1, **accounts)
    return case.unusual_off_cpu([one["wall"]], ALONE)


def test_sleep(machine):
    """What a round sleeps is waiting, however long it also computes."""

    def target():
        machine.work(0.2)
        machine.sleep(0.1)
        machine.work(0.2)

    one = lap(target)
    assert (one["wall"], one["cpu"]) == pytest.approx((0.5, 0.4))
    assert one["idle"] == pytest.approx(0.1, abs=1.01 * STEP)
    assert waited(one) == pytest.approx(0.1)


def test_competitor(machine):
    """What somebody else computes on the core is no waiting, though the round takes twice as long for it."""

    def target():
        machine.work(0.3)
        machine.queue(0.5)
        machine.work(0.2)

    one = lap(target)
    assert (one["wall"], one["cpu"], one["queued"]) == pytest.approx((1.0, 0.5, 0.5))
    assert waited(one) is None


def test_late_waking(machine):
    """Who wakes late, for a neighbour has the core, or for the hypervisor has, waited only while the core was idle."""

    def target():
        machine.work(0.4)
        machine.sleep(0.1)
        machine.queue(0.04)
        machine.steal(0.06)

    one = lap(target)
    assert (one["wall"], one["stolen"]) == pytest.approx((0.6, 0.06))
    assert waited(one) == pytest.approx(0.1)


def test_threads(machine):
    """A thread's time in the queue counts from where it stood: all of one that begins, no more of one that ends."""
    machine.thread(2, queued=5.0)

    def target():
        machine.queue(0.25)
        machine.thread(3, ran=0.5, queued=0.75)
        machine.end(2)

    assert lap(target)["queued"] == pytest.approx(0.25 + 0.75)


def test_this_system():
    """What this system tells of itself never falls, nor does the clock."""
    watch = Clock()
    before, seconds = watch.read(), watch()
    after = watch.read()
    assert watch() >= seconds >= 0
    for one, other in zip(before, after, strict=True):
        assert (one is None) is (other is None)
        assert one is None or one <= other
    assert None not in (before.wall, before.set_up, before.cpu)


def test_waiting_of_one_pinned_thread():
    """Where several threads run, or an accelerator does, seconds without the CPU say nothing; nor without a core's."""
    accounts = {"cpu": [0.5], "queued": [0.4], "stolen": [0.0], "idle": [0.51]}
    case = Case(experiment="digits", phase="epoch", backend="jax", seed=0, rows=1, **accounts)
    assert case.unusual_off_cpu([1.0], ALONE) == pytest.approx(0.5)
    for name, other in (("threads", 2), ("pinned", False), ("device", "H100")):
        assert case.unusual_off_cpu([1.0], {**ALONE, name: other}) is None
    assert replace(case, idle=None).unusual_off_cpu([1.0], ALONE) is None


@pytest.mark.parametrize(
    ("queued", "stolen", "idle", "waiting"),
    [
        (0.4, 0.0, 0.51, 0.5),  # threads of the process kept each other waiting, and nobody else had the core
        (0.4, 0.0, 0.0, 0.1),  # a neighbour had it, for longer than the process was ready
        (0.5, 0.0, 0.01, 0.0),
        (0.9, 0.0, 0.21, 0.2),  # both
        (0.0, 0.5, 0.0, 0.0),
        (0.0, 0.3, 0.2, 0.2),
    ],
)
def test_waiting(queued, stolen, idle, waiting):
    """Of a second with half of it computed, what was not stolen, nor a neighbour's while somebody was ready, waited."""
    accounts = {"cpu": [0.5], "queued": [queued], "stolen": [stolen], "idle": [idle]}
    case = Case(experiment="digits", phase="epoch", backend="jax", seed=0, rows=1, **accounts)
    assert case.off_cpu([1.0]) == pytest.approx(waiting)


def test_paused(machine):
    """Paused, the clock stands still, and goes on as what it was; set-up has an account of its own."""
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
    """What it takes to read the clock is in none of its accounts."""
    monkeypatch.setattr(clock, "_delays", lambda: machine.work(3) or {})
    watch = Clock()
    for _ in range(2):
        reading = watch.read()
    assert (reading.wall, reading.cpu) == (0, 0)


def test_system_that_tells_nothing(monkeypatch, tmp_path):
    """Where the system tells nothing of queues and stolen time, neither does the clock."""
    monkeypatch.setattr(clock, "THREADS", tmp_path / "none")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    reading = Clock().read()
    assert (reading.queued, reading.stolen, reading.idle) == (None, None, None)
    assert reading.cpu >= 0
