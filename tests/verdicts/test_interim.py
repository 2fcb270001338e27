"""Interim analyses close decided and futile cases, without raising the error rate."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtri

from autoenc_bench.records.case import Statistics
from autoenc_bench.verdicts import comparison, sides
from autoenc_bench.verdicts.comparison import Outcome
from autoenc_bench.verdicts.interim import SequentialComparison, nominal_alphas
from autoenc_bench.verdicts.judgements import FUTILITY
from autoenc_bench.verdicts.limits import Overrides

GROUPS = 6
PAIRS = 2  # of a group
ROUNDS = 16


def suite(seed, cases, slowdown=0.0, apart=0.005, drift=0.0):
    """Draw the rounds' logarithms, (cases, pairs, base and head, rounds), with a slower first case of the head.

    ``apart`` is the spread between pairs of a case, and ``drift`` how much slower the machine gets from first to last.
    """
    random = np.random.default_rng(seed)
    logs = random.normal(0, 0.02, (cases, PAIRS * GROUPS, 2, ROUNDS))
    logs += np.linspace(0, drift, PAIRS * GROUPS * ROUNDS).reshape(PAIRS * GROUPS, 1, ROUNDS)
    logs[:, :, 1] += random.normal(0, apart, (cases, PAIRS * GROUPS, 1))
    logs[0, :, 1] += np.log1p(slowdown)
    return logs


def both(logs, groups, errors=None):
    """Make a base and a head of the first groups' pairs; an experiment has an error each, if given."""
    return [one_side(logs[:, : round(PAIRS * groups), place], errors and errors[place]) for place in (0, 1)]


def one_side(logs, error):
    """Make a side from rounds of shape (cases, pairs, rounds)."""
    cases = {
        f"case {number}": sides.CaseResult(
            "digits",
            runs=[run_result(float(np.median(one)), None) for one in known],
            pairs={str(name): one for name, one in enumerate(known)},
        )
        for number, known in enumerate(logs)
    }
    if error:
        statistics = Statistics(mean=error, std=1.0, quantiles={}, counts=[])
        cases["experiment"] = sides.CaseResult("digits", runs=[run_result(0.0, statistics)])
    return sides.Side([], sides.Context(None, {"machine": "a machine"}, {}), cases)


def run_result(time, error):
    """Make what one live run has of a case: interleaved rounds, or an error."""
    errors = {0: error} if error else {}
    return sides.RunResult({0: time}, {}, errors, True, is_timed=not error, memory=None, counts=None, plain=None)


def analyse_all(logs):
    """Analyse after each group; return the last outcomes, the groups that each case took, and the comparison."""
    sequence, took = SequentialComparison(Overrides({})), {}
    for groups in range(1, GROUPS + 1):
        found = sequence.analyse(*both(logs, groups), groups, GROUPS, last=groups == GROUPS)
        took.update({name: groups for name in sequence.closed if name not in took})
    return {verdict.case: verdict.time.outcome for verdict in found.verdicts}, took, found


def test_a_slower_case_closes_early():
    """A large slowdown is decided after a few groups and stays decided."""
    outcomes, took, _ = analyse_all(suite(0, 3, slowdown=0.3))
    assert outcomes["case 0"] is Outcome.REGRESSED
    assert took["case 0"] <= GROUPS // 2
    assert {outcomes["case 1"], outcomes["case 2"]} <= {Outcome.UNCHANGED, Outcome.UNDECIDED}


@pytest.mark.slow
@pytest.mark.parametrize("apart", [0.005, 0.02], ids=["calm", "wild"])
def test_no_alarm(apart):
    """Of 40 suites of 10 equal cases, analysed 6 times each, at most one has a false alarm."""
    alarms = [
        not {*comparison.CHANGES}.isdisjoint(analyse_all(suite(seed, 10, apart=apart))[0].values())
        for seed in range(40)
    ]
    assert sum(alarms) <= 1


def test_decided_stays():
    """A decided case keeps its verdict, whatever later pairs measure."""
    sequence = SequentialComparison(Overrides({}))
    logs = suite(0, 2, slowdown=0.3)
    sequence.analyse(*both(logs, 3), 3, GROUPS)
    decided = sequence.closed["case 0"]
    assert decided.time.outcome is Outcome.REGRESSED
    found = sequence.analyse(*both(suite(1, 2), GROUPS), GROUPS, GROUPS, last=True)
    assert found.verdicts[0] == sequence.closed["case 0"] == decided


@pytest.mark.parametrize(
    ("analyses", "fractions"),
    [
        ([(1, 6, False), (2, 6, False)], (1 / 6, 1 / 3)),
        ([(1, 2, False), (2, 6, False), (3, 6, False)], (1 / 2, 1 / 2, 1 / 2)),
        ([(1, 6, False), (2, 6, True)], (1 / 6, 1.0)),
        ([(2, 1, False)], (1.0,)),
    ],
    ids=["as planned", "replanned", "out of time", "more than planned"],
)
def test_information_fractions(analyses, fractions):
    """An analysis has its share of the planned groups, never less than before; the last has all."""
    sequence = SequentialComparison(Overrides({}))
    logs = suite(0, 2, apart=0.05)
    for groups, most, last in analyses:
        found = sequence.analyse(*both(logs, groups), groups, most, last=last)
    alone = comparison.compare_sides(
        *both(logs, groups), Overrides({}), (), lambda alpha: nominal_alphas(alpha, fractions)[-1]
    )
    assert [one.time.interval for one in found.verdicts] == [one.time.interval for one in alone.verdicts]


def test_drift():
    """A machine that gets slower by a fifth does not matter, because it slows both processes of a pair."""
    calm, drifting = (analyse_all(suite(0, 1, slowdown=0.08, drift=drift))[2].verdicts[0].time for drift in (0, 0.2))
    assert calm.outcome is drifting.outcome is Outcome.REGRESSED
    assert drifting.interval[:4] == pytest.approx(calm.interval[:4])


def test_one_pair_decides_no_time():
    """One pair of one case is neither decided nor stopped for futility, however large its difference."""
    sequence = SequentialComparison(Overrides({}))
    found = sequence.analyse(*both(suite(0, 1, slowdown=9.0), 1 / PAIRS), 1, GROUPS)
    assert found.verdicts[0].time.outcome is Outcome.UNDECIDED
    assert not sequence.closed


def test_errors_need_one_analysis():
    """The first analysis decides and closes the error of a whole experiment, which has no time."""
    sequence = SequentialComparison(Overrides({}))
    found = sequence.analyse(*both(suite(0, 1, apart=0.01), 1, errors=(5.0, 6.0)), 1, GROUPS)
    verdict = found.verdicts[-1]
    assert (verdict.case, verdict.time, verdict.error.outcome) == ("experiment", None, Outcome.REGRESSED)
    assert sequence.closed["experiment"] == verdict


@pytest.mark.parametrize(
    ("apart", "estimate", "is_futile"),
    [(0.3, 0.0, True), (0.03, 0.0, False), (0.3, 0.25, False)],
    ids=["spread", "calm", "far"],
)
def test_futile(apart, estimate, is_futile):
    """A case that the budget cannot decide is stopped for futility, unless its estimate is far from the limit."""
    logs = suite(0, 1, apart=0) / 100
    logs[0, :, 1] += estimate + apart * np.resize([[1], [-1]], (PAIRS * GROUPS, 1))
    sequence = SequentialComparison(Overrides({}))
    found = sequence.analyse(*both(logs, GROUPS - 1), GROUPS - 1, GROUPS)
    assert found.verdicts[0].time.outcome is Outcome.UNDECIDED
    assert found.verdicts[0].time.reason == (FUTILITY if is_futile else "")
    assert ("case 0" in sequence.closed) is is_futile


def test_nothing_is_futile_in_the_end():
    """The last analysis leaves cases undecided without stopping them for futility."""
    sequence = SequentialComparison(Overrides({}))
    found = sequence.analyse(*both(suite(0, 4, apart=0.3), GROUPS), GROUPS, GROUPS, last=True)
    assert {(one.time.outcome, one.time.reason) for one in found.verdicts} == {(Outcome.UNDECIDED, "")}
    assert not sequence.closed


def test_peaks_spend_too(monkeypatch):
    """Peaks of a live comparison grow with its pairs, so each analysis gets a part of their error rate too."""
    monkeypatch.setitem(comparison.ALPHAS, "memory", 0.01)
    base, head = (side.cases["case 0"] for side in both(suite(0, 1), GROUPS))
    for observed in (base, head):
        observed.runs = [replace(run, memory=20 + 0.01 * number) for number, run in enumerate(observed.runs)]
    known = sides.Context(None, {"machine": "a machine"}, {})
    both_ = [sides.Side([], known, {"case 0": one}) for one in (base, head)]
    widths = [
        comparison.compare_sides(*both_, Overrides({}), (), lambda alpha, part=part: part * alpha).verdicts[0].memory
        for part in (1, 0.04, 0.9)
    ]
    assert 0 < widths[0].interval.detectable < widths[2].interval.detectable < widths[1].interval.detectable


@pytest.mark.parametrize(
    "fractions", [tuple(np.linspace(0.1, 1, 10)), (0.0, 0.4, 0.5, 0.8, 0.85, 1.0)], ids=["even", "not"]
)
def test_boundaries(fractions):
    """All analyses together err with a rate of alpha, and the last gets most of it; a single one gets all."""
    alpha = 0.05
    found = np.array(nominal_alphas(alpha, fractions))
    steps = np.random.default_rng(0).normal(size=(200_000, len(fractions)))
    scores = np.cumsum(steps, axis=1) / np.sqrt(np.arange(1, len(fractions) + 1))
    crossed = (scores > -ndtri(np.maximum(found, 1e-300))).any(axis=1).mean()
    assert crossed == pytest.approx(alpha, rel=0.04)
    first = next(place for place, share in enumerate(fractions) if share)
    assert found[first] == pytest.approx(alpha * fractions[first] ** 2)
    assert alpha > found[-1] == found.max() > 0.6 * alpha
    assert (found == 0).tolist() == [share == 0 for share in fractions]
    assert nominal_alphas(alpha, (1.0,)) == (alpha,)
