"""A session of a live comparison runs cases on request, interleaved with other sessions."""

import math
import os
import sys
from multiprocessing import Pipe

import pytest
from suite_runs import QUICK, ROOT, TIMING

from autoenc_bench.exceptions import RunFailedError
from autoenc_bench.live.groups import Group
from autoenc_bench.live.members import Member
from autoenc_bench.live.processes import Suite
from autoenc_bench.plugin import messages, turns
from autoenc_bench.plugin.messages import Begin, Item, Save, Visit, Waiting
from autoenc_bench.records import loading

EPOCH = "epoch[digits-fused]"
DIGITS = (*TIMING, "--backend=jax", "--scale=smoke", "--experiment=digits")


def kept(folder):
    """Return the names of the epoch's files, by side."""
    return [{path.name for path in (folder / "live" / "why" / side / EPOCH).iterdir()} for side in ("base", "head")]


def checkout(folder=ROOT, name="base"):
    """Return the code of this repository as one side of a comparison."""
    environment = {**QUICK, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}
    return Suite(name=name, description="this", folder=folder, python=sys.executable, environment=environment)


def nothing():
    """Do nothing at a tick."""


@pytest.mark.slow
def test_group(tmp_path):
    """Four real sessions list their case, prepare it, count, run interleaved rounds, save, and are sampled."""
    both = [checkout(name="base"), checkout(name="head")]
    with Group(both, ("benchmarks/", *DIGITS, "-k", "epoch and fused"), tmp_path / "live", "1", lambda: None) as group:
        group.start()
        assert [list(cases.values()) for cases in group.cases] == [[Item(f"test_{EPOCH}", "epoch")]] * 2
        (case,) = group.cases[0]
        rehearsal = group.run(case, range(4), 1, math.inf, dict.fromkeys((0, 3), "counts"))
        assert {ended.outcome for ended in rehearsal.ended.values()} == {"passed"}
        assert [len(ended.times) for ended in rehearsal.ended.values()] == [1] * 4
        results = group.interleave(case, 8, usual=300.0)  # seconds: enough on any machine
        assert {ended.outcome for ended in results.ended.values()} == {"passed"}
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
    for record, ended in zip(records, results.ended.values(), strict=True):
        (benchmark,) = record.benchmarks
        noted = benchmark.extra_info.autoenc
        assert benchmark.name == f"test_{EPOCH}"
        assert benchmark.stats.times == ended.times
        assert len(ended.times) == len(noted.between) == len(noted.cpu) == 8
        assert min(noted.between) >= 0
        assert noted.reference is None
        assert record.autoenc.roofs is None
        if hasattr(os, "sched_getaffinity"):  # all measured on one core, also if they were prepared on two
            assert record.autoenc.conditions["cores"] == [max(os.sched_getaffinity(0))]
            assert record.autoenc.context["usable_cores"] == len(os.sched_getaffinity(0))
        assert not record.autoenc.skipped
        assert not record.autoenc.failed
    counts = [record.benchmarks[0].extra_info.autoenc.counts for record in records]
    assert counts[1:3] == [None, None]
    assert counts[0] == counts[3]  # from the rehearsal, also after a visit without instrumentation
    assert len(counts[0].programs) == 1


@pytest.fixture
def pipe():
    """Return a session's end of a pipe, and the comparison's end."""
    comparison, theirs = Pipe()
    with comparison:
        session = turns.Turns(os.dup(theirs.fileno()))
        theirs.close()
        yield session, comparison
        session._pipe.close()


def replies(comparison, number):
    """Return so many replies of a session."""
    return [messages.decode_reply(comparison.recv_bytes()) for _ in range(number)]


def test_between(pipe, monkeypatch):
    """A session reports before each round the CPU seconds since its previous round, without those of rounds."""
    session, comparison = pipe
    now = iter([1.0, 1.25, 9.0, 9.5, 20.0, 20.75])  # a round takes the seconds from each second reading to the next
    monkeypatch.setattr(turns, "process_time", lambda: next(now))
    session.begin(Visit("x", 2, is_interleaved=True))
    for _ in range(3):
        comparison.send_bytes(messages.encode(Begin()))
        session.wait()
    assert session.between == [0.25, 0.5, 0.75]
    assert replies(comparison, 3) == [Waiting(0.0), Waiting(0.25), Waiting(0.5)]
    session.begin(Visit("x", 2, is_interleaved=True))
    assert session.between == []


@pytest.mark.parametrize("is_closed", [False, True])
def test_no_more_rounds(pipe, is_closed):
    """A session ends where the record is requested, or the pipe closed, while a case waits for its round."""
    session, comparison = pipe
    session.begin(Visit("x", 2, is_interleaved=True))
    if is_closed:
        comparison.close()
    else:
        comparison.send_bytes(messages.encode(Save()))
    with pytest.raises(pytest.exit.Exception, match="the live comparison ended"):
        session.wait()


@pytest.mark.slow
def test_alone(fused):
    """Without a comparison, a run has its usual rounds and reference workload, and no pair."""
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
        member.receive(math.inf)
        with pytest.raises(RunFailedError, match="nothing_of_that_name"):
            member.collect(math.inf, nothing)


@pytest.mark.slow
def test_broken(tmp_path):
    """A session that ends by an error of its own does not report a record, but its reason."""
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (tmp_path / "test_quick.py").write_text("def test_quick(experiment, measure):\n    measure(sum, [1], rows=1)\n")
    (tmp_path / "broken.py").write_text("def pytest_runtest_logstart():\n    raise OSError('no space')\n")
    options = (".", "-p", "broken", *DIGITS)
    with Member(checkout(tmp_path), options, tmp_path / "live", "live-1-1") as member:
        member.receive(math.inf)
        member.collect(math.inf, nothing)
        (case,) = member.cases
        member.send(Visit(case, 1))
        with pytest.raises(RunFailedError, match=r"the base, this, could not run the suite: OSError: no space"):
            member.receive(math.inf)
    assert not list((tmp_path / "live").rglob("*.json"))
