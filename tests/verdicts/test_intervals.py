"""Intervals hold what they claim, and looking often costs no more than was paid for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import t as student
from scipy.stats import ttest_ind

from autoenc_bench.verdicts import intervals

values = st.floats(-1, 1)
samples = st.lists(values, min_size=1, max_size=12)


@pytest.mark.parametrize("runs", [(3, 3), (8, 8), (4, 3), (3, 8)])
@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_student(runs, scale):
    """The interval is Student's where the sides have equally many runs; else the wider one of Student's and Welch's."""
    rng = np.random.default_rng(0)
    base, head = rng.normal(0, 0.02, runs[0]), rng.normal(0.1, 0.02 * scale, runs[1])
    found = intervals.difference(base.tolist(), head.tolist(), 0.001, 9.0)
    known = [
        ttest_ind(head, base, equal_var=equal).confidence_interval(1 - 2 * 0.001)
        for equal in ((True, False) if runs[0] != runs[1] else (True,))
    ]
    assert found.estimate == pytest.approx(head.mean() - base.mean())
    assert found.low == pytest.approx(min(one.low for one in known))
    assert found.high == pytest.approx(max(one.high for one in known))
    squares = [(len(side) - 1) * side.var(ddof=1) for side in (base, head)]
    assert found.spread == pytest.approx(np.sqrt(sum(squares) / (sum(runs) - 2)))


def test_equal_runs():
    """Sides whose runs are all alike differ by exactly what they differ, however many runs they have."""
    found = intervals.difference([0.25] * 3, [0.5] * 8, 0.001)
    assert (found.low, found.estimate, found.high) == (0.25, 0.25, 0.25)
    tiny = intervals.difference([0.0, 0.0, 1e-120], [1e-120] * 8, 0.001)  # its variance's square is no float
    assert tiny.low <= 0 <= tiny.high


@given(st.lists(st.integers(-50, 50), min_size=20, max_size=20), st.integers(-100, 100))
def test_a_change_is_no_noise(runs, change):
    """The spread is the same whatever the sides' difference, slow runs included: a large change is seen as well."""
    base, head = [value / 1000 for value in runs[:10]], [value / 1000 for value in runs[10:]]
    still, found = (intervals.difference(base, [value + shift for value in head], 0.01) for shift in (0, change / 1000))
    assert found.spread == pytest.approx(still.spread, abs=1e-9)
    assert found.estimate == pytest.approx(still.estimate + change / 1000, abs=1e-9)


def test_too_few_runs():
    """With one run a side the spread is the one that is assumed; without an assumption nothing is known."""
    found = intervals.difference([0.0], [0.1], 0.01, 0.05)
    assert (found.estimate, found.spread) == (0.1, 0.05)
    assert found.high - 0.1 == pytest.approx(-ndtri(0.01) * 0.05 * np.sqrt(2))
    unassumed = intervals.difference([0.0], [0.1], 0.01)
    assert (unassumed.estimate, unassumed.low, unassumed.high) == (0.1, -np.inf, np.inf)


@pytest.mark.parametrize("slow", [1.2, 2.0, 50.0])
def test_a_slow_run_is_no_change(slow):
    """One run that took longer, by however much, widens the interval, which does not get clear of zero."""
    base, head = np.random.default_rng(0).normal(0, 0.02, (2, 10))
    head[4] += np.log(slow)
    found = intervals.difference(base.tolist(), head.tolist(), 0.004)
    assert found.low < 0 < found.high


@given(samples, samples)
def test_mirrored(base, head):
    """Swapped sides give the mirrored interval, exactly; equal sides differ by exactly nothing."""
    one, other = (intervals.difference(*sides, 0.01, 0.05) for sides in ((base, head), (head, base)))
    assert (one.estimate, one.low, one.high) == (-other.estimate, -other.high, -other.low)
    same = intervals.difference(base, list(base), 0.01, 0.05)
    assert same.estimate == 0
    assert same.low <= 0 <= same.high


def test_nobody():
    """A side without runs is refused."""
    with pytest.raises(ValueError, match="no runs on one side"):
        intervals.difference([], [0.0], 0.01, 0.05)


@pytest.mark.parametrize(
    "fractions", [tuple(np.linspace(0.1, 1, 10)), (0.0, 0.4, 0.5, 0.8, 0.85, 1.0)], ids=["even", "not"]
)
def test_looks(fractions):
    """The boundaries of several looks are crossed by chance as often as alpha says, and the last gets most."""
    alpha = 0.05
    found = np.array(intervals.nominal_alphas(alpha, fractions))
    steps = np.random.default_rng(0).normal(size=(200_000, len(fractions)))
    scores = np.cumsum(steps, axis=1) / np.sqrt(np.arange(1, len(fractions) + 1))
    crossed = (scores > -ndtri(np.maximum(found, 1e-300))).any(axis=1).mean()
    assert crossed == pytest.approx(alpha, rel=0.04)
    first = next(place for place, share in enumerate(fractions) if share)
    assert found[first] == pytest.approx(alpha * fractions[first] ** 2)
    assert alpha > found[-1] == found.max() > 0.6 * alpha
    assert (found == 0).tolist() == [share == 0 for share in fractions]


def test_one_look():
    """A single look gets the whole alpha."""
    assert intervals.nominal_alphas(0.01, (1.0,)) == (0.01,)


def test_nothing_spent():
    """At an alpha of 0 nothing is told, however close the runs are."""
    found = intervals.difference([0.0, 1e-9] * 2, [1.0, 1.0 + 1e-9] * 2, 0.0)
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_a_recorded_side():
    """Where the base has runs enough, they tell the spread for a single run of the head."""
    base = np.random.default_rng(0).normal(0, 0.01, intervals.RECORDED).tolist()
    found = intervals.difference(base, [0.0], 0.01, 9.0)
    assert found.spread == pytest.approx(np.std(base, ddof=1))
    assert found.detectable == pytest.approx(
        student.isf(0.01, intervals.RECORDED - 1) * found.spread * np.sqrt(1 + 1 / intervals.RECORDED)
    )
    assert intervals.difference(base[1:], [0.0], 0.01, 9.0).spread == 9.0
