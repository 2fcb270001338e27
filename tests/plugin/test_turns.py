"""A session of a live comparison runs what it is asked for, and its rounds take turns with those of others."""

import json
import math
import os
import socket
import sys
from types import SimpleNamespace

import pytest
from suite_runs import QUICK, ROOT, TIMING

from autoenc_bench.exceptions import RunFailedError
from autoenc_bench.live.checkouts import Checkout
from autoenc_bench.live.groups import Group
from autoenc_bench.live.members import Member
from autoenc_bench.plugin import turns
from autoenc_bench.records import loading

EPOCH = "epoch[digits-fused]"
DIGITS = (*TIMING, "--backend=jax", "--scale=smoke", "--experiment=digits")


def kept(folder):
    """Return the names of the files that explain the epoch, by sides."""
    return [{path.name for path in (folder / "live" / "why" / side / EPOCH).iterdir()} for side in ("base", "head")]


def checkout(folder=ROOT, name="base"):
    """Return the code as it is here, as one side of a comparison."""
    environment = {**QUICK, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}
    return Checkout(name=name, description="this", folder=folder, python=sys.executable, environment=environment)


def nothing():
    """Do nothing, now and then."""


@pytest.mark.slow
def test_group(tmp_path):
    """Four real sessions list their case, prepare it, count where asked to, take turns, save, and are sampled."""
    both = [checkout(name="base"), checkout(name="head")]
    with Group(both, ("benchmarks/", *DIGITS, "-k", "epoch and fused"), tmp_path / "live", "1", lambda: None) as group:
        group.start()
        assert [list(facts.values()) for facts in group.cases] == [
            [{"phase": "epoch", "trainer": "fused", "name": f"test_{EPOCH}"}]
        ] * 2
        (case,) = group.cases[0]
        rehearsal = group.alone(case, range(4), 1, math.inf, dict.fromkeys((0, 3), "counts"))
        assert rehearsal.passed
        assert [len(one["times"]) for one in rehearsal.outcomes] == [1] * 4
        visit = group.visit(case, 8, usual=300.0)  # seconds: time enough on any machine
        assert visit.passed
        paths = group.end()
        assert kept(tmp_path) == [{"program-1.txt"}] * 2
        group.profile(case, math.inf)
    assert kept(tmp_path) == [{"program-1.txt", "profile.txt"}] * 2
    records = [loading.read_record(path).record for path in paths]
    assert [(one.autoenc.side, one.autoenc.pair) for one in records] == [
        ("base", "live-1-1"),
        ("head", "live-1-1"),
        ("base", "live-1-2"),
        ("head", "live-1-2"),
    ]
    for record, outcome in zip(records, visit.outcomes, strict=True):
        (benchmark,) = record.benchmarks
        noted = benchmark.extra_info.autoenc
        assert benchmark.name == f"test_{EPOCH}"
        assert benchmark.stats.times == outcome["times"]
        assert len(outcome["times"]) == len(noted.between) == len(noted.cpu) == 8
        assert min(noted.between) >= 0
        assert noted.reference is None
        assert record.autoenc.roofs is None
        if hasattr(os, "sched_getaffinity"):  # all measured on one core, whichever they were prepared on
            assert record.autoenc.conditions["cores"] == [max(os.sched_getaffinity(0))]
            assert record.autoenc.context["usable_cores"] == len(os.sched_getaffinity(0))
        assert not record.autoenc.skipped
        assert not record.autoenc.failed
    counts = [record.benchmarks[0].extra_info.autoenc.counts for record in records]
    assert counts[1:3] == [None, None]
    assert counts[0] == counts[3]  # of the rehearsal, also after a visit that did not count
    assert len(counts[0].programs) == 1


def test_facts():
    """A case is listed with its phase and trainer; one without any axes, which will fail, with its phase alone."""
    axes = SimpleNamespace(params={"experiment": "digits", "trainer": "fused"})
    case = SimpleNamespace(name=f"test_{EPOCH}", originalname="test_epoch", callspec=axes)
    assert turns._facts(case) == {"phase": "epoch", "trainer": "fused", "name": f"test_{EPOCH}"}
    case = SimpleNamespace(name="test_mine", originalname="test_mine")
    assert turns._facts(case) == {"phase": "mine", "trainer": None, "name": "test_mine"}


@pytest.fixture
def socket_pair():
    """Return a session's end of a socket, and the other end's lines."""
    ours, theirs = socket.socketpair()
    with ours, ours.makefile("rw", encoding="utf-8", newline="\n") as lines:
        session = turns.Turns(theirs.detach())
        yield session, lines
        session._lines.close()


def answer(lines, message):
    """Answer the next question before it is asked."""
    lines.write(json.dumps(message) + "\n")
    lines.flush()


def test_between(socket_pair, monkeypatch):
    """A session tells at each turn what it computed while it waited for the one before: not what its rounds did."""
    session, lines = socket_pair
    now = iter([1.0, 1.25, 9.0, 9.5, 20.0, 20.75])  # rounds take the seconds from each second reading to the next
    monkeypatch.setattr(turns, "process_time", lambda: next(now))
    session.begin(2, True, "")
    for _ in range(3):
        answer(lines, {})
        session.wait()
    assert session.between == [0.25, 0.5, 0.75]
    assert [json.loads(lines.readline()) for _ in range(3)] == [{"between": 0.0}, {"between": 0.25}, {"between": 0.5}]
    session.begin(2, True, "")
    assert session.between == []


def test_no_more_turns(socket_pair):
    """A session that is to save while it waits for its turn ends."""
    session, lines = socket_pair
    session.begin(2, True, "")
    answer(lines, {"save": True})
    with pytest.raises(pytest.exit.Exception, match="the live comparison ended"):
        session.wait()


@pytest.mark.slow
def test_alone(fused):
    """Without others, a run has the rounds and the reference workload that it always had, and no pair."""
    record = loading.read_record(fused.record).record
    (benchmark,) = [one for one in record.benchmarks if one.name == f"test_{EPOCH}"]
    noted = benchmark.extra_info.autoenc
    assert noted.between is None
    assert len(noted.reference) == len(benchmark.stats.times) == 1  # as the scale says
    assert (record.autoenc.pair, record.autoenc.side) == (None, None)


@pytest.mark.slow
def test_what_cannot_be_collected(tmp_path):
    """A file of cases that cannot be imported stops a session, as it stops any other run."""
    broken = tmp_path / "test_broken.py"
    broken.write_text("from autoenc_bench.core import nothing_of_that_name\n")
    options = ("benchmarks/test_scoring.py", str(broken), *DIGITS)
    with Member(checkout(), options, tmp_path / "live", "live-1-1") as member:
        member.configure(math.inf, nothing)
        with pytest.raises(RunFailedError, match="nothing_of_that_name"):
            member.begin(math.inf, nothing)


@pytest.mark.slow
def test_broken(tmp_path):
    """A session that ends by an error of its own has not saved, and tells why."""
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (tmp_path / "test_quick.py").write_text("def test_quick(experiment, measure):\n    measure(sum, [1], rows=1)\n")
    (tmp_path / "broken.py").write_text("def pytest_runtest_logstart():\n    raise OSError('no space')\n")
    options = (".", "-p", "broken", *DIGITS)
    with Member(checkout(tmp_path), options, tmp_path / "live", "live-1-1") as member:
        member.configure(math.inf, nothing)
        member.begin(math.inf, nothing)
        (case,) = member.cases
        member.ask(visit=case, rounds=1, turns=False, aside="")
        with pytest.raises(RunFailedError, match=r"the base, this, could not run the suite: OSError: no space"):
            member.answer(math.inf)
    assert not list((tmp_path / "live").rglob("*.json"))
