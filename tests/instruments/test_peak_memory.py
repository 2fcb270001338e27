"""Each case has a peak of its own, if the system can reset it."""

import numpy as np
import pytest

from autoenc_bench.instruments import peak_memory

LARGE = 64 * 2**20


class NoAccelerator:
    """A backend without an accelerator."""

    def reset_peak_memory(self):
        """Do nothing."""

    def peak_memory(self):
        """Return nothing."""


@pytest.mark.skipif(not peak_memory.CLEAR.exists(), reason="this system has no high-water mark that can be reset")
def test_peak():
    """Memory that a case allocated and released is in its own peak, and not in the next case's."""
    first = peak_memory.MemoryWatch(NoAccelerator())
    np.ones(LARGE, np.uint8)
    used = first.read()
    assert used.peak - used.before > 0.9 * LARGE
    second = peak_memory.MemoryWatch(NoAccelerator()).read()
    assert second.peak < used.peak - 0.5 * LARGE
    assert second.before > 2**20


def test_where_no_peak_can_be_read(monkeypatch, tmp_path):
    """A system that cannot reset the mark reports the memory before the case, and no peak."""
    monkeypatch.setattr(peak_memory, "CLEAR", tmp_path / "none" / "clear_refs")
    memory = peak_memory.MemoryWatch(NoAccelerator()).read()
    assert memory.before > 2**20
    assert memory.peak is None


@pytest.mark.parametrize(("mark", "peak"), [("VmRSS:\t 1 kB\n", None), ("VmHWM:\t 2048 kB\n", 2 * 2**20)])
def test_mark(monkeypatch, tmp_path, mark, peak):
    """The high-water mark is in KiB; a kernel without one gives no peak."""
    (tmp_path / "status").write_text(mark)
    monkeypatch.setattr(peak_memory, "STATUS", tmp_path / "status")
    monkeypatch.setattr(peak_memory, "CLEAR", tmp_path / "clear_refs")
    assert peak_memory.MemoryWatch(NoAccelerator()).read().peak == peak


def test_accelerator():
    """The accelerator's peak comes from the backend, which resets it as the case begins."""

    class Seven(NoAccelerator):
        peak = None

        def reset_peak_memory(self):
            self.peak = 7

        def peak_memory(self):
            return self.peak

    assert peak_memory.MemoryWatch(Seven()).read().accelerator == 7
