"""Threads are limited as asked, and facts name no host, user or path."""

import getpass
import os
import platform

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoenc_bench import machine


@given(st.integers(1, 64))
def test_parse_threads(cores):
    """Every number up to the usable cores is accepted, and 'all'; one more is not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "usable_cores", lambda: list(range(cores)))
        assert machine.parse_threads(str(cores)) == cores
        assert machine.parse_threads("all") is None
        with pytest.raises(ValueError, match=f"thread count '{cores + 1}'; choose 1 to {cores}"):
            machine.parse_threads(str(cores + 1))


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "two", "", "²"])
def test_parse_threads_refuses(text):
    """What is no count is refused with the counts that are accepted."""
    with pytest.raises(ValueError, match=r"choose 1 to \d+ .* or 'all'"):
        machine.parse_threads(text)


@pytest.fixture
def untouched(monkeypatch):
    """Undo what limiting threads does to this process."""
    for name in machine.POOL_VARIABLES:
        monkeypatch.setenv(name, os.environ.get(name, ""))
    cores = machine.usable_cores()
    yield cores
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot pin a process to cores")
def test_limit_threads_pins(untouched):
    """One thread means one core, the last usable one, and one thread for each numerical pool."""
    assert machine.limit_threads(1) == untouched[-1:] == machine.usable_cores()
    assert {os.environ[name] for name in machine.POOL_VARIABLES} == {"1"}


def test_limit_threads_all(untouched):
    """All threads means that nothing is pinned."""
    assert machine.limit_threads(None) is None
    assert machine.usable_cores() == untouched


@pytest.mark.usefixtures("untouched")
def test_limit_threads_where_nothing_can_be_pinned(monkeypatch):
    """A system that cannot pin limits the pools only, and says that nothing is pinned."""
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert machine.limit_threads(1) is None
    assert len(machine.usable_cores()) == os.cpu_count()


def test_facts_are_anonymous():
    """The facts hold what identifies the kind of machine, but no host name, user or path."""
    facts = machine.facts("A CPU")
    assert facts["cpu"] == "A CPU"
    assert facts["logical_cores"] >= 1
    assert facts["memory_gib"] >= 1
    said = " ".join(map(str, facts.values()))
    assert os.sep not in said
    assert getpass.getuser() not in said.split()
    assert not platform.node() or platform.node() not in said.split()


def test_libraries():
    """The versions are those that Python and the packages state."""
    assert machine.libraries()["python"] == platform.python_version()
    assert set(machine.libraries()) >= {"keras", "numpy", "tensorflow"}
