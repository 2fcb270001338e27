"""What a case is measured with: references beside rounds and parts, and the clock's accounts of each round."""

import os
from time import perf_counter, sleep
from types import SimpleNamespace

import pytest

from autoenc_bench.catalogue.scales import SCALES
from autoenc_bench.core.clock import CLOCK, Mode
from autoenc_bench.core.counting import Counted
from autoenc_bench.machine import reference
from autoenc_bench.plugin.fixtures import Measure
from autoenc_bench.plugin.progress import result
from autoenc_bench.records.case import Epoch
from autoenc_bench.records.case import case as read_case
from autoenc_bench.records.counts import Counts


class Benchmark:
    """Stands for pytest-benchmark's fixture, timed by the clock."""

    name, enabled = "test_epoch[digits-fused]", False  # so nothing is counted

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
    return Measure(Benchmark(), SCALES["standard"], facts, SimpleNamespace(progress=progress, pictures={}, counts={}))


class Counting:
    """A call that can be counted, and says how often it was called."""

    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return []


@pytest.fixture
def counting(probe, monkeypatch):
    """Return a case that may count what it does, as it does where it is timed."""
    monkeypatch.setattr(Benchmark, "enabled", True)
    return probe


def in_turns(probe, *, aside):
    """Return another visit of the case, in a session that takes turns."""
    turns = SimpleNamespace(rounds=1, are_taken=False, between=[], aside=aside)
    facts = {"experiment": "digits", "phase": "epoch", "backend": "tensorflow", "seed": 0}
    return Measure(Benchmark(), SCALES["standard"], facts, probe._session, turns)


def test_counts(counting):
    """After its rounds a call is made once more, and counted."""
    call = Counting()
    counting(call, rows=1, rounds=3)
    assert call.calls == 1 + 3 + 1
    name = f"{__name__}:Counting.__call__"
    assert noted(counting).counts.calls == {"call": {name: 1}}
    assert len(noted(counting).reference) == 3


def test_own_counts(counting):
    """A case may say itself what it does."""
    counts = Counts(calls={"step": {"model:step": 3}})
    counting(lambda: None, rows=1, rounds=1, counts=lambda: Counted(counts, []))
    assert noted(counting).counts == counts


def test_nothing_is_counted(probe, counting, monkeypatch):
    """A case without counts, one that processes begin together, and one that is not timed are not counted."""
    call = Counting()
    counting(call, rows=1, rounds=1, counts=False)
    counting(call, rows=1, rounds=1, meet=lambda: None)
    monkeypatch.setattr(Benchmark, "enabled", False)
    counting(call, rows=1, rounds=1)
    assert call.calls == 3
    assert noted(probe).counts is None


def test_counts_in_turns(counting):
    """In turns a visit counts where it is asked to, and what it has found is the case's in later visits as well."""
    call = Counting()
    before, asked, after = (in_turns(counting, aside=aside) for aside in ("", "counts", ""))
    before(call, rows=1)
    assert (call.calls, noted(before).counts) == (2, None)
    asked(call, rows=1)
    assert call.calls == 4 + 1
    after(call, rows=1)
    assert call.calls == 6 + 1
    assert noted(after).counts == noted(asked).counts
    assert noted(after).counts is not None


def test_explained(counting, tmp_path):
    """The texts of programs, and where a call's time goes, are kept in the case's folder."""
    counting._explained = tmp_path
    text = "ENTRY %main.1 {\n  %x.7 = f32[] constant(1)\n}\n"
    counting(sleep, 0.01, rows=1, rounds=1, counts=lambda: Counted(Counts(), [text, text]))
    folder = tmp_path / "epoch[digits-fused]"
    assert {path.name for path in folder.iterdir()} == {"program-1.txt", "program-2.txt", "profile.txt"}
    assert (folder / "program-2.txt").read_text() == "ENTRY %main {\n  %x = f32[] constant(1)\n}\n"
    assert all(len(line.split("\t")) == 2 for line in (folder / "profile.txt").read_text().splitlines())


def test_explained_in_turns(counting, tmp_path):
    """In turns a visit keeps texts where it counts, and samples where it is asked to."""
    for aside, kept in (("", set()), ("counts", {"program-1.txt"}), ("profile", {"program-1.txt", "profile.txt"})):
        visit = in_turns(counting, aside=aside)
        visit._explained = tmp_path
        visit(sleep, 0.01, rows=1, counts=lambda: Counted(Counts(), ["ENTRY %main {\n}\n"]))
        assert {path.name for path in tmp_path.rglob("*.txt")} == kept


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
