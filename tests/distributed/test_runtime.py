"""The processes of a distributed run wait for each other, compare their options, and end when one is lost."""

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
    """Options that do not fit together are refused in one sentence."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(InvalidInputError, match=re.escape(sentence)):
        parse(*options)


def test_parse(monkeypatch):
    """Devices or a coordinator make a run distributed; the coordinator may be any kind of address."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert parse(None, None, None, None) is None
    assert not parse(2, None, None, None).several
    for coordinator in ("host:1234", "[::1]:1234"):
        distribution = parse(None, coordinator, 3, 0)
        assert (distribution.coordinator, distribution.processes, distribution.process) == (coordinator, 3, 0)
        assert distribution.several


def test_other_backend(monkeypatch):
    """Only JAX trains on several devices."""
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert parse(None, None, None, None) is None
    with pytest.raises(NotFoundError, match="backend tensorflow trains on one device here; add --backend jax"):
        parse(2, None, None, None)


def test_nothing_to_scale():
    """One device in one process is refused, because there is nothing to scale to."""
    distribution = Distribution(None, None, None, None)
    with pytest.raises(InvalidInputError, match="1 device, and nothing to scale to; give --devices N or --coordinator"):
        distribution.start("")
    assert distribution.context == {"devices": 1, "processes": 1, "virtual_devices": False}


def test_cannot_listen():
    """A port in use and an address of another machine are refused. JAX would crash."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        in_use = f"127.0.0.1:{server.getsockname()[1]}"
        for address in (in_use, "192.0.2.1:1234", "nowhere.invalid:1234"):
            with pytest.raises(InvalidInputError, match=f"process 0 cannot listen at {address}: .*; choose another"):
                Distribution(None, address, 2, 0).start("")


def test_bind_address(monkeypatch):
    """JAX's own variable sets the address of process 0 where the other processes see another one."""
    monkeypatch.setenv("JAX_COORDINATOR_BIND_ADDRESS", "192.0.2.7:99")
    with pytest.raises(InvalidInputError, match=r"cannot listen at 192\.0\.2\.7:99"):
        Distribution(None, free_address(), 2, 0).start("")


@pytest.fixture(scope="module")
def refused(shared):
    """Return the exit statuses and last messages of processes that cannot train together, by the reason."""

    def make(_):
        coordinators = [free_address() for _ in range(4)]
        members = {
            "cluster": [start_member(None, "auto", None, None)],
            "alone": [start_member(None, coordinators[number], 2, number, patience=1) for number in (0, 1)],
            "kind": [start_member(None, coordinators[2], 2, number, kind=str(number)) for number in (0, 1)],
            "devices": [start_member(1 + number, coordinators[3], 2, number) for number in (0, 1)],
        }
        return {
            reason: [(status, read(out)[-1].removeprefix("InvalidInputError: ")) for status, out in finish(*processes)]
            for reason, processes in members.items()
        }

    return shared("refused", make)[1]


def test_no_cluster(refused):
    """When JAX finds no cluster, the message says which options to give."""
    sentence = "JAX finds no cluster here (coordinator_address should be defined.); give HOST:PORT, --num-processes N"
    assert refused["cluster"] == [[4, f"{sentence} and --process-id I"]]


def test_missing_process(refused):
    """A process, coordinator or not, that waits too long for the other one ends with a message."""
    for status, sentence in refused["alone"]:
        assert status == 4
        assert re.fullmatch(
            r"not all processes came to 127\.0\.0\.1:\d+ in 1 s; start each with its own --process-id", sentence
        )


@pytest.mark.parametrize("reason", ["kind", "devices"])
def test_disagree(refused, reason):
    """Processes with different cases or numbers of devices are all refused with the same message."""
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
    """Return a function (actions) -> two processes that have joined, the hosts and the context of process 0."""

    def pair(*actions, heartbeat):
        address = free_address()
        options = [{"then": action, "heartbeat": heartbeat} for action in actions]
        members = [start_member(None, address, 2, number, **options[number]) for number in (0, 1)]
        joined = [next(json.loads(line) for line in member.stdout if "listens" in line) for member in members]
        port = int(address.split(":")[1])
        hosts = [host.removeprefix("::ffff:") for host, own in joined[0]["listens"] if own == port]
        return members, hosts, joined[0]["context"]

    return pair


@pytest.mark.parametrize("lost", [0, 1])
def test_lost(pair, lost):
    """When a process is killed, JAX ends the other one: at once, or when heartbeats are missing."""
    members, *_ = pair("work", "work", heartbeat=4)
    members[lost].kill()
    (killed, _), (status, out) = finish(members[lost], members[1 - lost])
    assert (killed, status) == (-signal.SIGKILL, -signal.SIGABRT)
    assert "JAX distributed service detected fatal errors. This most likely indicates that another task died" in out


def test_abandoned(pair):
    """When a process is interrupted, one that waits for it gets an error, and both end; the service has one address."""
    members, hosts, context = pair("meet", "work", heartbeat=1000)  # too long to end a process
    assert hosts == ["127.0.0.1"]
    assert context == {"devices": 2, "processes": 2, "virtual_devices": False}
    members[1].send_signal(signal.SIGINT)
    (waiting, out), (interrupted, _) = finish(*members)
    assert (waiting, interrupted) == (1, 2)
    assert "JaxRuntimeError: UNKNOWN: Gloo" in read(out)[-1]
