"""Interleaved rounds show how two sides differ, and how reliable that is."""

from math import inf, log1p, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student
from scipy.stats import trim_mean

from autoenc_bench.verdicts import pairs
from autoenc_bench.verdicts.comparison import Outcome, decide
from autoenc_bench.verdicts.pairs import Contrast, Paired

ROUNDS = 24
ALPHA = 0.004
LIMIT = log1p(0.03)

# Multiples of a power of two, whose sums are exact in any order: what is equal stays so.
rounds = st.lists(st.integers(-64, 64), min_size=2, max_size=12).map(lambda values: np.array(values) / 64)


def contrasts(*estimates, within=1e-6):
    """Make the pairs of a case with these estimates, each with the same variance of its rounds."""
    return [Contrast(estimate, within) for estimate in estimates]


def drawn(seed, spreads, number):
    """Draw this number of pairs for each case, with the case's spread between pairs."""
    random = np.random.default_rng(seed)
    return {place: contrasts(*random.normal(0, spread, number)) for place, spread in enumerate(spreads)}


def test_slow_for_both():
    """A period that is slow for both processes, by any factor, does not change the contrast."""
    base, head = np.random.default_rng(0).normal([[0.0], [0.05]], 0.01, (2, ROUNDS))
    stretch = np.where(np.arange(ROUNDS) < ROUNDS // 2, np.log(3), 0.0)
    calm, slow = pairs.contrast(base, head), pairs.contrast(base + stretch, head + stretch)
    assert slow == (pytest.approx(calm.estimate), pytest.approx(calm.within))
    assert calm.estimate == pytest.approx(0.05, abs=0.01)


def test_slow_for_one():
    """A few rounds in which only one process is twice as slow move the contrast by less than the noise."""
    base, head = np.random.default_rng(0).normal(0, 0.01, (2, ROUNDS))
    spoiled = head.copy()
    spoiled[3:8] += np.log(2)
    calm, found = pairs.contrast(base, head), pairs.contrast(base, spoiled)
    assert found.estimate == pytest.approx(calm.estimate, abs=0.01)
    assert found.within < 0.01**2  # the plain mean's would be ten times as large


@pytest.mark.parametrize(("base", "head"), [(0, 5), (1, 5), (5, 1), (1, 1)])
def test_too_few_rounds(base, head):
    """A process with fewer than two rounds gives no contrast."""
    assert pairs.contrast(np.zeros(base), np.ones(head)) is None


def test_rounds_in_common():
    """Rounds that only one of the two processes has do not count."""
    base, head = np.random.default_rng(0).normal(0, 0.01, (2, ROUNDS))
    assert pairs.contrast(base, np.append(head, [9.0] * 5)) == pairs.contrast(base, head)


@given(rounds)
def test_trimmed(values):
    """A pair's estimate is the mean of the middle half of its rounds' contrasts."""
    found = pairs.contrast(np.zeros(len(values)), values)
    assert found.estimate == pytest.approx(trim_mean(values, 0.25), abs=1e-12)


@given(rounds)
def test_identical_processes(values):
    """Processes with the same rounds differ by exactly nothing."""
    assert pairs.contrast(values, values.copy()) == (0.0, 0.0)


@pytest.mark.parametrize("tails", [inf, 3], ids=["normal", "heavy"])
def test_variance_of_rounds(tails):
    """The variance from the rounds is that of the estimates of many such pairs, also with heavy tails."""
    values = np.random.default_rng(0).standard_t(tails, (4000, ROUNDS)) if tails < inf else None
    values = np.random.default_rng(0).normal(size=(4000, ROUNDS)) if values is None else values
    found = np.array([pairs.contrast(np.zeros(ROUNDS), one) for one in values])
    assert found[:, 1].mean() == pytest.approx(found[:, 0].var(), rel=0.2)


def test_variance_of_few_rounds():
    """With two to five rounds the variance is not too small on average."""
    for number in (2, 3, 4, 5):
        values = np.random.default_rng(number).normal(size=(4000, number))
        found = np.array([pairs.contrast(np.zeros(number), one) for one in values])
        assert found[:, 1].mean() > 0.95 * found[:, 0].var()


def test_one_case_is_student():
    """A single case whose pairs spread more than its rounds has the one-sample t interval."""
    estimates = [0.01, 0.03, 0.02, 0.05, 0.04]
    (found,) = pairs.pool({"case": contrasts(*estimates)}).values()
    interval = found.interval(ALPHA)
    assert interval.estimate == pytest.approx(0.03)
    assert interval.spread == pytest.approx(np.std(estimates, ddof=1))
    assert interval.runs == (5, 5)
    low, high = student.interval(1 - 2 * ALPHA, 4, np.mean(estimates), np.std(estimates, ddof=1) / sqrt(5))
    assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))


def test_one_pair():
    """One pair of one case has an infinite interval, because it does not show the spread between pairs."""
    found = pairs.pool({"case": contrasts(0.5)})["case"]
    interval = found.interval(ALPHA)
    assert (interval.estimate, interval.low, interval.high) == (0.5, -inf, inf)
    assert decide(interval, 0.03).outcome is Outcome.UNDECIDED
    assert found.needed(LIMIT, ALPHA) == inf


def test_similar_cases():
    """Cases with equal spreads share their degrees of freedom, up to a maximum."""
    for cases, shared in ((4, 6), (30, pairs.PRIOR_DOF[-1])):
        found = pairs.pool(drawn(0, [0.01] * cases, 3))
        assert {(one.own_dof, one.prior_dof) for one in found.values()} == {(2, shared)}
    own = [np.var([pair.estimate for pair in case], ddof=1) for case in drawn(0, [0.01] * 30, 3).values()]
    assert np.ptp([one.variance for one in found.values()]) < np.ptp(own) / 2
    assert np.median([one.variance for one in found.values()]) == pytest.approx(0.01**2, rel=0.3)


def test_one_case_gives_nothing():
    """One case does not show how similar cases are, so it gives a case of a single pair nothing."""
    found = pairs.pool({"case": contrasts(0.0, 0.1, 0.2), "single": contrasts(0.1)})["single"]
    assert found.prior_dof == 0
    assert found.variance == inf


def test_a_case_with_one_pair():
    """A case with a single pair is judged by the spread of the other cases."""
    found = pairs.pool({**drawn(0, [0.01] * 1000, 3), "single": contrasts(0.1)})["single"]
    assert (found.own_dof, found.prior_dof) == (0, pairs.PRIOR_DOF[-1])
    assert found.variance == pytest.approx(0.01**2, rel=0.15)
    assert found.interval(ALPHA).low > 0


def test_dissimilar_cases():
    """Cases that differ by more than chance share hardly any degrees of freedom, even with one each."""
    spreads = np.exp(np.random.default_rng(1).normal(0, 1.5, 200)) * 0.01
    for number in (2, 5):
        (shared,) = {one.prior_dof for one in pairs.pool(drawn(1, spreads, number)).values()}
        assert shared <= 1


def test_similar_with_one_degree_of_freedom():
    """Similar cases are recognised with two pairs each, too."""
    (shared,) = {one.prior_dof for one in pairs.pool(drawn(2, [0.01] * 100, 2)).values()}
    assert shared >= 6


def test_a_noisy_case_stays_noisy():
    """Cases with a small spread do not hide the large spread of another case."""
    found = pairs.pool(drawn(0, [0.002] * 20 + [0.2], 4))
    assert found[20].half_width(ALPHA) > 10 * found[0].half_width(ALPHA)


@given(st.lists(st.lists(st.floats(-0.1, 0.1), min_size=1, max_size=4), min_size=1, max_size=5), st.floats(1e-8, 1e-2))
def test_no_less_than_the_rounds(cases, within):
    """The variance between pairs is never less than that of their rounds."""
    pooled = pairs.pool({place: contrasts(*estimates, within=within) for place, estimates in enumerate(cases)})
    assert all(one.variance >= one.within == pytest.approx(within) for one in pooled.values())


@pytest.mark.slow
def test_covers():
    """Of 400 suites of 20 equal cases, the share of intervals that miss the truth is below 1.2 alphas."""
    alpha, missed = 0.02, 0
    for seed in range(400):
        random = np.random.default_rng(seed)
        logs = random.normal(0, 0.03, (20, 4, 2, ROUNDS)) + random.normal(0, 0.01, (20, 4, 2, 1))
        cases = {place: [pairs.contrast(*pair) for pair in case] for place, case in enumerate(logs)}
        found = pairs.pool(cases).values()
        missed += sum(abs(one.estimate) > one.half_width(alpha) for one in found)
    assert 0.5 * 2 * alpha < missed / 8000 < 1.2 * 2 * alpha


def paired(estimate, pairs=2, spread=0.01):
    """Make a case of this number of pairs, without degrees of freedom of other cases."""
    return Paired(estimate, spread**2, 1e-6, pairs, pairs - 1, 0.0)


def test_more_pairs():
    """Each further pair narrows the interval, as if it had been measured at the same spread."""
    known = paired(0.0, pairs=4)
    widths = [known.half_width(ALPHA, number) for number in range(4, 40)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == known.half_width(ALPHA)
    assert widths[-1] == pytest.approx(paired(0.0, pairs=39).half_width(ALPHA))


def test_no_alpha():
    """At an error rate of 0 the interval is infinite."""
    assert paired(0.1).half_width(0.0) == inf


@pytest.mark.parametrize("estimate", [0.0, 0.01, -0.02, 0.05, -0.08, LIMIT])
def test_needed(estimate):
    """The needed pairs decide a case with the same estimate and spread, and one pair fewer does not."""
    needed = paired(estimate).needed(LIMIT, ALPHA)
    for number, decided in ((needed, True), (needed - 1, False)):
        outcome = decide(paired(estimate, pairs=number).interval(ALPHA), 0.03).outcome
        assert (outcome is not Outcome.UNDECIDED) is decided


def test_slack():
    """Slack gives the pairs that an estimate moved by so much would need."""
    assert paired(0.02).needed(LIMIT, ALPHA, slack=0.005) == paired(0.015).needed(LIMIT, ALPHA)
    assert paired(0.028).needed(LIMIT, ALPHA, slack=0.005) == paired(0.033).needed(LIMIT, ALPHA)


@pytest.mark.parametrize("sign", [1, -1])
def test_never(sign):
    """No number of pairs separates a change just below the limit from one at it, unless there is slack."""
    almost = paired(sign * (LIMIT - 1e-6))
    assert almost.needed(LIMIT, ALPHA) == inf
    assert almost.needed(LIMIT, ALPHA, slack=0.01) < inf


@given(st.lists(st.lists(rounds, min_size=2, max_size=4), min_size=1, max_size=4))
def test_identical_sides(cases):
    """Sides with the same rounds differ by exactly nothing, with any number of cases and pairs."""
    found = pairs.pool({place: [pairs.contrast(own, own) for own in case] for place, case in enumerate(cases)})
    for one in found.values():
        interval = one.interval(ALPHA)
        assert interval.estimate == 0
        assert decide(interval, 0.03).outcome is Outcome.UNCHANGED


@given(st.lists(st.lists(st.tuples(rounds, rounds), min_size=1, max_size=4), min_size=1, max_size=4))
def test_mirrored(cases):
    """Swapped sides give the mirrored intervals."""
    there = pairs.pool({place: [pairs.contrast(*pair) for pair in case] for place, case in enumerate(cases)})
    back = pairs.pool({place: [pairs.contrast(*pair[::-1]) for pair in case] for place, case in enumerate(cases)})
    for name, one in there.items():
        ours, theirs = one.interval(ALPHA), back[name].interval(ALPHA)
        assert ours.estimate == pytest.approx(-theirs.estimate, abs=1e-9)
        assert ours.low == pytest.approx(-theirs.high, rel=1e-6, abs=1e-9)
        assert ours.high == pytest.approx(-theirs.low, rel=1e-6, abs=1e-9)
