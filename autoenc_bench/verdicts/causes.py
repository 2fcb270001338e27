"""Why a case's time changed, as far as its records tell: what was counted, how busy it was, what else differs."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from autoenc_bench.formatting import share
from autoenc_bench.verdicts.counts import Difference

WAITING = 0.05  # of a round, that one side waits and the other does not
BUSIER = 1.2  # times the cores


class Usage(NamedTuple):
    """How a side's rounds used the machine, as shares of their seconds; a median over its runs."""

    cores: float  # CPU seconds of all threads
    waiting: float | None  # of one pinned thread that neither ran nor was kept from it


def typical(usages: Sequence[Usage]) -> Usage | None:
    """Return the medians of some runs, ``None`` for none."""
    if not usages:
        return None
    waiting = [one.waiting for one in usages if one.waiting is not None]
    return Usage(median(one.cores for one in usages), median(waiting) if waiting else None)


def cause(difference: Difference | None, base: Usage | None, head: Usage | None, tested: str) -> str:
    """Return why time changed; ``tested`` names the facts in which sides differ, ``None`` stands for what is unknown.

    What was counted comes first, for it is exact. Where it is equal, the rest tells what is left. Where nobody counted,
    nothing is said.
    """
    if difference is None:
        return ""
    under_test = f"; under test: {tested}" if tested else ""
    if difference.program:
        also = f"; and Python: {'; '.join(difference.calls)}" if difference.calls else ""
        return f"the program changed: {'; '.join(difference.program)}{also}{under_test}"
    if difference.calls:
        return f"Python's calls changed: {'; '.join(difference.calls)}{under_test}"
    same = "what was counted is equal"
    if base and head:
        waits = base.waiting, head.waiting
        if waits[0] is not None and waits[1] is not None and abs(waits[1] - waits[0]) > WAITING:
            instead = f"it waits for {share(waits[1])} of a round instead of {share(waits[0])}"
            return f"{same}, but {instead}{under_test}"
        # A clock that ticks coarsely, as on Windows, can have seen no CPU time at all: then the ratio is unknown.
        if base.cores and head.cores and not 1 / BUSIER < head.cores / base.cores < BUSIER:
            return f"{same}, on {head.cores:.1f} cores instead of {base.cores:.1f}{under_test}"
    return f"{same}: so the runtime, the memory or the machine{under_test}"
