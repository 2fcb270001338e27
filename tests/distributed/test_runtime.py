"""The processes of a distributed run wait for each other, agree, and end when one of them is lost."""

import json
import re
import signal
import socket

import pytest
from members import finish, free_address, read, start_member

from autoenc_bench.distributed.runtime import Distribution, parse
from autoenc_bench.exceptions import InvalidInputError, NotFoundError


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((None, None, 2, None), "--num-processes and --process-id need --coordinator HOST:PORT"),
        ((None, None, None, 0), "--num-processes and --process-id need --coordinator HOST:PORT"),
        ((2, "auto", 2, None), "need --coordinator HOST:PORT; auto finds the others"),
        ((None, "nowhere", 2, 0), "coordinator 'nowhere'; give HOST:PORT of process 0, such as 10.0.0.1:1234"),
        ((None, "host:0", 2, 0), "coordinator 'host:0'"),
        ((None, ":99", 2, 0), "coordinator ':99'"),
        ((None, "host:99999", 2, 0), "coordinator 'host:99999'"),
        ((None, "host:99", None, 0), "--coordinator HOST:PORT needs --num-processes N and --process-id I"),
        ((None, "host:99", 2, None), "--coordinator HOST:PORT needs --num-processes N and --process-id I"),
        ((None, "host:99", 2, 2), "process 2 of 2; number them 0 to 1"),
    ],
)
def test_refused(monkeypatch, options, sentence):
    """Options that do not go together get one sentence."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(InvalidInputError, match=re.escape(sentence)):
        parse(*options)


def test_parse(monkeypatch):
    """A run is distributed when it is given devices or a coordinator, which may be any kind of address."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert parse(None, None, None, None) is None
    assert not parse(2, None, None, None).several
    for coordinator in ("host:1234", "[::1]:1234"):
        distribution = parse(None, coordinator, 3, 0)
        assert (distribution.coordinator, distribution.processes, distribution.process) == (coordinator, 3, 0)
        assert distribution.several


def test_other_backend(monkeypatch):
    """Only JAX trains on several devices here."""
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert parse(None, None, None, None) is None
    with pytest.raises(NotFoundError, match="backend tensorflow trains on one device here; add --backend jax"):
        parse(2, None, None, None)


def test_nothing_to_scale():
    """One device in one process is refused: there is nothing to measure."""
    distribution = Distribution(None, None, None, None)
    with pytest.raises(InvalidInputError, match="1 device, and nothing to scale to; give --devices N or --coordinator"):
        distribution.start("")
    assert distribution.context == {"devices": 1, "processes": 1, "virtual_devices": False}


def test_cannot_listen():
    """A port that is taken, and an address that is another machine's, are answered before JAX would crash of them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = f"127.0.0.1:{server.getsockname()[1]}"
        for address in (taken, "192.0.2.1:1234", "nowhere.invalid:1234"):
            with pytest.raises(InvalidInputError, match=f"process 0 cannot listen at {address}: .*; choose another"):
                Distribution(None, address, 2, 0).start("")


def test_bind_address(monkeypatch):
    """Where process 0 has another address than the others see, JAX's own variable gives it."""
    monkeypatch.setenv("JAX_COORDINATOR_BIND_ADDRESS", "192.0.2.7:99")
    with pytest.raises(InvalidInputError, match=r"cannot listen at 192\.0\.2\.7:99"):
        Distribution(None, free_address(), 2, 0).start("")


@pytest.fixture(scope="module")
def refused(shared):
    """Return the statuses and last words of processes that cannot train together, by the reason."""

    def make(_):
        coordinators = [free_address() for _ in range(4)]
        members = {
            "cluster": [start_member(None, "auto", None, None)],
            "alone": [start_member(None, coordinators[one], 2, one, patience=1) for one in (0, 1)],
            "kind": [start_member(None, coordinators[2], 2, one, kind=str(one)) for one in (0, 1)],
            "devices": [start_member(1 + one, coordinators[3], 2, one) for one in (0, 1)],
        }
        return {
            reason: [(status, read(out)[-1].removeprefix("InvalidInputError: ")) for status, out in finish(*processes)]
            for reason, processes in members.items()
        }

    return shared("refused", make)[1]


def test_no_cluster(refused):
    """Where JAX finds no cluster, the sentence says what to give instead."""
    sentence = "JAX knows no cluster here (coordinator_address should be defined.); give HOST:PORT, --num-processes N"
    assert refused["cluster"] == [[4, f"{sentence} and --process-id I"]]


def test_one_does_not_come(refused):
    """A process that waits in vain, coordinator or not, ends with a sentence when its patience does."""
    for status, sentence in refused["alone"]:
        assert status == 4
        assert re.fullmatch(
            r"not all processes came to 127\.0\.0\.1:\d+ in 1 s; start each with its own --process-id", sentence
        )


@pytest.mark.parametrize("reason", ["kind", "devices"])
def test_disagree(refused, reason):
    """Processes that run other cases, or have other numbers of devices, are all refused by the same sentence."""
    sentence = "the processes run other cases, versions or numbers of devices; give all the same options"
    assert refused[reason] == [[4, sentence]] * 2


def test_interrupted_while_waiting():
    """Ctrl-C ends a process that waits for the others."""
    member = start_member(None, free_address(), 2, 0, watched=True)
    assert any('"waiting"' in line for line in member.stdout)
    member.send_signal(signal.SIGINT)
    ((status, out),) = finish(member)
    assert (status, read(out)) == (2, ["KeyboardInterrupt: "])


@pytest.fixture
def pair():
    """Return a function (deeds) -> two processes that have joined each other, and what is known of process 0."""

    def pair(*deeds, heartbeat):
        address = free_address()
        known = {"heartbeat": heartbeat}
        members = [start_member(None, address, 2, one, then=deed, **known) for one, deed in enumerate(deeds)]
        joined = [next(json.loads(line) for line in member.stdout if "listens" in line) for member in members]
        port = int(address.split(":")[1])
        hosts = [host.removeprefix("::ffff:") for host, own in joined[0]["listens"] if own == port]
        return members, {"hosts": hosts, "context": joined[0]["context"]}

    return pair


@pytest.mark.parametrize("lost", [0, 1])
def test_lost(pair, lost):
    """JAX ends a process that waits for none when another is killed: at once, or when it misses its heartbeats."""
    members, _ = pair("work", "work", heartbeat=4)
    members[lost].kill()
    (killed, _), (status, out) = finish(members[lost], members[1 - lost])
    assert (killed, status) == (-signal.SIGKILL, -signal.SIGABRT)
    assert "JAX distributed service detected fatal errors. This most likely indicates that another task died" in out


def test_abandoned(pair):
    """When one is interrupted, one that waits for it gets an error, and both end; the service has one address alone."""
    members, known = pair("meet", "work", heartbeat=1000)  # by which neither ends
    assert known["hosts"] == ["127.0.0.1"]
    assert known["context"] == {"devices": 2, "processes": 2, "virtual_devices": False}
    members[1].send_signal(signal.SIGINT)
    (waiting, out), (interrupted, _) = finish(*members)
    assert (waiting, interrupted) == (1, 2)
    assert "JaxRuntimeError: UNKNOWN: Gloo" in read(out)[-1]
