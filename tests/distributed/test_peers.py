"""The processes of a distributed run find each other, and each learns at once which other one is gone."""

import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from autoenc_bench.distributed import peers
from autoenc_bench.distributed.peers import Group, Peers, parse


@pytest.fixture
def port():
    """Return a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def gather(port):
    """Return a function that lets processes 0 ... n-1 of a run meet, with what each is told of a loss."""
    ended = []

    def gather(count):
        told = [[] for _ in range(count)]
        with ThreadPoolExecutor(count) as pool:
            found = [
                pool.submit(Peers, Group("127.0.0.1", port, count, process), told[process].append)
                for process in range(count)
            ]
            ended.extend(future.result() for future in found)
        return list(ended), told

    yield gather
    for one in ended:
        one._left.set()
        for line in one._lines.values():
            line.close()


def until(condition):
    """Wait for what a thread will bring about."""
    for _ in range(400):
        if condition():
            return True
        threading.Event().wait(0.05)
    return False


def test_all_leave(gather):
    """Whoever says goodbye is no loss, whatever the order."""
    found, told = gather(3)
    for one in (found[1], found[0], found[2]):
        one.leave()
    assert told == [[], [], []]


@pytest.mark.parametrize("lost", [0, 2])
def test_lost(gather, lost):
    """When one is gone without a goodbye all others are told which one, the other workers by process 0."""
    found, told = gather(3)
    found[lost].abandon()
    others = [told[process] for process in range(3) if process != lost]
    assert until(lambda: all(others))
    for said in others:
        assert said[0] == f"process {lost} of 3 ended before the run did; no record was saved"


def test_silent(gather, monkeypatch):
    """One that gives no sign of life is lost, though its connection stands."""
    found, told = gather(2)
    found[1]._left.set()
    found[1]._thread.join()
    monkeypatch.setattr(peers, "SILENCE", 0.5)
    assert until(lambda: told[0])
    assert told[0][0] == "process 1 of 2 was silent for 0 s before the run did; no record was saved"


def test_nobody_comes(port, monkeypatch):
    """Who does not come is named, and how to start it; who finds nobody is told where it looked."""
    monkeypatch.setattr(peers, "ARRIVAL", 0.3)
    with pytest.raises(ValueError, match="process 1, 2 of 3 did not come within 0 s; start each with --coordinator"):
        Peers(Group("127.0.0.1", port, 3, 0), print)
    with pytest.raises(ValueError, match=f"process 0 did not answer at 127.0.0.1:{port} within 0 s"):
        Peers(Group("127.0.0.1", port, 3, 1), print)


def test_other_numbers(port, monkeypatch):
    """Who comes with other numbers is sent away with the reason, and the place stays free for the right one."""
    monkeypatch.setattr(peers, "ARRIVAL", 5)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(Peers, Group("127.0.0.1", port, 2, 0), print)
        with pytest.raises(ValueError, match="process 0 runs with --num-processes 2, this one with 3"):
            Peers(Group("127.0.0.1", port, 3, 1), print)
        with pytest.raises(ValueError, match="process 0 runs other cases, or another version; give all the same opt"):
            Peers(Group("127.0.0.1", port, 2, 1), print, "another kind")
        right = Peers(Group("127.0.0.1", port, 2, 1), print)
        first.result().leave()
        right.leave()


def test_taken_port(port):
    """A port that something else holds is answered with another choice."""
    with socket.create_server(("", port)), pytest.raises(ValueError, match=f"port {port} cannot be opened: .*another"):
        Peers(Group("127.0.0.1", port, 2, 0), print)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("nowhere", "2", "0"), "coordinator 'nowhere'; give host and port of process 0, such as 10.0.0.1:1234"),
        (("host:0", "2", "0"), "coordinator 'host:0'"),
        ((":99", "2", "0"), "coordinator ':99'"),
        (("host:99999", "2", "0"), "coordinator 'host:99999'"),
        (("host:99", None, "0"), "number of processes missing; --coordinator needs --num-processes N"),
        (("host:99", "2", "first"), "process id 'first'; --coordinator needs"),
        (("host:99", "1", "0"), "1 processes; a distributed run has at least 2"),
        (("host:99", "2", "2"), "process 2 of 2; number them 0 to 1"),
    ],
)
def test_refused(options, said):
    """Options that cannot be get one sentence."""
    with pytest.raises(ValueError, match=re.escape(said)):
        parse(*options)


def test_parse():
    """Host and port of any kind of address are passed on."""
    assert parse("host:1234", "3", "2") == Group("host", 1234, 3, 2)
    assert parse("[::1]:1234", "3", "2").address == "[::1]:1234"
