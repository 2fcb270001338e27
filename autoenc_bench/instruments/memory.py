"""How much memory a case held: the process's resident peak, and the accelerator's."""

import re
from pathlib import Path
from typing import Protocol

import psutil

from autoenc_bench.records.case import Memory

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


class Accelerator(Protocol):
    """The part of a backend's module that knows an accelerator's memory."""

    def reset_peak_memory(self) -> None: ...
    def peak_memory(self) -> int | None: ...


class MemoryWatch:
    """The memory of one case, from now on until ``read``; the peak is ``None`` where no mark can be reset."""

    def __init__(self, accelerator: Accelerator) -> None:
        self._accelerator = accelerator
        self._before = psutil.Process().memory_info().rss
        self._watched = _reset()
        self._accelerator.reset_peak_memory()

    def read(self) -> Memory:
        mark = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text()) if self._watched else None
        peak = int(mark[1]) * 1024 if mark else None
        return Memory(before=self._before, peak=peak, accelerator=self._accelerator.peak_memory())


def _reset() -> bool:
    try:
        CLEAR.write_text("5")  # see proc(5): resets the high-water mark of the resident set, and nothing else
    except OSError:  # no Linux, or a container that forbids it
        return False
    return True
