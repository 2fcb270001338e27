"""A process of a live comparison lists its cases, does what it is asked, and tells by how it ends."""

import os
import sys
from math import inf
from pathlib import Path

import pytest
import standins
from standins import EPOCH, FILE
from suite_runs import ROOT

from autoenc_bench.live import explanations, members, processes
from autoenc_bench.live.checkouts import Checkout
from autoenc_bench.live.members import Member
from autoenc_bench.live.processes import SideFailedError
from autoenc_bench.records import loading


@pytest.fixture
def member(tmp_path, monkeypatch):
    """Return a function that makes a stand-in for the head; nothing of it may be left at the end."""
    monkeypatch.setattr(members, "TICK", 0.02)

    def make(**given):
        _, head = standins.sides(tmp_path, head=given)
        return Member(head, ("--benchmark-save=head", "-k", "x"), tmp_path / "store", "live-1-1")

    yield make
    assert standins.left(tmp_path) == []


def nothing():
    """Count no ticks."""


def start(one, tick=nothing):
    """Wait until a process serves visits."""
    one.configure(60.0, tick)
    one.begin(60.0, tick)


@pytest.mark.parametrize("tells", [True, False])
def test_cases(member, tells):
    """A process begins by telling its cases, and the cores on which it measures; one of before tells nothing else."""
    with member(tells=tells) as one:
        start(one)
        assert one.cases[FILE + EPOCH]["phase"] == "epoch"
        assert one.cores == sorted(os.sched_getaffinity(0))[-1:]


def test_environment(member, tmp_path, monkeypatch):
    """Memory is taken in huge pages, unless somebody says otherwise; the side's variables are set."""
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    with member() as one:
        start(one)
        (process,) = standins.running(tmp_path)
        environment = process.environ()
    assert environment["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"
    assert standins.SUITE in environment
    monkeypatch.setenv("GLIBC_TUNABLES", "mine")
    with member() as one:
        start(one)
        (process,) = standins.running(tmp_path)
        assert process.environ()["GLIBC_TUNABLES"] == "mine"


def test_record(member):
    """A process that was told to save does so, also when it waits for a turn that it will not get."""
    with member() as one:
        start(one)
        one.ask(visit=FILE + EPOCH, rounds=8, turns=False, aside="")
        assert one.answer(60.0)["outcome"] == "passed"
        one.ask(visit=f"{FILE}other", rounds=8, turns=True, aside="")
        assert one.answer(60.0) == {"between": 0.0}
        one.ask(save=True)
        assert one.record(60.0, nothing).name == "0001_head.json"


def test_no_record(member):
    """A process in which nothing was timed has no record."""
    with member() as one:
        start(one)
        one.ask(save=True)
        assert one.record(60.0, nothing) is None


def test_messages_in_parts(member, monkeypatch):
    """A message may come in parts, and two in one."""
    parts = iter([b'{"between"', b": 1}\n", b'{"a": 1}\n{"b"', b": 2}\n"])

    class Socket:
        def recv(self, _):
            return next(parts)

        def close(self):
            pass

    with member() as one:
        one._socket.close()
        monkeypatch.setattr(one, "_socket", Socket())
        assert [one.answer(60.0) for _ in range(3)] == [{"between": 1}, {"a": 1}, {"b": 2}]


def test_ticks(member):
    """While nothing comes, somebody may tell that, or interrupt."""

    def tick():
        raise KeyboardInterrupt

    with member(faults=[{"do": "hang", "case": "starting"}]) as one, pytest.raises(KeyboardInterrupt):
        start(one, tick)


@pytest.mark.parametrize(
    ("do", "reason"),
    [
        ("exit", "could not run the suite: out of luck"),
        ("kill", "was killed by SIGKILL, as when memory runs out"),
        ("hang", "gave no sign for 60 s"),
        ("print", "printed more than 0 MB"),
    ],
)
def test_no_answer(member, tmp_path, monkeypatch, do, reason):
    """A process that ends, hangs or prints without end gives no answer, but a reason."""
    monkeypatch.setattr(processes, "OUTPUT", 100_000)
    monkeypatch.setattr(processes, "monotonic", lambda: inf if standins.hangs(tmp_path) else 0.0)
    with member(faults=[{"do": do, "case": EPOCH}]) as one:
        start(one)
        one.ask(visit=FILE + EPOCH, rounds=1, turns=False, aside="")
        with pytest.raises(SideFailedError, match=f"^the head, code of the head, {reason}$"):
            one.answer(60.0)
        one.ask(visit=FILE + EPOCH, rounds=1, turns=False, aside="")  # nobody listens, and that is no error


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not pin")
def test_pin(member, tmp_path):
    """A process is moved to the cores that are named, and to none where none are."""
    core = max(os.sched_getaffinity(0))
    with member() as one:
        start(one)
        (process,) = standins.running(tmp_path)
        before = process.cpu_affinity()
        one.pin([])
        assert process.cpu_affinity() == before
        one.pin([core])
        assert process.cpu_affinity() == [core]


def test_pin_what_is_gone(member):
    """To pin a process that has ended is no error: its answer tells."""
    with member(faults=[{"do": "kill", "case": "starting"}]) as one:
        os.waitid(os.P_PID, one._process._process.pid, os.WEXITED | os.WNOWAIT)
        one.pin([0])
        with pytest.raises(SideFailedError, match="SIGKILL"):
            start(one)


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
    environment = {"PYTHONPATH": str(ROOT)}
    python = Path(sys.executable)
    side = Checkout(name="head", description="this", folder=folder, python=python, environment=environment)
    chosen = ("--backend=jax", "--scale=smoke", "--experiment=digits", "-k", "fused")
    options = ("--benchmark-save=head", explanations.option(tmp_path / "store", "head"), *chosen)
    with Member(side, ["benchmarks/", *options], tmp_path / "store", "live-1-1") as one:
        yield one


@pytest.fixture
def invented(tmp_path):
    """Make a stand-in with the same cases."""
    faults = [{"do": do, "case": f"{case}[digits-fused]"} for do, case in (("failed", "encode"), ("skipped", "decode"))]
    _, head = standins.sides(tmp_path, head={"cases": CASES, "faults": faults})
    option = explanations.option(tmp_path / "invented", "head")
    with Member(head, ["--benchmark-save=head", option], tmp_path / "invented", "live-1-1") as one:
        yield one


def visits(ask):
    """Ask for all that a live comparison asks for, and for a record at the end, after which it may sample."""
    ask(visit=FILE + EPOCH, rounds=1, turns=False, aside="counts")
    ask(visit=FILE + EPOCH, rounds=4, turns=True, aside="")
    while "outcome" not in ask():
        pass
    for case in ("encode", "decode"):
        ask(visit=f"{FILE}{case}[digits-fused]", rounds=1, turns=False, aside="")
    ask(save=True)
    ask(visit=FILE + EPOCH, rounds=1, turns=False, aside="profile")


def interruption(ask):
    """Ask for a record while a case waits for its turn."""
    ask(visit=FILE + EPOCH, rounds=1, turns=False, aside="")
    ask(visit=f"{FILE}score[digits-fused]", rounds=4, turns=True, aside="")
    ask()
    ask(save=True)


def converse(one, about):
    """Talk with a process; return its answers, and what it leaves behind."""
    answers = [one.answer(300.0), one.answer(300.0)]

    def ask(**message):
        one.ask(**message)
        answers.append(one.answer(300.0))
        return answers[-1]

    about(ask)
    path = one._process.saved
    content = loading.read_record(path).record
    entries = []
    for entry in content.benchmarks:
        noted, rounds = entry.extra_info.autoenc, len(entry.stats.times)
        facts = (noted.counts is None, noted.reference is None)
        entries.append((entry.fullname, rounds, len(noted.between or ()), *facts))
    run = content.autoenc
    kept = sorted(one.name for one in path.parents[1].rglob("why/head/*/profile.txt"))
    return answers, (entries, run.pair, run.side, run.failed, run.skipped, path.name, kept)


def shape(answer):
    """Return an answer with each of its numbers as none in particular."""
    if isinstance(answer, dict):
        return {name: shape(value) for name, value in answer.items()}
    if isinstance(answer, list):
        return [shape(value) for value in answer]
    return "number" if type(answer) in (int, float) else answer


@pytest.mark.slow
@pytest.mark.parametrize("about", [visits, interruption])
def test_stand_in(real, invented, about):
    """The stand-in answers to all that it is asked as the real plugin does, and leaves the same behind."""
    answers, left = converse(real, about)
    invention, invented_left = converse(invented, about)
    assert shape(invention) == shape(answers)
    assert invented_left == left


def test_usable_cores(monkeypatch):
    """The cores are those that this process may use, and none where the system does not pin."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5, 3}, raising=False)
    assert members.usable_cores() == [3, 5]
    monkeypatch.delattr(os, "sched_getaffinity")
    assert members.usable_cores() == []
