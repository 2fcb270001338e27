"""Two checks of the records themselves: the control, and a base that is too old.

The control compares every other run of a side with the rest. If they differ, the machine was too unsteady for a change
of time to count. Live comparisons need no control: the spread between pairs shows how far a side differs from itself.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from math import exp
from statistics import median

from autoenc_bench.formatting import count, share
from autoenc_bench.verdicts.intervals import ENOUGH, difference
from autoenc_bench.verdicts.judgements import CHANGES, DECIDED, TOO_FEW, Judgement, Outcome, decide

RUNS = 2 * ENOUGH  # of a side, for the control: each half must show its spread
STRICTNESS = 20  # divides alpha: the control tests two sides in two directions, on few runs
# A base is too old if this many cases, and this share of the decided ones, take at most this ratio of its time.
STALE_CASES, STALE_SHARE, STALE_RATIO = 3, 0.9, 1 / 1.5


def fails(times: Sequence[float], alpha: float, limit: float) -> bool:
    """Return whether the odd runs of a side differ from the even ones; ``times`` are logarithms, one per run."""
    if len(times) < RUNS:
        return False
    return decide(difference(times[::2], times[1::2], alpha / STRICTNESS), limit).outcome in CHANGES


def withdraw(time: Judgement | None) -> Judgement | None:
    """Return a time's judgement after the control failed: a change becomes undecided."""
    if time is None or time.outcome not in CHANGES:
        return time
    return replace(time, outcome=Outcome.UNDECIDED, reason="control failed")


def lacking(times: Collection[Judgement]) -> str:
    """Return why no case had a control, nothing if one had; cases without a verdict and live ones need none."""
    judged = [time.interval for time in times if time.interval and not time.paired and time.reason != TOO_FEW]
    runs = max((max(interval.runs) for interval in judged), default=RUNS)
    if runs >= RUNS:
        return ""
    return f"no control: one side needs {RUNS} runs for it, and no case has more than {count(runs, 'run')} on a side"


def stale(times: Collection[Judgement]) -> str:
    """Return how much faster the head is if almost all decided cases are: the old base may hide a newer slowdown."""
    decided = [(time.outcome, time.interval) for time in times if time.interval and time.outcome in DECIDED]
    faster = [interval.estimate for outcome, interval in decided if outcome is Outcome.IMPROVED]
    if len(faster) < max(STALE_CASES, STALE_SHARE * len(decided)) or exp(median(faster)) > STALE_RATIO:
        return ""
    return f"{len(faster)} of {count(len(decided), 'case')}, at the median by {share(1 - exp(median(faster)))}"
