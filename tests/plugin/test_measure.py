"""What a case is measured with: references beside rounds and parts, and the clock's accounts of each round."""

import os
from time import perf_counter, sleep
from types import SimpleNamespace

import pytest

from autoenc_bench.catalogue.scales import SCALES
from autoenc_bench.core.clock import CLOCK, Mode
from autoenc_bench.machine import reference
from autoenc_bench.plugin.fixtures import Measure
from autoenc_bench.plugin.progress import result
from autoenc_bench.records.case import Epoch
from autoenc_bench.records.case import case as read_case


class Benchmark:
    """Stands for pytest-benchmark's fixture, timed by the clock."""

    def __init__(self):
        self.extra_info = {}
        self.times = []

    def pedantic(self, target, args, setup, rounds, warmup_rounds):
        """Run the rounds as pytest-benchmark does."""
        for number in range(warmup_rounds + rounds):
            setup()
            started = CLOCK()
            value = target(*args)
            self.times += [CLOCK() - started] if number >= warmup_rounds else []
        return value


@pytest.fixture
def probe(monkeypatch):
    """Return a Measure whose reference workload takes 1, 2, 3, … seconds, by its own account."""
    seconds = iter(range(1, 99))
    monkeypatch.setattr(reference, "seconds", lambda: float(next(seconds)))
    facts = {"experiment": "digits", "phase": "epoch", "backend": "tensorflow", "seed": 0}
    progress = SimpleNamespace(epoch=lambda _: None)
    return Measure(Benchmark(), SCALES["standard"], facts, SimpleNamespace(progress=progress, pictures={}))


def noted(probe):
    """Return the case as a record has it."""
    return read_case(probe._benchmark.extra_info)


def test_rounds(probe):
    """Each round has the mean of the references before and after it, and the warm-up's has none."""
    probe(lambda: None, rows=1, rounds=3)
    assert noted(probe).reference == [2.5, 3.5, 4.5]


def test_parts(probe):
    """A whole experiment's time over its reference is the sum of its parts', each over what stood beside it."""

    def train():
        for done, seconds in enumerate((2.0, 0.01, 3.0), start=1):
            probe.epoch(done, Epoch(0.6, 0.6, seconds))

    probe(train, rows=1, rounds=1)
    (beside,) = noted(probe).reference
    assert 5.01 / beside == pytest.approx(2 / 1.5 + 3.01 / 2.5)


def test_references_are_not_timed(probe, monkeypatch):
    """What runs between a whole experiment's epochs is in none of its seconds."""

    def busy():
        until = perf_counter() + 0.05
        while perf_counter() < until:
            pass
        return 1.0

    monkeypatch.setattr(reference, "seconds", busy)
    probe(lambda: probe.epoch(1, Epoch(0.6, 0.6, 1.0)), rows=1, rounds=1)
    assert probe._benchmark.times[0] < 0.04
    assert sum(noted(probe).cpu) < 0.04


def test_planted_sleep(probe):
    """A case that sleeps in its rounds says so on its line, and for how long."""
    if not hasattr(os, "sched_setaffinity") or None in CLOCK.read():
        pytest.skip("this system does not pin, or does not tell what threads wait for")
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(usable)})
    try:
        probe(sleep, 0.1, rows=1, rounds=2)
    finally:
        os.sched_setaffinity(0, usable)
    case, times = noted(probe), probe._benchmark.times
    waited = case.waited(times, {"threads": 1, "pinned": True, "device": "CPU"})
    assert waited == pytest.approx(0.1, rel=0.2)
    assert "waited" in result(case, 0.1, waited=waited)


def test_set_up(probe):
    """What is set up outside the clock has an account of its own; a case without any has none."""

    def train():
        with CLOCK.during(Mode.SET_UP):
            sleep(0.02)

    probe(train, rows=1, rounds=2)
    assert len(noted(probe).set_up) == 2
    assert min(noted(probe).set_up) >= 0.02
    probe._benchmark.extra_info["autoenc"].pop("set_up")
    probe(lambda: None, rows=1, rounds=2)
    assert noted(probe).set_up is None
