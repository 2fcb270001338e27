"""Change points are found at their place, seldom in noise, in any unit, and never in short or constant timelines."""

from math import log

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import t

from autoenc_bench.history import change_points

NOISE = 0.03


def noisy(seed, length, at=None, step=0.1):
    """Return times with lognormal noise, and with a step from run ``at`` on."""
    logs = np.random.default_rng([seed, length]).normal(0, NOISE, length)
    logs[length if at is None else at :] += np.log1p(step)
    return np.exp(logs).tolist()


def places(values, smallest=0.01):
    """Return the places of the changes."""
    return [change.index for change in change_points.find(values, smallest)]


@pytest.mark.parametrize(("length", "least"), [(20, 90), (50, 95), (100, 95)])
def test_a_step_is_found(length, least):
    """A step of 10 % in noise of 3 % is found within one run of its place, in 95 of 100 timelines of 50 runs."""
    found = 0
    for seed in range(100):
        at = int(np.random.default_rng(seed).integers(5, length - 4))
        found += any(abs(place - at) <= 1 for place in places(noisy(seed, length, at)))
    assert found >= least


@pytest.mark.parametrize("length", [7, 20, 50, 100])
def test_flat_timelines(length):
    """In noise alone at most one of 100 timelines has a change."""
    assert sum(bool(places(noisy(seed, length))) for seed in range(100)) <= 1


@pytest.mark.parametrize("step", [0.1, -0.1, 1.0, -0.5])
def test_size_and_interval(step):
    """A change has its size and a 95 % interval around it, of about ± 1.5 % for 2 × 30 runs."""
    inside = 0
    for seed in range(40):
        change = min(change_points.find(noisy(seed, 60, 30, step), 0.01), key=lambda found: abs(found.index - 30))
        assert change.low < change.ratio < change.high
        assert (change.high - change.low) / change.ratio < 0.045
        inside += change.low <= 1 + step <= change.high
    assert inside >= 34


@pytest.mark.parametrize(("before", "after"), [(16, 16), (16, 8), (8, 16)])
def test_interval(before, after):
    """The interval of a change is Student's for two samples of equal variance, corrected for clipping."""
    (change,) = change_points.find([1.0, 1.01] * (before // 2) + [1.2, 1.212] * (after // 2), 0.01)
    squares = (before + after) * (log(1.01) / 2) ** 2  # about their means
    variance = squares / (before + after - 2) / change_points.CLIPPED
    half_width = t.ppf(0.975, before + after - 2) * (variance * (1 / before + 1 / after)) ** 0.5
    assert change.index == before
    assert log(change.ratio) == pytest.approx(log(1.2))
    # A segment counts with its own variance if that is above the pooled one: by up to 2 % here.
    assert log(change.high / change.ratio) == pytest.approx(half_width, rel=0.02)
    assert log(change.ratio / change.low) == pytest.approx(half_width, rel=0.02)


@pytest.mark.parametrize(("level", "number"), [(2.0, 1), (1.999, 0)])
def test_smallest_change(level, number):
    """A change of exactly the smallest size is found; one just below it is not."""
    values = [1.0] * 9 + [level] * 6 + [3.0] + [level] * 6  # a single slow run, so that the values reach further
    assert len(change_points.find(values, 1.0)) == number


@pytest.mark.parametrize("length", [change_points.WINDOW - 1, change_points.WINDOW, change_points.WINDOW + 1])
def test_timelines_as_long_as_the_window(length):
    """A rise by a fifth is found in timelines about as long as the window of the running median."""
    for seed in range(10):
        values = np.exp(np.random.default_rng(seed).normal(0, 0.01, length))
        values[length // 2 :] *= 1.2
        assert places(values.tolist()) == [length // 2]


def test_several_steps():
    """Each of several steps is found; up and down again are two."""
    values = np.concatenate([noisy(1, 30), np.array(noisy(2, 30)) * 1.2, np.array(noisy(3, 30))]).tolist()
    up, down = places(values)
    assert abs(up - 30) <= 1
    assert abs(down - 60) <= 1


@pytest.mark.parametrize("slow", [1.5, 3.0, 100.0])
def test_single_slow_runs(slow):
    """Single slow runs are no change at any place, and they hide no change."""
    for seed in range(20):
        values = noisy(seed, 40)
        for place in (3, 17, 18, 39):
            values[place] *= slow
        assert places(values) == []
    stepped = noisy(0, 60, 30)
    stepped[10] *= slow
    stepped[45] *= slow
    (place,) = places(stepped)
    assert abs(place - 30) <= 1


def test_short_timelines():
    """Five runs or fewer have no change, however much they differ."""
    for length in range(6):
        assert places([10.0**power for power in range(length)]) == []
    assert places([1.0, 1.0, 1.0, 2.0, 2.0]) == []


def test_values_that_repeat_to_the_bit():
    """Without noise a change has its exact place and size; one below the smallest size is none."""
    (change,) = change_points.find([7.5] * 9 + [7.515] * 3, 0.001)
    assert change.index == 9
    assert change.ratio == pytest.approx(1.002)
    assert (change.low, change.high) == pytest.approx((1.002, 1.002))
    assert places([7.5] * 9 + [7.505] * 9, 0.001) == []
    assert places([7.5] * 9 + [7.505] * 4 + [7.6] + [7.505] * 4, 0.001) == []
    assert places([7.5] * 9 + [7.9] + [7.5] * 9, 0.001) == []
    assert places([7.5] * 50) == []


def test_two_values_in_turn():
    """Values that take one of two levels by chance do not change."""
    for seed in range(20):
        values = np.random.default_rng(seed).choice([7.5, 7.6], 60, p=[0.7, 0.3]).tolist()
        assert places(values, 0.001) == []


def test_zeros():
    """Zeros are a level: equal zeros do not change, a rise from zero is infinite, and a fall to zero has ratio 0."""
    assert places([0.0] * 20) == []
    (rise,) = change_points.find([0.0] * 10 + [1.0] * 10, 0.001)
    assert (rise.index, rise.ratio) == (10, float("inf"))
    (fall,) = change_points.find([1.0] * 10 + [0.0] * 10, 0.001)
    assert (fall.index, fall.ratio) == (10, 0.0)


@pytest.mark.parametrize("length", [20, 100])
def test_penalty(length):
    """A cut is a candidate if it lowers the sum of squares by more than 2 log n + 2, in squares of the noise."""
    for gain, found in ((2 * np.log(length) + 1.9, []), (2 * np.log(length) + 2.1, [length // 2])):
        values = np.zeros(length)
        values[length // 2 :] = 2 * np.sqrt(gain / length)
        assert change_points._candidates(values) == found


@settings(max_examples=50)
@given(st.integers(0, 1000), st.sampled_from([1e-9, 1e-3, 7.0, 1e6]))
def test_the_unit_does_not_matter(seed, factor):
    """Times in another unit change at the same runs by the same ratios."""
    values = noisy(seed, 40, 20)
    here, there = change_points.find(values, 0.01), change_points.find([factor * value for value in values], 0.01)
    assert [change.index for change in here] == [change.index for change in there]
    assert [change.ratio for change in here] == pytest.approx([change.ratio for change in there])


@settings(max_examples=50)
@given(st.floats(1e-9, 1e9), st.integers(1, 60))
def test_equal_values_never_change(value, length):
    """Equal values have no change."""
    assert places([value] * length) == []


@settings(max_examples=100)
@given(st.lists(st.floats(0, 1e12), max_size=40))
@example([0.0, 5e-324, 5e-324, 1.0, 1.0, 281710.0])  # a rise whose interval ends past the largest number
@example([0.0] * 5 + [5e-324])  # nothing lies between zero and the smallest number
def test_any_values(values):
    """For any values, changes are in order, apart from each other and from the ends, and large enough."""
    found = change_points.find(values, 0.01)
    cuts = [0, *(change.index for change in found), len(values)]
    assert not found or min(np.diff(cuts)) >= change_points.SHORTEST
    assert all(abs(np.log(change.ratio or 1e-9)) > 0.0 for change in found)


def test_level():
    """A level is the median of its newest ten runs."""
    assert change_points.level([100.0] * 5 + [1.0] * 5 + [3.0] * 5) == 2.0
    assert change_points.level([4.0]) == 4.0
