"""What a case is measured with: references beside rounds and parts, and the clock's accounts of each round."""

from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

import pyinstrument
import pytest
from simulated import Machine

from autoenc_bench.catalogue.scales import SCALES
from autoenc_bench.instruments import reference
from autoenc_bench.instruments.call_counts import Counted
from autoenc_bench.instruments.clock import Clock, Mode
from autoenc_bench.plugin import artifacts, fixtures
from autoenc_bench.plugin.fixtures import Measure
from autoenc_bench.plugin.progress import result
from autoenc_bench.records.case import IDLE_STEP, Epoch
from autoenc_bench.records.case import case as read_case
from autoenc_bench.records.counts import Counts


class Benchmark:
    """Stands for pytest-benchmark's fixture, timed by a clock."""

    name = "test_epoch[digits-fused]"

    def __init__(self, clock):
        self.clock = clock
        self.enabled = True  # not with --benchmark-disable
        self.extra_info = {}
        self.times = []

    def pedantic(self, target, args, setup, rounds, warmup_rounds):
        """Run the rounds as pytest-benchmark does: one alone, and no warm-up, where timing is off."""
        for number in range(warmup_rounds + rounds if self.enabled else 1):
            setup()
            started = self.clock()
            value = target(*args)
            self.times += [self.clock() - started] if number >= warmup_rounds and self.enabled else []
        return value


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Return a machine on which only a test lets time pass."""
    return Machine(monkeypatch, tmp_path / "task")


@pytest.fixture
def clock(machine, monkeypatch):  # noqa: ARG001 - the clock reads it
    """Return the clock of the plugin, begun on that machine."""
    made = Clock()
    monkeypatch.setattr(fixtures, "CLOCK", made)
    return made


@pytest.fixture
def probe(clock, monkeypatch):
    """Return a Measure whose reference workload takes 1, 2, 3, … seconds, by its own account."""
    seconds = iter(range(1, 99))
    monkeypatch.setattr(reference, "seconds", lambda: float(next(seconds)))
    facts = {"experiment": "digits", "phase": "epoch", "backend": "tensorflow", "seed": 0}
    session = SimpleNamespace(progress=SimpleNamespace(epoch=lambda _: None), pictures={}, counts={})
    return Measure(Benchmark(clock), SCALES["standard"], facts, session)


class Counting:
    """A call that can be counted, and says how often it was called."""

    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return []


def in_turns(probe, *, aside):
    """Return another visit of the case, in a session that takes turns."""
    turns = SimpleNamespace(rounds=1, is_interleaved=False, between=[], instrumentation=aside)
    facts = {"experiment": "digits", "phase": "epoch", "backend": "tensorflow", "seed": 0}
    return Measure(Benchmark(probe._benchmark.clock), SCALES["standard"], facts, probe._session, turns)


def test_counts(probe):
    """After its rounds a call is made once more, and counted."""
    call = Counting()
    probe(call, rows=1, rounds=3)
    assert call.calls == 1 + 3 + 1
    name = f"{__name__}:Counting.__call__"
    assert noted(probe).counts.calls == {"call": {name: 1}}
    assert len(noted(probe).reference) == 3


def test_own_counts(probe):
    """A case may say itself what it does."""
    counts = Counts(calls={"step": {"model:step": 3}})
    probe(lambda: None, rows=1, rounds=1, counts=lambda: Counted(counts, []))
    assert noted(probe).counts == counts


def test_nothing_is_counted(probe):
    """A case without counts, and one that processes begin together, are not counted."""
    call = Counting()
    probe(call, rows=1, rounds=1, counts=False)
    probe(call, rows=1, rounds=1, meet=lambda: None)
    assert call.calls == 2 * 2
    assert noted(probe).counts is None


@pytest.mark.parametrize("rounds", [1, 3])
@pytest.mark.parametrize("warm_up", [True, False])
def test_warm_up(probe, rounds, warm_up):
    """What a case warms up with depends on the case alone: a single round is as steady as several."""
    call = Counting()
    probe(call, rows=1, rounds=rounds, warm_up=warm_up, counts=False)
    assert call.calls == rounds + warm_up
    assert len(probe._benchmark.times) == len(noted(probe).reference) == rounds


@pytest.mark.parametrize("rounds", [None, 1, 3])
def test_timing_off(probe, rounds):
    """With timing off a case runs once, however many rounds it has, and returns its result; nothing is counted."""
    probe._benchmark.enabled = False
    call = Counting()
    assert probe(call, rows=1, rounds=rounds) == []
    assert call.calls == 1
    assert noted(probe).counts is None
    assert noted(probe).reference == [1.5]


def test_counts_in_turns(probe):
    """In turns a visit counts where it is asked to, and what it has found is the case's in later visits as well."""
    call = Counting()
    before, asked, after = (in_turns(probe, aside=aside) for aside in ("", "counts", ""))
    before(call, rows=1)
    assert (call.calls, noted(before).counts) == (2, None)
    asked(call, rows=1)
    assert call.calls == 4 + 1
    after(call, rows=1)
    assert call.calls == 6 + 1
    assert noted(after).counts == noted(asked).counts
    assert noted(after).counts is not None


@pytest.fixture
def sampled(monkeypatch):
    """Sample each call at once, and find two functions in it, one of which calls the other."""
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
    """The texts of programs, and where a call's time goes, are kept in the case's folder."""
    probe._explained = tmp_path / "why"
    text, call = "ENTRY %main.1 {\n  %x.7 = f32[] constant(1)\n}\n", Counting()
    probe(call, rows=1, rounds=1, counts=lambda: Counted(Counts(), [text, text]))
    folder = tmp_path / "why" / "epoch[digits-fused]"
    assert {path.name for path in folder.iterdir()} == {"program-1.txt", "program-2.txt", "profile.txt"}
    assert (folder / "program-2.txt").read_text() == "ENTRY %main {\n  %x = f32[] constant(1)\n}\n"
    assert (folder / "profile.txt").read_text() == "0.2\tstep (model.py)\n0.1\ttrain (model.py)\n"
    assert call.calls == 2 + 3, "a second is sampled, of 0.4 s from reading to reading"


@pytest.mark.usefixtures("sampled")
def test_explained_in_turns(probe, tmp_path):
    """In turns a visit keeps texts where it counts, and samples where it is asked to."""
    for aside, kept in (("", set()), ("counts", {"program-1.txt"}), ("profile", {"program-1.txt", "profile.txt"})):
        visit = in_turns(probe, aside=aside)
        visit._explained = tmp_path / "why"
        visit(Counting(), rows=1, counts=lambda: Counted(Counts(), ["ENTRY %main {\n}\n"]))
        assert {path.name for path in (tmp_path / "why").rglob("*.txt")} == kept


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

    probe(train, rows=1, rounds=1, warm_up=False)
    (beside,) = noted(probe).reference
    assert 5.01 / beside == pytest.approx(2 / 1.5 + 3.01 / 2.5)


def test_references_are_not_timed(probe, machine, monkeypatch):
    """What runs between a whole experiment's epochs is in none of its seconds."""

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
    """A round's accounts are of that round alone: of no set-up or reference before it, nor of other processes."""

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
    assert accounts.waiting(times) == pytest.approx(2.0, abs=IDLE_STEP)


def test_order(probe, monkeypatch):
    """The reference runs directly before a round, after its set-up, which may take long; all meet last."""
    did = []
    monkeypatch.setattr(reference, "seconds", lambda: did.append("reference") or 1.0)
    target, setup, meet = (partial(did.append, name) for name in ("round", "set-up", "meet"))
    probe(target, rows=1, rounds=2, setup=setup, meet=meet)
    assert did == ["set-up", "reference", "meet", "round"] * 3 + ["reference"]  # the first warms up


def test_planted_sleep(probe, machine):
    """A case that sleeps in its rounds says so on its line, and for how long."""

    def target():
        machine.work(0.3)
        machine.sleep(0.1)

    probe(target, rows=1, rounds=2)
    case, times = noted(probe), probe._benchmark.times
    waited = case.waited(times, {"threads": 1, "pinned": True, "device": "CPU"})
    assert waited == pytest.approx(0.1)
    assert "waited 100 ms, 25 %" in result(case, 0.4, waited=waited)


def test_set_up(probe, machine, clock):
    """What is set up outside the clock has an account of its own; a case without any has none."""

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
