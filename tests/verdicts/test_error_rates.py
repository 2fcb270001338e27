"""Comparisons are wrong no more often than documented: a short form of docs/studies/error_rates.py."""

from importlib.util import module_from_spec, spec_from_file_location

import numpy as np
import pytest
from suite_runs import ROOT

from autoenc_bench.verdicts.intervals import difference

SPEC = spec_from_file_location("error_rates", ROOT / "docs/studies/error_rates.py")
study = module_from_spec(SPEC)
SPEC.loader.exec_module(study)

DRAWS = 200_000
# Shares of the nominal rate that so few draws exceed by chance in less than one of 10,000 tests, where it is 1.
SLACK = {study.ALPHA: 1.15, study.ALPHA / study.CASES: 2.0}


def test_the_simulated_rule_is_the_real_one():
    """The vectorised rule agrees with the functions that judge, draw by draw."""
    study.check(20)


@pytest.mark.parametrize("name", study.NOISES)
@pytest.mark.parametrize("runs", [(3, 3), (8, 8), (8, 5)])
def test_times(runs, name):
    """Unchanged times regress no more often than alpha, for all kinds of noise."""
    for alpha, rate in zip(SLACK, study.rates(study.NOISES[name], runs, tuple(SLACK), DRAWS), strict=True):
        assert rate <= SLACK[alpha]


def test_real_times():
    """``difference`` itself has that error rate, in both directions together."""
    base, head = np.random.default_rng(0).normal(size=(2, 20_000, 3))
    alpha = study.ALPHA
    found = [difference(*sides, alpha) for sides in zip(base.tolist(), head.tolist(), strict=True)]
    wrong = sum(one.low > 0 or one.high < 0 for one in found)
    assert wrong / len(found) == pytest.approx(2 * alpha, rel=0.3)


@pytest.mark.parametrize("runs", [(3, 3), (8, 8)])
def test_power(runs):
    """Larger changes are found more often; without a change, fewer than alpha regress."""
    found = [study.power(runs[0], 0.01, change, study.ALPHA, 20_000) for change in (0.0, 0.03, 0.05, 0.1)]
    assert found == sorted(found)
    assert found[0] <= study.ALPHA
    assert found[3] > 0.99


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("spread", [0.0005, 0.001, 0.005, 0.02])
def test_errors(seeds, spread):
    """Errors that moved by chance regress no more often than alpha, by rounding or by more."""
    assert study.error_rate(seeds, spread, 1e-6, DRAWS) <= 1.5 * study.ALPHAS["error"]


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_gross_losses(seeds):
    """Errors that are 50 % worse in each seed regress."""
    assert study.error_rate(seeds, 0.005, 0.01, 2_000, change=0.5, cases=8) == 1
