"""How many threads a run uses, and on which cores."""

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
    """Read ``--threads``: 1 to the usable cores, or ``all`` (``None``). Raises InvalidInputError for anything else."""
    if text == "all":
        return None
    cores = len(usable_cores())
    if text.isdecimal() and 1 <= int(text) <= cores:
        return int(text)
    raise InvalidInputError(f"thread count {text!r}; choose 1 to {cores} (the cores usable here) or 'all'")


def usable_cores() -> list[int]:
    """List the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def choose(threads: int, usable: Sequence[int], place: int = 0) -> list[int]:
    """Choose so many of the usable cores: the last of the fastest kind, and others at another ``place``.

    Systems like to serve interrupts on the first ones.
    """
    end = len(usable) - place % (len(usable) // threads) * threads
    return cores.by_speed(usable, cores.kinds())[end - threads : end]


def limit(threads: int | None, usable: Sequence[int], place: int = 0) -> list[int] | None:
    """Limit the numerical libraries to that many threads, and the process to as many of the ``usable`` cores.

    Returns the cores, or ``None`` where nothing was pinned: no limit was asked for, or the system (macOS) cannot pin.
    """
    if threads is None:
        return None
    os.environ.update(dict.fromkeys(POOL_VARIABLES, str(threads)))
    threadpool_limits(threads)
    if not hasattr(os, "sched_setaffinity"):
        return None
    chosen = choose(threads, usable, place)
    for _ in range(2):  # a thread may have been made meanwhile
        for thread in psutil.Process().threads():
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.sched_setaffinity(thread.id, chosen)
    return chosen
