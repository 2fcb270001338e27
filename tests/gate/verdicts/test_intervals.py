"""Intervals hold what they claim, and looking often costs no more than was paid for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import t as student

from autoenc_bench.gate.verdicts import intervals

values = st.floats(-1, 1)
samples = st.lists(values, min_size=1, max_size=12)


def test_student():
    """Without outliers it is the two-sample t interval with pooled variance."""
    base, head = [0.0, 0.01, 0.02, 0.03], [0.1, 0.11, 0.12]
    found = intervals.difference(base, head, 0.01, 9.0)
    pooled = np.sqrt((3 * np.var(base, ddof=1) + 2 * np.var(head, ddof=1)) / 5)
    assert found.spread == pytest.approx(pooled)
    assert found.estimate == pytest.approx(0.095)
    assert found.detectable == pytest.approx(student.isf(0.01, 5) * pooled * np.sqrt(1 / 4 + 1 / 3))


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


def test_a_slow_run_counts_for_little():
    """One run that took twice as long moves the estimate by less than the noise."""
    noise = np.random.default_rng(0).normal(0, 0.02, (2, 10))
    spoiled = noise.copy()
    spoiled[1, 4] += np.log(2)
    assert intervals.difference(*noise.tolist(), 0.01).estimate == pytest.approx(
        intervals.difference(*spoiled.tolist(), 0.01).estimate, abs=0.02
    )


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
