"""The threads of a run, and the cores that they are pinned to."""

import os
from collections.abc import Sequence
from contextlib import suppress

import psutil
from threadpoolctl import threadpool_limits

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.machine import cores

POOL_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",  # Apple's Accelerate, which threadpoolctl cannot limit
)


def parse(text: str) -> int | None:
    """Return the number in ``--threads``, ``None`` for ``all``; raise InvalidInputError for an impossible number."""
    if text == "all":
        return None
    most = len(usable_cores())
    if text.isdecimal() and 1 <= int(text) <= most:
        return int(text)
    raise InvalidInputError(f"thread count {text!r}; choose 1 to {most} (the cores usable here) or 'all'")


def usable_cores() -> list[int]:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def choose(threads: int, usable: Sequence[int], place: int = 0) -> list[int]:
    """Return so many of the usable cores: the last ones of the fastest kind, and other ones for another ``place``."""
    # The last ones, because systems tend to serve interrupts on the first ones.
    end = len(usable) - place % (len(usable) // threads) * threads
    return cores.by_speed(usable, cores.kinds())[end - threads : end]


def limit(threads: int | None, usable: Sequence[int], place: int = 0) -> list[int] | None:
    """Limit the numerical libraries to that many threads, and pin the process to as many of the ``usable`` cores.

    Returns these cores, or ``None`` if nothing is pinned: ``threads`` is ``None``, or the system (macOS) cannot pin.
    """
    if threads is None:
        return None
    os.environ.update(dict.fromkeys(POOL_VARIABLES, str(threads)))
    threadpool_limits(threads)
    if not hasattr(os, "sched_setaffinity"):
        return None
    chosen = choose(threads, usable, place)
    for _ in range(2):  # the second time for threads that began meanwhile
        for thread in psutil.Process().threads():
            with suppress(ProcessLookupError):  # it has ended
                os.sched_setaffinity(thread.id, chosen)
    return chosen
