"""Threads are limited to the number in --threads, and the process is pinned if the system can."""

import os
from types import SimpleNamespace

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoenc_bench.machine import threads


@given(st.integers(1, 64))
def test_parse(cores):
    """Numbers up to the usable cores are accepted, and 'all'; one more is not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "usable_cores", lambda: list(range(cores)))
        assert threads.parse(str(cores)) == cores
        assert threads.parse("all") is None
        with pytest.raises(ValueError, match=f"thread count '{cores + 1}'; choose 1 to {cores}"):
            threads.parse(str(cores + 1))


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "two", "", "²"])
def test_parse_refuses(text):
    """Anything else is refused, with the values that are accepted."""
    with pytest.raises(ValueError, match=r"choose 1 to \d+ .* or 'all'"):
        threads.parse(text)


@pytest.fixture
def untouched(monkeypatch):
    """Undo what limiting threads does to this process."""
    for name in threads.POOL_VARIABLES:
        monkeypatch.setenv(name, os.environ.get(name, ""))
    cores = threads.usable_cores()
    yield cores
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot pin a process to cores")
def test_limit_pins(untouched):
    """One thread means one core, the last usable one, and one thread for each numerical pool."""
    assert threads.limit(1, untouched) == untouched[-1:] == threads.usable_cores()
    assert {os.environ[name] for name in threads.POOL_VARIABLES} == {"1"}


@pytest.fixture
def listed(untouched):  # noqa: ARG001 - it undoes what is set
    """Return the thread ids that each listing returns, and the pinned threads with their cores; thread 13 has ended."""
    lists, pinned = [[SimpleNamespace(id=number) for number in numbers] for numbers in ((13, 11), (11, 12))], {}

    def pin(thread, cores):
        if thread == 13:
            raise ProcessLookupError(3, "No such process")
        pinned[thread] = cores

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psutil, "Process", lambda: SimpleNamespace(threads=lambda: lists.pop(0)))
        patch.setattr(os, "sched_setaffinity", pin, raising=False)
        yield lists, pinned


def test_threads_that_come_and_go(listed):
    """A thread that ends meanwhile is ignored, and a thread that begins meanwhile is pinned as well."""
    lists, pinned = listed
    assert threads.limit(1, [4, 5]) == [5]
    assert pinned == {11: [5], 12: [5]}
    assert not lists


def test_cores_that_cannot_be_used(listed, monkeypatch):
    """Any other refusal of the system raises, because a run that is not pinned must not report that it is."""

    def refuse(_thread, _cores):
        raise OSError(22, "Invalid argument")

    with monkeypatch.context() as patch:
        patch.setattr(os, "sched_setaffinity", refuse, raising=False)
        with pytest.raises(OSError, match="Invalid argument"):
            threads.limit(1, [4, 5])
    assert listed[1] == {}


def test_limit_all(untouched):
    """Without a limit nothing is pinned."""
    assert threads.limit(None, untouched) is None
    assert threads.usable_cores() == untouched


@pytest.mark.usefixtures("untouched")
def test_limit_where_nothing_can_be_pinned(monkeypatch):
    """If the system cannot pin, only the pools are limited, and the result is None."""
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert threads.limit(1, threads.usable_cores()) is None
    assert len(threads.usable_cores()) == os.cpu_count()
