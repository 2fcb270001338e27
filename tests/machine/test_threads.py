"""Threads are limited as asked, and processes pinned where the system can."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoenc_bench.machine import threads


@given(st.integers(1, 64))
def test_parse(cores):
    """Every number up to the usable cores is accepted, and 'all'; one more is not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "usable_cores", lambda: list(range(cores)))
        assert threads.parse(str(cores)) == cores
        assert threads.parse("all") is None
        with pytest.raises(ValueError, match=f"thread count '{cores + 1}'; choose 1 to {cores}"):
            threads.parse(str(cores + 1))


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "two", "", "²"])
def test_parse_refuses(text):
    """What is no count is refused with the counts that are accepted."""
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


def test_limit_all(untouched):
    """All threads means that nothing is pinned."""
    assert threads.limit(None, untouched) is None
    assert threads.usable_cores() == untouched


@pytest.mark.usefixtures("untouched")
def test_limit_where_nothing_can_be_pinned(monkeypatch):
    """A system that cannot pin limits the pools only, and says that nothing is pinned."""
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert threads.limit(1, threads.usable_cores()) is None
    assert len(threads.usable_cores()) == os.cpu_count()
