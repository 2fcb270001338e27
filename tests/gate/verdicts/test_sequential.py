"""Looks at growing sides close the cases that are decided, or given up, and raise no alarm by looking often."""

import numpy as np
import pytest

from autoenc_bench.catalogue.limits import Overrides
from autoenc_bench.gate import verdicts
from autoenc_bench.gate.verdicts import Outcome, sides
from autoenc_bench.gate.verdicts.sequential import SequentialComparison
from autoenc_bench.records.case import Statistics

BLOCKS = 8


def side(logs, spread=sides.SPREAD, error=None):
    """Make a side of runs, (runs, cases) logarithms of times; the last case has an error, where one is given."""
    held = {}
    for place, column in enumerate(np.asarray(logs).T):
        held[f"case {place}"] = sides.Observed("digits", column.tolist(), column.tolist(), spread=spread)
    if error:
        held[f"case {place}"].error[0] = Statistics(mean=error, std=1.0, quantiles={}, counts=[])
    return sides.Side([], sides.Surroundings(None, {"machine": "a machine"}), held, {}, {}, frozenset())


def suite(seed, cases, slowdown=0.0, spread=0.02, drift=0.0):
    """Draw a base and a head, run by turns A B B A, the first case of the head slower."""
    random = np.random.default_rng(seed)
    logs = random.normal(0, spread, (4 * BLOCKS, cases)) + np.linspace(0, drift, 4 * BLOCKS)[:, None]
    heads = np.tile([False, True, True, False], BLOCKS)
    logs[heads, 0] += np.log1p(slowdown)
    return logs[~heads], logs[heads]


def look_on(base, head, **changes):
    """Look after each block until nothing is open; return the last comparison and the blocks that each case took."""
    sequence, took = SequentialComparison(Overrides({})), {}
    for block in range(1, BLOCKS + 1):
        runs = 2 * block
        ours, theirs = side(base[:runs], **changes), side(head[:runs], **changes)
        found = sequence.look(ours, theirs, block / BLOCKS, last=block == BLOCKS)
        took.update({name: block for name in sequence.closed if name not in took})
    return {verdict.case: verdict.time.outcome for verdict in found.verdicts}, took, found


def test_a_slower_case_closes_early():
    """A large slowdown is decided after a few blocks, and stays what it is while the others go on."""
    outcomes, took, _ = look_on(*suite(0, 3, slowdown=0.3))
    assert outcomes["case 0"] is Outcome.REGRESSED
    assert took["case 0"] < BLOCKS // 2
    assert {outcomes["case 1"], outcomes["case 2"]} <= {Outcome.UNCHANGED, Outcome.UNDECIDED}


@pytest.mark.slow
def test_no_alarm():
    """Of 40 suites of 10 equal cases, looked at 8 times each, none or one has a case that regressed."""
    alarms = [Outcome.REGRESSED in look_on(*suite(seed, 10))[0].values() for seed in range(40)]
    assert sum(alarms) <= 1


def test_decided_stays():
    """What was decided stays as it was, whatever later runs of other cases bring along."""
    sequence = SequentialComparison(Overrides({}))
    base, head = suite(0, 2, slowdown=0.3)
    sequence.look(side(base[:6]), side(head[:6]), 3 / BLOCKS)
    decided = sequence.closed["case 0"]
    assert decided.time.outcome is Outcome.REGRESSED
    found = sequence.look(side(base), side(base), 1.0, last=True)
    assert found.verdicts[0] == sequence.closed["case 0"] == decided


def test_half_a_block_is_no_look():
    """What was seen at half a block costs nothing of the error rate, nor does a look that decides no time."""
    sequence = SequentialComparison(Overrides({}))
    base, head = suite(0, 1)
    for runs, fraction in ((1, 0.1), (2, 0.2), (4, 0.5), (6, 0.75)):
        found = sequence.look(side(base[:runs]), side(head[:runs]), fraction)
    alone = verdicts.compare_sides(side(base[:6]), side(head[:6]), Overrides({}), (), (0.0, 0.5, 0.75), 2)
    assert found.verdicts[0].time == alone.verdicts[0].time


def test_drift():
    """A machine that slows down by a fifth meanwhile hides nothing: both sides of a block have the same share of it."""
    calm, drifting = (look_on(*suite(0, 1, slowdown=0.08, drift=drift))[2].verdicts[0].time for drift in (0, 0.2))
    assert calm.outcome is drifting.outcome is Outcome.REGRESSED
    assert drifting.interval.spread < 0.03  # without blocks it would be 0.06


def test_two_runs_tell_nothing_of_time():
    """A first look at two runs a side decides no time, however far apart they are."""
    sequence = SequentialComparison(Overrides({}))
    found = sequence.look(side([[0.0]] * 2), side([[9.0]] * 2), 0.2)
    assert found.verdicts[0].time.outcome is Outcome.UNDECIDED
    assert not sequence.closed


def test_errors_need_one_run():
    """Half a block decides the errors; a case whose time is given up is closed with it."""
    sequence = SequentialComparison(Overrides({}))
    ours, theirs = (side([[0.0]], spread=sides.WIDE_SPREAD, error=error) for error in (5.0, 6.0))
    found = sequence.look(ours, theirs, 0.1)
    assert found.verdicts[0].error.outcome is Outcome.REGRESSED
    assert found.verdicts[0].time.outcome is Outcome.UNDECIDED
    assert set(sequence.closed) == {"case 0"}


@pytest.mark.parametrize(
    ("apart", "closed"), [(0.05, True), (0.5, False), (3.0, False)], ids=["near", "far", "further"]
)
def test_futile(apart, closed):
    """What spreads by more than the time can average out is measured no more, unless it is far from the base."""
    sequence = SequentialComparison(Overrides({}))
    sequence.look(side([[0.0]], spread=sides.UNTOUCHED_SPREAD), side([[apart]], spread=sides.UNTOUCHED_SPREAD), 0.1)
    assert [verdict.time.reason for verdict in sequence.closed.values()] == ["given up"] * closed


def test_a_failed_control_takes_back_what_was_closed():
    """A regression that was decided before is doubted when the base differs from itself in the end."""
    sequence = SequentialComparison(Overrides({}))
    calm = np.random.default_rng(0).normal(0, 0.01, (16, 2))
    ours, theirs = calm.copy(), calm[::-1].copy()
    theirs[:, 0] += 0.3
    for runs in (2, 4, 6, 8):
        found = sequence.look(side(ours[:runs]), side(theirs[:runs]), runs / 16)
    assert found.verdicts[0].time.outcome is Outcome.REGRESSED
    ours[::2, 1] += 2.0
    found = sequence.look(side(ours), side(theirs), 1.0, last=True)
    assert found.control == "case 1"
    assert found.verdicts[0].time.outcome is Outcome.UNDECIDED
