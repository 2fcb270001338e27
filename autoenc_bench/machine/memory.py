"""How much memory a case held: the process's resident peak, and the accelerator's."""

import re
from pathlib import Path

import psutil

from autoenc_bench.core import backends
from autoenc_bench.records.case import Memory

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # see proc(5): resets the high-water mark of the resident set, and nothing else


class MemoryWatch:
    """The memory of one case, from now on until ``read``.

    Linux resets the high-water mark on demand. Other systems keep one for the life of the process only, which says
    nothing of a case, so the peak is ``None`` there.
    """

    def __init__(self) -> None:
        self._before = psutil.Process().memory_info().rss
        self._watched = _reset()
        backends.current().reset_peak_memory()

    def read(self) -> Memory:
        peak = _high_water() if self._watched else None
        return Memory(before=self._before, peak=peak, accelerator=backends.current().peak_memory())


def _reset() -> bool:
    try:
        CLEAR.write_text(RESET_PEAK)
    except OSError:  # no Linux, or a container that forbids it
        return False
    return True


def _high_water() -> int | None:
    mark = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())
    return int(mark[1]) * 1024 if mark else None
