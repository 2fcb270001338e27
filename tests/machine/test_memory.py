"""Each case's peak is its own, where the system can tell."""

import numpy as np
import pytest

from autoenc_bench.machine import memory

LARGE = 64 * 2**20


@pytest.mark.skipif(not memory.CLEAR.exists(), reason="this system has no high-water mark that can be reset")
def test_peak():
    """What a case held shows in its peak although it is gone, and not in the next one's."""
    first = memory.MemoryWatch()
    np.ones(LARGE, np.uint8)
    held = first.read()
    assert held.peak - held.before > 0.9 * LARGE
    second = memory.MemoryWatch().read()
    assert second.peak < held.peak - 0.5 * LARGE
    assert second.before > 2**20


def test_where_no_peak_can_be_read(monkeypatch, tmp_path):
    """A system without the mark tells what was resident before, and no peak."""
    monkeypatch.setattr(memory, "CLEAR", tmp_path / "none" / "clear_refs")
    found = memory.MemoryWatch().read()
    assert found.before > 2**20
    assert found.peak is None


@pytest.mark.parametrize(("mark", "peak"), [("VmRSS:\t 1 kB\n", None), ("VmHWM:\t 2048 kB\n", 2 * 2**20)])
def test_mark(monkeypatch, tmp_path, mark, peak):
    """The high-water mark is in KiB; a kernel that lists none gives no peak."""
    (tmp_path / "status").write_text(mark)
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")
    monkeypatch.setattr(memory, "CLEAR", tmp_path / "clear_refs")
    assert memory.MemoryWatch().read().peak == peak


def test_accelerator(monkeypatch):
    """The accelerator's peak is the backend's, counted from the case's begin."""
    called = []
    backend = memory.backends.current()
    monkeypatch.setattr(backend, "reset_peak_memory", lambda: called.append("reset"))
    monkeypatch.setattr(backend, "peak_memory", lambda: 7 if called == ["reset"] else None)
    assert memory.MemoryWatch().read().accelerator == 7
