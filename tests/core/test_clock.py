"""The clock stands still when told to, and tells waiting from working and from a neighbour's work on the core."""

import os
import subprocess
import sys
from time import perf_counter, sleep

import pytest
from msgspec.structs import replace

from autoenc_bench.core import clock
from autoenc_bench.core.clock import Clock, Mode, Reading
from autoenc_bench.records.case import Case

ALONE = {"threads": 1, "pinned": True, "device": "CPU"}


def work(seconds):
    """Keep the core busy until so much time has passed."""
    until = perf_counter() + seconds
    while perf_counter() < until:
        pass


@pytest.fixture
def core():
    """Pin this thread to one core; return its number."""
    if not hasattr(os, "sched_setaffinity") or None in Clock().read():
        pytest.skip("this system does not tell how long threads stand in the queue")
    usable = os.sched_getaffinity(0)
    chosen = max(usable)
    os.sched_setaffinity(0, {chosen})
    yield chosen
    os.sched_setaffinity(0, usable)


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
    return case.waited([one["wall"]], ALONE)


@pytest.mark.usefixtures("core")
def test_sleep():
    """What a round sleeps is waiting, to within a few per cent of it."""
    slept = 0.0

    def target():
        nonlocal slept
        work(0.2)
        begun = perf_counter()
        sleep(0.1)
        slept = perf_counter() - begun

    assert waited(lap(target)) == pytest.approx(slept, rel=0.2)


def test_competitor(core):
    """What somebody else computes on the core is no waiting, though the round takes twice as long for it."""
    pin = f"import os; os.sched_setaffinity(0, {{{core}}}); print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", pin], stdout=subprocess.PIPE) as other:
        try:
            other.stdout.readline()
            one = lap(lambda: work(0.5))
        finally:
            other.kill()
    assert one["queued"] > 0.1 * one["wall"]
    assert waited(one) is None


def test_waiting_of_one_pinned_thread():
    """Where several threads run, or an accelerator does, seconds without the CPU say nothing; nor without a core's."""
    accounts = {"cpu": [0.5], "queued": [0.4], "stolen": [0.0], "idle": [0.51]}
    case = Case(experiment="digits", phase="epoch", backend="jax", seed=0, rows=1, **accounts)
    assert case.waited([1.0], ALONE) == pytest.approx(0.5)
    for name, other in (("threads", 2), ("pinned", False), ("device", "H100")):
        assert case.waited([1.0], {**ALONE, name: other}) is None
    assert replace(case, idle=None).waited([1.0], ALONE) is None


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
    assert case.waiting([1.0]) == pytest.approx(waiting)


def test_paused():
    """Paused, the clock stands still, and goes on as what it was; set-up has an account of its own."""
    watch = Clock()
    with watch.during(Mode.PAUSE):
        stopped = watch()
        work(0.01)
        assert watch() == stopped
    work(0.01)
    assert watch() > stopped
    watch.switch(Mode.SET_UP)
    before = watch.read()
    with watch.during(Mode.PAUSE):
        work(0.01)
    between = watch.read()
    work(0.01)
    after = watch.read()
    watch.switch(Mode.RUN)
    assert after.wall == between.wall == before.wall
    assert after.cpu == before.cpu
    assert between.set_up - before.set_up < 0.01 <= after.set_up - between.set_up
    work(0.01)
    assert watch.read().wall > after.wall


def test_system_that_tells_nothing(monkeypatch, tmp_path):
    """Where the system tells nothing of queues and stolen time, neither does the clock."""
    monkeypatch.setattr(clock, "THREADS", tmp_path / "none")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    reading = Clock().read()
    assert (reading.queued, reading.stolen, reading.idle) == (None, None, None)
    assert reading.cpu >= 0
