"""Errors of several seeds: the effect of the seeds' own spread."""

from math import inf

import pytest
from scipy.special import ndtri
from scipy.stats import t as student

from autoenc_bench.records.case import Statistics
from autoenc_bench.verdicts import errors
from autoenc_bench.verdicts.errors import LARGEST_SPREAD, MEAN, combine
from autoenc_bench.verdicts.judgements import Outcome, decide

ROUNDING, ALPHA, LIMIT = 0.0005, 0.0004, 0.01
SHARE = ALPHA / 4  # four statistics share it


def statistics(mean):
    """Make the statistics of an error that differ only in the mean."""
    return Statistics(mean, 1.0, {"0.95": 6.0, "0.99": 7.0}, [])


def moved(*moves, alpha=ALPHA):
    """Return the interval of the mean if the seeds moved by these shares."""
    pairs = [(statistics(5.0), statistics(5.0 * (1 + move))) for move in moves]
    return errors.intervals(pairs, alpha, ROUNDING)[MEAN]


@pytest.mark.parametrize(
    ("moves", "spread"),
    [((0.02,), ROUNDING), ((1e-4, 1e-5), ROUNDING), ((-4e-4, 4e-4, 1e-4), ROUNDING), ((0.02, 0.02), 0)],
    ids=["one seed", "rounding", "rounding both ways", "equal moves"],
)
def test_rounding(moves, spread):
    """A single seed, and seeds that moved by no more than rounding, are assumed to spread by rounding."""
    found = moved(*moves)
    assert found.spread == pytest.approx(spread)
    assert found.high - found.estimate == pytest.approx(-ndtri(SHARE) * ROUNDING / len(moves) ** 0.5)
    assert found.estimate - found.low == pytest.approx(found.high - found.estimate)


def test_seeds_spread():
    """Seeds that moved further have Student's interval, with one degree of freedom fewer than seeds."""
    found = moved(0.001, 0.003, 0.002, 0.0025, 0.0015)
    assert found.spread == pytest.approx(0.00079, rel=0.01)
    assert found.high - found.estimate == pytest.approx(student.isf(SHARE, 4) * found.spread / 5**0.5)


def test_no_spread_on_one_side():
    """A statistic that is zero on one side only moved infinitely, in opposite directions for swapped sides."""
    exact, wide = (Statistics(5.0, std, {"0.95": 6.0, "0.99": 7.0}, []) for std in (0.0, 1.0))
    moves = [errors.intervals([pair], ALPHA, ROUNDING)["σ"].estimate for pair in ((exact, wide), (wide, exact))]
    assert moves == [inf, -inf]
    assert errors.intervals([(exact, exact)], ALPHA, ROUNDING)["σ"].estimate == 0


@pytest.mark.parametrize("moves", [(0.001, 0.2), (0.001, 0.4, 0.1)])
def test_the_widest(moves):
    """An interval is never wider than that of the largest spread that is assumed."""
    found = moved(*moves)
    assert found.high - found.estimate == pytest.approx(-ndtri(SHARE) * LARGEST_SPREAD / len(moves) ** 0.5)


@pytest.mark.parametrize("seeds", [1, 2, 3, 5])
@pytest.mark.parametrize("cases", [1, 10])
def test_a_large_loss(seeds, cases):
    """Errors that are 50 % worse regressed, also in a table of ten cases, with any number of seeds."""
    found = moved(*(0.5 + 0.005 * (-1) ** seed for seed in range(seeds)), alpha=0.0005 / cases)
    assert decide(found, LIMIT).outcome is Outcome.REGRESSED


@pytest.mark.parametrize(
    ("base", "head", "outcome"),
    [
        ([5.0, 5.01], [5.0, 5.02], Outcome.UNCHANGED),
        ([5.0], [5.0, 5.048], Outcome.UNDECIDED),
        ([4.99, 5.0], [5.0, 5.045], Outcome.INCOMPARABLE),
        ([5.0, 5.01], [5.5, 5.52], Outcome.REGRESSED),
    ],
)
def test_runs_differ_within_the_limit(base, head, outcome):
    """If runs of a side differ by less than the limit, all runs must agree on a change."""
    seed = errors.Seed("seed0", *([statistics(mean) for mean in side] for side in (base, head)))
    judged = errors.judge([seed], LIMIT, ALPHA, ROUNDING)
    assert judged.outcome is outcome
    assert (judged.reason == "runs of one side differ in the error of seed0") is (outcome is Outcome.INCOMPARABLE)


def test_two_seeds():
    """A loss of 3 % in two seeds is undecided, because two seeds hardly show their own spread."""
    found = moved(0.031, 0.029)
    assert decide(found, LIMIT).outcome is Outcome.UNDECIDED


def test_reasons():
    """A joint judgement names the statistic that it comes from, with its reason."""
    judged = {name: decide(moved(0.0), LIMIT) for name in errors.STATISTICS}
    judged["σ"] = decide(moved(0.031, 0.029), LIMIT)
    assert combine(judged).reason == "σ"
