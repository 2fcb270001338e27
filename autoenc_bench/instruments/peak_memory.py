"""The peak memory of a case: of the process, and of the accelerator."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psutil

from autoenc_bench.records.case import Memory

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


class Accelerator(Protocol):
    """The part of a backend that reports an accelerator's memory."""

    def reset_peak_memory(self) -> None: ...
    def peak_memory(self) -> int | None: ...


class MemoryWatch:
    """The memory of one case, from now until ``read``."""

    def __init__(self, accelerator: Accelerator) -> None:
        self._accelerator = accelerator
        self._before = psutil.Process().memory_info().rss
        self._is_reset = False
        with suppress(OSError):  # no Linux, or a container that forbids it
            CLEAR.write_text("5")  # see proc(5): resets the high-water mark of the resident set, and nothing else
            self._is_reset = True
        accelerator.reset_peak_memory()

    def read(self) -> Memory:
        """Return the case's memory; the process's peak is ``None`` if its mark could not be reset."""
        mark = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text()) if self._is_reset else None
        peak = int(mark[1]) * 1024 if mark else None
        return Memory(before=self._before, peak=peak, accelerator=self._accelerator.peak_memory())
