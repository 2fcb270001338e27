"""How a case is measured: its rounds, the reference workload and the clock's readings beside them, its counts."""

from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

import pyinstrument
import pytest
from simulated import Machine

from autoenc_bench.catalogue.scales import SCALES
from autoenc_bench.instruments import reference_workload as reference
from autoenc_bench.instruments.call_counts import Counted
from autoenc_bench.instruments.clock import Clock, Mode
from autoenc_bench.plugin import artifacts, fixtures
from autoenc_bench.plugin.fixtures import Measure
from autoenc_bench.plugin.progress import result
from autoenc_bench.plugin.session import SESSION
from autoenc_bench.plugin.turns import TURNS
from autoenc_bench.records.case import IDLE_STEP, Epoch
from autoenc_bench.records.counts import Counts
from autoenc_bench.records.validation import convert_case


class Benchmark:
    """A stand-in for pytest-benchmark's fixture, timed by a clock."""

    name = "test_epoch[digits-fused]"

    def __init__(self, clock):
        self.clock = clock
        self.enabled = True  # not with --benchmark-disable
        self.extra_info = {}
        self.times = []

    def pedantic(self, target, args, setup, rounds, warmup_rounds):
        """Run the rounds as pytest-benchmark does: only one, without a warm-up, if timing is off."""
        for number in range(warmup_rounds + rounds if self.enabled else 1):
            setup()
            started = self.clock()
            value = target(*args)
            self.times += [self.clock() - started] if number >= warmup_rounds and self.enabled else []
        return value


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Return a simulated machine, whose time passes only when a test advances it."""
    return Machine(monkeypatch, tmp_path / "task")


@pytest.fixture
def clock(machine, monkeypatch):  # noqa: ARG001 - the clock reads it
    """Return the plugin's clock, on that machine."""
    made = Clock()
    monkeypatch.setattr(fixtures, "CLOCK", made)
    return made


@pytest.fixture
def probe(clock, monkeypatch):
    """Return a Measure whose reference workload reports 1, 2, 3, … seconds."""
    seconds = iter(range(1, 99))
    monkeypatch.setattr(reference, "seconds", lambda: float(next(seconds)))
    session = SimpleNamespace(progress=SimpleNamespace(epoch=lambda _: None), pictures={}, counts={})
    return made(clock, session, None)


def made(clock, session, turns, explained=None):
    """Make a Measure of an epoch."""
    facts = {"experiment": "digits", "phase": "epoch", "backend": "tensorflow", "seed": 0}
    config = SimpleNamespace(stash={SESSION: session, TURNS: turns}, option=SimpleNamespace(explain=explained))
    return Measure(Benchmark(clock), SCALES["standard"], facts, config)


class Counting:
    """A call that counts how often it was called."""

    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return []


def interleaved(probe, *, aside, explained=None):
    """Return a Measure for another visit of the case, in a session of a live comparison."""
    turns = SimpleNamespace(rounds=1, is_interleaved=False, between=[], instrumentation=aside)
    return made(probe._benchmark.clock, probe._session, turns, explained)


def test_counts(probe):
    """After the rounds, one more call is made and counted."""
    call = Counting()
    probe(call, rows=1, rounds=3)
    assert call.calls == 1 + 3 + 1
    name = f"{__name__}:Counting.__call__"
    assert noted(probe).counts.calls == {"call": {name: 1}}
    assert len(noted(probe).reference) == 3


def test_own_counts(probe):
    """A case may return its own counts."""
    counts = Counts(calls={"step": {"model:step": 3}})
    probe(lambda: None, rows=1, rounds=1, counts=lambda: Counted(counts, []))
    assert noted(probe).counts == counts


def test_no_counts(probe):
    """Nothing is counted with counts=False, nor if several processes begin a round together."""
    call = Counting()
    probe(call, rows=1, rounds=1, counts=False)
    probe(call, rows=1, rounds=1, meet=lambda: None)
    assert call.calls == 2 * 2
    assert noted(probe).counts is None


@pytest.mark.parametrize("rounds", [1, 3])
@pytest.mark.parametrize("warm_up", [True, False])
def test_warm_up(probe, rounds, warm_up):
    """The warm-up depends only on the case, not on the number of rounds, so a single round is steady too."""
    call = Counting()
    probe(call, rows=1, rounds=rounds, warm_up=warm_up, counts=False)
    assert call.calls == rounds + warm_up
    assert len(probe._benchmark.times) == len(noted(probe).reference) == rounds


@pytest.mark.parametrize("rounds", [None, 1, 3])
def test_timing_off(probe, rounds):
    """With timing off, a case with any number of rounds runs once, returns its result and is not counted."""
    probe._benchmark.enabled = False
    call = Counting()
    assert probe(call, rows=1, rounds=rounds) == []
    assert call.calls == 1
    assert noted(probe).counts is None
    assert noted(probe).reference == [1.5]


def test_interleaved_counts(probe):
    """In a live comparison one visit counts, and later visits of the case have its counts too."""
    call = Counting()
    before, counting, after = (interleaved(probe, aside=aside) for aside in ("", "counts", ""))
    before(call, rows=1)
    assert (call.calls, noted(before).counts) == (2, None)
    counting(call, rows=1)
    assert call.calls == 4 + 1
    after(call, rows=1)
    assert call.calls == 6 + 1
    assert noted(after).counts == noted(counting).counts
    assert noted(after).counts is not None


@pytest.fixture
def sampled(monkeypatch):
    """Replace the profiler by one that finds two functions in each call, one of which calls the other."""
    step = SimpleNamespace(function="step", file_path_short="model.py", total_self_time=0.2, is_synthetic=False)
    train = SimpleNamespace(function="train", file_path_short="model.py", total_self_time=0.1, is_synthetic=False)
    step.children, train.children = [], [step]

    @contextmanager
    def profiler(**_):
        yield SimpleNamespace(last_session=SimpleNamespace(root_frame=lambda: train))

    now = iter([10.0, 10.4, 10.8, 11.2])
    monkeypatch.setattr(artifacts, "perf_counter", lambda: next(now))
    monkeypatch.setattr(pyinstrument, "Profiler", profiler)


@pytest.mark.usefixtures("sampled")
def test_explained(probe, tmp_path):
    """With --explain, the programs' texts and the profile of a call are written to the case's folder."""
    probe._explained = tmp_path / "why"
    text, call = "ENTRY %main.1 {\n  %x.7 = f32[] constant(1)\n}\n", Counting()
    probe(call, rows=1, rounds=1, counts=lambda: Counted(Counts(), [text, text]))
    folder = tmp_path / "why" / "epoch[digits-fused]"
    assert {path.name for path in folder.iterdir()} == {"program-1.txt", "program-2.txt", "profile.txt"}
    assert (folder / "program-2.txt").read_text() == "ENTRY %main {\n  %x = f32[] constant(1)\n}\n"
    assert (folder / "profile.txt").read_text() == "0.2\tstep (model.py)\n0.1\ttrain (model.py)\n"
    assert call.calls == 2 + 3, "calls that take 0.4 s each are sampled for a second"


@pytest.mark.usefixtures("sampled")
def test_interleaved_explanations(probe, tmp_path):
    """In a live comparison, the visit that counts writes the programs, and the one that samples the profile."""
    for aside, kept in (("", set()), ("counts", {"program-1.txt"}), ("profile", {"program-1.txt", "profile.txt"})):
        visit = interleaved(probe, aside=aside, explained=tmp_path / "why")
        visit(Counting(), rows=1, counts=lambda: Counted(Counts(), ["ENTRY %main {\n}\n"]))
        assert {path.name for path in (tmp_path / "why").rglob("*.txt")} == kept


def noted(probe):
    """Return the case as it is in the record."""
    return convert_case(probe._benchmark.extra_info)


def test_rounds(probe):
    """Each round but the warm-up has the mean of the reference workloads before and after it."""
    probe(lambda: None, rows=1, rounds=3)
    assert noted(probe).reference == [1.5, 2.5, 3.5]


def test_parts(probe):
    """The referenced time of a whole experiment is the sum of its parts' referenced times."""

    def train():
        for done, seconds in enumerate((2.0, 0.01, 3.0), start=1):
            probe.epoch(done, Epoch(0.6, 0.6, seconds))

    probe(train, rows=1, rounds=1, warm_up=False)
    (beside,) = noted(probe).reference
    assert 5.01 / beside == pytest.approx(2 / 1.5 + 3.01 / 2.5)


def test_references_are_not_timed(probe, machine, monkeypatch):
    """The reference workload between the epochs of a whole experiment is not timed."""

    def busy():
        machine.work(0.05)
        return 1.0

    def train():
        machine.work(0.5)
        probe.epoch(1, Epoch(0.6, 0.6, 0.5))
        machine.work(0.25)

    monkeypatch.setattr(reference, "seconds", busy)
    probe(train, rows=1, rounds=1)
    assert probe._benchmark.times == pytest.approx([0.75])
    assert noted(probe).cpu == pytest.approx([0.75])


def test_accounts(probe, machine, monkeypatch):
    """The clock's readings cover only the round: not its set-up, the reference workload or the barrier before it."""

    def use(seconds):
        machine.work(seconds)
        machine.queue(2 * seconds)
        machine.steal(3 * seconds)
        machine.sleep(4 * seconds)
        return seconds

    monkeypatch.setattr(reference, "seconds", lambda: use(100.0))
    probe(use, 0.5, rows=1, rounds=2, setup=lambda: use(10.0), meet=lambda: use(1000.0))
    accounts, times = noted(probe), probe._benchmark.times
    assert times == pytest.approx([5.0] * 2)
    assert accounts.cpu == pytest.approx([0.5] * 2)
    assert accounts.queued == pytest.approx([1.0] * 2)
    assert accounts.stolen == pytest.approx([1.5] * 2)
    assert accounts.idle == pytest.approx([2.0] * 2)
    assert accounts.off_cpu(times) == pytest.approx(2.0, abs=IDLE_STEP)


def test_order(probe, monkeypatch):
    """Before a round come its set-up, which may take long, then the reference workload, then the barrier."""
    did = []
    monkeypatch.setattr(reference, "seconds", lambda: did.append("reference") or 1.0)
    target, setup, meet = (partial(did.append, name) for name in ("round", "set-up", "meet"))
    probe(target, rows=1, rounds=2, setup=setup, meet=meet)
    warm_up, timed = ["set-up", "meet", "round"], ["set-up", "reference", "meet", "round"]
    assert did == warm_up + timed * 2 + ["reference"]


def test_injected_sleep(probe, machine):
    """The line of a case that sleeps in its rounds shows its off-CPU time."""

    def target():
        machine.work(0.3)
        machine.sleep(0.1)

    probe(target, rows=1, rounds=2)
    case, times = noted(probe), probe._benchmark.times
    off_cpu = case.unusual_off_cpu(times, {"threads": 1, "pinned": True, "device": "CPU"})
    assert off_cpu == pytest.approx(0.1)
    assert "off-CPU 100 ms, 25 %" in result(case, 0.4, off_cpu=off_cpu)


def test_set_up(probe, machine, clock):
    """Set-up outside the clock is recorded separately; a case without any has no such field."""

    def train():
        with clock.during(Mode.SET_UP):
            machine.work(0.02)
        machine.work(0.1)

    probe(train, rows=1, rounds=2)
    assert probe._benchmark.times == pytest.approx([0.1] * 2)
    assert noted(probe).set_up == pytest.approx([0.02] * 2)
    probe._benchmark.extra_info["autoenc"].pop("set_up")
    probe(lambda: None, rows=1, rounds=2)
    assert noted(probe).set_up is None
