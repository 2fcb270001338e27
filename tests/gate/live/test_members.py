"""A process of a live comparison lists its cases, does what it is asked, and tells by how it ends."""

import os
import time

import pytest
import standins
from standins import EPOCH, FILE

from autoenc_bench.gate.live import members, processes
from autoenc_bench.gate.live.members import Member
from autoenc_bench.gate.live.processes import SideFailedError


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
        assert one.cores == sorted(os.sched_getaffinity(0))[:1]


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
        ("hang", "gave no sign for 1 s"),
        ("print", "printed more than 0 MB"),
    ],
)
def test_no_answer(member, monkeypatch, do, reason):
    """A process that ends, hangs or prints without end gives no answer, but a reason."""
    monkeypatch.setattr(processes, "OUTPUT", 100_000)
    with member(faults=[{"do": do, "case": EPOCH}]) as one:
        start(one)
        one.ask(visit=FILE + EPOCH, rounds=1, turns=False, aside="")
        with pytest.raises(SideFailedError, match=f"^the head, code of the head, {reason}$"):
            one.answer(60.0 if do != "hang" else 0.6)
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


def test_pin_what_is_gone(member, tmp_path):
    """To pin a process that has ended is no error: its answer tells."""
    with member(faults=[{"do": "kill", "case": "starting"}]) as one:
        while standins.running(tmp_path):
            time.sleep(0.01)
        one.pin([0])
        with pytest.raises(SideFailedError, match="SIGKILL"):
            start(one)


def test_usable_cores(monkeypatch):
    """The cores are those that this process may use, and none where the system does not pin."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5, 3}, raising=False)
    assert members.usable_cores() == [3, 5]
    monkeypatch.delattr(os, "sched_getaffinity")
    assert members.usable_cores() == []
