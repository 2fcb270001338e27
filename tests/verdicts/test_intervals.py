"""Intervals have the stated error rate, and are never narrower than a step of the clock."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import t as student
from scipy.stats import ttest_ind

from autoenc_bench.records.record import Benchmark, Timing
from autoenc_bench.verdicts import intervals
from autoenc_bench.verdicts.intervals import clock_step, difference

APPLE = 125e-9 / 3  # seconds a tick
values = st.floats(-1, 1)
samples = st.lists(values, min_size=1, max_size=12)


@pytest.mark.parametrize("runs", [(3, 3), (8, 8), (4, 3), (3, 8)])
@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_student(runs, scale):
    """The interval is Student's for equal numbers of runs, else the wider one of Student's and Welch's."""
    rng = np.random.default_rng(0)
    base, head = rng.normal(0, 0.02, runs[0]), rng.normal(0.1, 0.02 * scale, runs[1])
    found = difference(base.tolist(), head.tolist(), 0.001, 9.0)
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
    """Sides without any spread differ by exactly their difference, with any number of runs."""
    found = difference([0.25] * 3, [0.5] * 8, 0.001)
    assert (found.low, found.estimate, found.high) == (0.25, 0.25, 0.25)
    tiny = difference([0.0, 0.0, 1e-120], [1e-120] * 8, 0.001)  # its variance's square is no float
    assert tiny.low <= 0 <= tiny.high


@given(st.lists(st.integers(-50, 50), min_size=20, max_size=20), st.integers(-100, 100))
def test_spread_without_the_change(runs, change):
    """The spread does not depend on the difference of the sides, also with slow runs."""
    base, head = [value / 1000 for value in runs[:10]], [value / 1000 for value in runs[10:]]
    still, found = (difference(base, [value + shift for value in head], 0.01) for shift in (0, change / 1000))
    assert found.spread == pytest.approx(still.spread, abs=1e-9)
    assert found.estimate == pytest.approx(still.estimate + change / 1000, abs=1e-9)


def test_too_few_runs():
    """With one run on each side the spread is the assumed one; without an assumption the interval is infinite."""
    found = difference([0.0], [0.1], 0.01, 0.05)
    assert (found.estimate, found.spread) == (0.1, 0.05)
    assert found.high - 0.1 == pytest.approx(-ndtri(0.01) * 0.05 * np.sqrt(2))
    unassumed = difference([0.0], [0.1], 0.01)
    assert (unassumed.estimate, unassumed.low, unassumed.high) == (0.1, -np.inf, np.inf)


@pytest.mark.parametrize("slow", [1.2, 2.0, 50.0])
def test_a_slow_run_is_no_change(slow):
    """One slow run widens the interval, which still contains zero."""
    base, head = np.random.default_rng(0).normal(0, 0.02, (2, 10))
    head[4] += np.log(slow)
    found = difference(base.tolist(), head.tolist(), 0.004)
    assert found.low < 0 < found.high


@given(samples, samples)
def test_mirrored(base, head):
    """Swapped sides give exactly the mirrored interval; equal sides differ by exactly nothing."""
    one, other = (difference(*sides, 0.01, 0.05) for sides in ((base, head), (head, base)))
    assert (one.estimate, one.low, one.high) == (-other.estimate, -other.high, -other.low)
    same = difference(base, list(base), 0.01, 0.05)
    assert same.estimate == 0
    assert same.low <= 0 <= same.high


def test_no_runs():
    """A side without runs is refused."""
    with pytest.raises(ValueError, match="no runs on one side"):
        difference([], [0.0], 0.01, 0.05)


def test_nothing_spent():
    """At an alpha of 0 the interval is infinite, even for runs without spread."""
    found = difference([0.0, 1e-9] * 2, [1.0, 1.0 + 1e-9] * 2, 0.0)
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_a_recorded_side():
    """Eight runs of the base show the spread for a single run of the head."""
    base = np.random.default_rng(0).normal(0, 0.01, intervals.RECORDED).tolist()
    found = difference(base, [0.0], 0.01, 9.0)
    assert found.spread == pytest.approx(np.std(base, ddof=1))
    assert found.detectable == pytest.approx(
        student.isf(0.01, intervals.RECORDED - 1) * found.spread * np.sqrt(1 + 1 / intervals.RECORDED)
    )
    assert difference(base[1:], [0.0], 0.01, 9.0).spread == 9.0


# The step of the clock


def benchmark(seconds, iterations=1, keeps_data=True):
    """Make a benchmark of these rounds."""
    times = [one / iterations for one in seconds]
    data = times if keeps_data else None
    return Benchmark("x", "x", Timing(float(np.median(times)), min(times), len(times), iterations, data))


def step(*runs, **changes):
    """Infer the clock's step, in seconds and as a share of a round, from runs of one case."""
    return clock_step([benchmark(run, **changes) for run in runs])


def test_apple():
    """Steps of 41.67 ns, each rounded to whole nanoseconds, are found up to that rounding."""
    ticks = np.random.default_rng(0).integers(24, 30, (3, 50))
    runs = [np.floor(one * 125 / 3) * 1e-9 + shift for one, shift in zip(ticks, (0, 1e-9, 0), strict=True)]
    seconds, share = step(*runs)
    assert seconds == pytest.approx(APPLE, abs=2e-9)
    assert share == pytest.approx(APPLE / (26.5 * APPLE), rel=0.1)


def test_iterations():
    """A round is a number of steps in all its iterations, so one step matters less with more iterations."""
    once, often = (step([27e-7, 27e-7, 28e-7, 28e-7], iterations=number) for number in (1, 9))
    assert often == pytest.approx(once)
    assert once == pytest.approx((1e-7, 1 / 27.5))


@pytest.mark.parametrize("keeps_data", [True, False])
def test_fine_clock(keeps_data):
    """Rounds that differ show no step, even if some are close; neither do single rounds, or steps of nanoseconds."""
    random = np.random.default_rng(0)
    fine = [1e-3 * (1 + random.uniform(0, 0.02, 200)) for _ in range(6)]
    nanoseconds = [random.integers(5000, 5500, 20_000) * 1e-9 for _ in range(2)]
    for runs in (fine, nanoseconds, [[1e-3]] * 6, []):
        assert step(*runs, keeps_data=keeps_data) == (0, 0)


def test_summed_up():
    """Without rounds, the smallest and the median of all runs together show the step."""
    runs = [8e-7, 10e-7, 10e-7], [8e-7, 10e-7, 10e-7], [8e-7, 11e-7, 11e-7], [8e-7, 11e-7, 11e-7]
    assert step(*runs, keeps_data=False) == pytest.approx((1e-7, 0.1))


def test_one_reading():
    """If all rounds are equal, a step may be as long as a round."""
    assert step([1e-6] * 5) == (1e-6, 1.0)


def test_interval():
    """The spread and the interval are never smaller than a step, with any number of runs."""
    few = difference([0.0] * 3, [0.1] * 3, 0.004, resolution=0.01)
    spread = difference([-0.01, 0.0, 0.01], [0.09, 0.1, 0.11], 0.004)
    assert few.spread == 0.01
    assert few.high - few.low == pytest.approx(spread.high - spread.low)
    many = difference([0.0] * 1000, [0.1] * 1000, 0.004, resolution=0.01)
    assert many.detectable == pytest.approx(0.01)
    assert difference([0.0] * 3, [0.1] * 3, 0.004).detectable < 1e-9
