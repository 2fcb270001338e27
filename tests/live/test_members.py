"""A session of a live comparison lists its cases, serves requests, and its end is reported with the reason."""

import os
from math import inf

import msgspec
import pytest
import standins
from standins import EPOCH, FILE
from suite_runs import ROOT

from autoenc_bench.live import differences, members, processes
from autoenc_bench.live.members import Member
from autoenc_bench.live.processes import Suite, SuiteFailedError
from autoenc_bench.plugin.messages import Begin, Ended, Save, Visit, Waiting
from autoenc_bench.records import loading


@pytest.fixture
def member(tmp_path, monkeypatch):
    """Return a function that makes a stand-in for the head; no process may be left at the end."""
    monkeypatch.setattr(members, "TICK", 0.02)

    def make(**settings):
        _, head = standins.sides(tmp_path, head=settings)
        return Member(head, ("--benchmark-save=head", "-k", "x"), tmp_path / "store", "live-1-1")

    yield make
    assert standins.left(tmp_path) == []


def nothing():
    """Do nothing at a tick."""


def start(session, tick=nothing):
    """Wait until a session serves visits."""
    session.receive(60.0, tick)
    session.collect(60.0, tick)


def test_cases(member):
    """A session begins with its cases, and the cores to which it is pinned."""
    with member() as session:
        start(session)
        assert session.cases[FILE + EPOCH].phase == "epoch"
        assert session.cores == sorted(os.sched_getaffinity(0))[-1:]


def test_environment(member, tmp_path, monkeypatch):
    """Memory is in huge pages, unless the user sets that variable; the side's variables are set."""
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    with member() as session:
        start(session)
        (process,) = standins.running(tmp_path)
        environment = process.environ()
    assert environment["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"
    assert standins.SUITE in environment
    monkeypatch.setenv("GLIBC_TUNABLES", "mine")
    with member() as session:
        start(session)
        (process,) = standins.running(tmp_path)
        assert process.environ()["GLIBC_TUNABLES"] == "mine"


@pytest.mark.parametrize("ending", [".json", ".json.gz"])
def test_record(member, ending):
    """A session saves on request, also while a case waits for its next round."""
    with member(ending=ending) as session:
        start(session)
        session.send(Visit(FILE + EPOCH, 8))
        assert session.follow(60.0).outcome == "passed"
        session.send(Visit(f"{FILE}other", 8, is_interleaved=True))
        assert session.follow(60.0) == Waiting(0.0)
        session.send(Save())
        assert session.finish(60.0, nothing).name == f"0001_head{ending}"


def test_no_record(member):
    """A session in which nothing was timed has no record."""
    with member() as session:
        start(session)
        session.send(Save())
        assert session.finish(60.0, nothing) is None


def test_end_in_place_of_a_case(member):
    """A session that ends while its case runs, as by a plugin of pytest, is refused."""
    with member() as session:
        start(session)
        session.send(Save())
        with pytest.raises(SuiteFailedError, match="ended before its case"):
            session.follow(60.0)


def test_ticks(member):
    """``tick`` is called while no reply comes, and may raise."""

    def tick():
        raise KeyboardInterrupt

    with member(faults=[{"do": "hang", "case": "starting"}]) as session, pytest.raises(KeyboardInterrupt):
        start(session, tick)


@pytest.mark.parametrize(
    ("do", "reason"),
    [
        ("exit", "could not run the suite: out of luck"),
        ("kill", "was killed by SIGKILL, as when memory runs out"),
        ("hang", "sent no reply for 60 s"),
        ("print", "printed more than 0 MB"),
    ],
)
def test_no_answer(member, tmp_path, monkeypatch, do, reason):
    """Where a session ends, hangs or prints too much, the reason is raised."""
    monkeypatch.setattr(processes, "OUTPUT", 100_000)
    monkeypatch.setattr(processes, "monotonic", lambda: inf if standins.hangs(tmp_path) else 0.0)
    with member(faults=[{"do": do, "case": EPOCH}]) as session:
        start(session)
        session.send(Visit(FILE + EPOCH, 1))
        with pytest.raises(SuiteFailedError, match=f"^the head, code of the head, {reason}$"):
            session.receive(60.0)
        session.send(Visit(FILE + EPOCH, 1))  # no error, although the session has ended


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not pin")
def test_pin(member, tmp_path):
    """A session is moved to the given cores, and stays where it is without any."""
    core = max(os.sched_getaffinity(0))
    with member() as session:
        start(session)
        (process,) = standins.running(tmp_path)
        before = process.cpu_affinity()
        session.pin([])
        assert process.cpu_affinity() == before
        session.pin([core])
        assert process.cpu_affinity() == [core]


def test_pin_after_the_end(member):
    """Pinning a process that has ended is no error; the next ``receive`` raises the reason."""
    with member(faults=[{"do": "kill", "case": "starting"}]) as session:
        os.waitid(os.P_PID, session._process.pid, os.WEXITED | os.WNOWAIT)
        session.pin([0])
        with pytest.raises(SuiteFailedError, match="SIGKILL"):
            start(session)


# What the stand-in and the real plugin have in common

CASES = [f"{phase}[digits-fused]" for phase in ("epoch", "score", "encode", "decode")]
SUITE = """
import pytest


def test_epoch(measure, experiment, trainer):
    measure(lambda: None, rows=1)


test_score = test_epoch


def test_encode(measure, experiment, trainer):
    raise AttributeError("no such thing")


def test_decode(measure, experiment, trainer):
    pytest.skip("AttributeError: no such thing")
"""


@pytest.fixture
def real(tmp_path):
    """Make a session of the real plugin, with cases that take no time."""
    folder = tmp_path / "real"
    for name, text in (("conftest.py", (ROOT / "conftest.py").read_text()), ("benchmarks/test_x.py", SUITE)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    suite = Suite(name="head", description="this", folder=folder, environment={"PYTHONPATH": str(ROOT)})
    chosen = ("--backend=jax", "--scale=smoke", "--experiment=digits", "-k", "fused")
    options = ("--benchmark-save=head", differences.option(tmp_path / "store", "head"), *chosen)
    with Member(suite, ["benchmarks/", *options], tmp_path / "store", "live-1-1") as session:
        yield session


@pytest.fixture
def invented(tmp_path):
    """Make a stand-in with the same cases."""
    faults = [{"do": do, "case": f"{case}[digits-fused]"} for do, case in (("failed", "encode"), ("skipped", "decode"))]
    _, head = standins.sides(tmp_path, head={"cases": CASES, "faults": faults})
    option = differences.option(tmp_path / "invented", "head")
    with Member(head, ["--benchmark-save=head", option], tmp_path / "invented", "live-1-1") as session:
        yield session


def visits(ask):
    """Send every kind of request, and a profile after the record is saved."""
    ask(Visit(FILE + EPOCH, 1, instrumentation="counts"))
    reply = ask(Visit(FILE + EPOCH, 4, is_interleaved=True))
    while not isinstance(reply, Ended):
        reply = ask(Begin())
    for case in ("encode", "decode"):
        ask(Visit(f"{FILE}{case}[digits-fused]", 1))
    ask(Save())
    ask(Visit(FILE + EPOCH, 1, instrumentation="profile"))


def interruption(ask):
    """Request the record while a case waits for its next round."""
    ask(Visit(FILE + EPOCH, 1))
    ask(Visit(f"{FILE}score[digits-fused]", 4, is_interleaved=True))
    ask(Begin())
    ask(Save())


def converse(session, conversation):
    """Return a session's replies, and what it leaves behind."""
    replies = [session.receive(300.0), session.receive(300.0)]

    def ask(request):
        session.send(request)
        replies.append(session.receive(300.0))
        return replies[-1]

    conversation(ask)
    (path,) = session.store.rglob("*.json")
    content = loading.read_record(path).record
    entries = []
    for entry in content.benchmarks:
        noted, rounds = entry.extra_info.autoenc, len(entry.stats.times)
        facts = (noted.counts is None, noted.reference is None)
        entries.append((entry.fullname, rounds, len(noted.between or ()), *facts))
    run = content.autoenc
    profiles = sorted(profile.name for profile in path.parents[1].rglob("why/head/*/profile.txt"))
    return replies, (entries, run.pair, run.side, run.failed, run.skipped, path.name, profiles)


def shape(reply):
    """Return a reply with the same text in place of each number."""
    if isinstance(reply, dict):
        return {name: shape(value) for name, value in reply.items()}
    if isinstance(reply, list):
        return [shape(value) for value in reply]
    return "number" if type(reply) in (int, float) else reply


@pytest.mark.slow
@pytest.mark.parametrize("conversation", [visits, interruption])
def test_stand_in(real, invented, conversation):
    """The stand-in sends the same replies as the real plugin, and leaves the same behind."""
    replies, left = converse(real, conversation)
    invented_replies, invented_left = converse(invented, conversation)
    assert shape(msgspec.to_builtins(invented_replies)) == shape(msgspec.to_builtins(replies))
    assert invented_left == left


def test_usable_cores(monkeypatch):
    """The cores are those that this process may use; there are none where the system does not pin."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5, 3}, raising=False)
    assert members.usable_cores() == [3, 5]
    monkeypatch.delattr(os, "sched_getaffinity")
    assert members.usable_cores() == []
