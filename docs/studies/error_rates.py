"""How often a comparison of records is wrong: ``python docs/studies/error_rates.py [times|changes|tables|errors]``.

Every figure is a share of simulated comparisons in which nothing changed, or in which a known change happened. The rule
is that of autoenc_bench/verdicts, in a vectorised form; `check` compares it with the real functions, draw by draw.
The tables go to standard output, as Markdown: error_rates.md keeps them.
"""

import argparse
from itertools import product
from math import log1p

import numpy as np
from scipy.special import ndtri, stdtrit
from tabulate import tabulate

from autoenc_bench.records.case import Statistics
from autoenc_bench.verdicts import errors
from autoenc_bench.verdicts.comparison import ALPHAS
from autoenc_bench.verdicts.errors import combine
from autoenc_bench.verdicts.intervals import ENOUGH, RECORDED, difference
from autoenc_bench.verdicts.judgements import CHANGES, Outcome, decide

ALPHA, CASES, LIMIT = ALPHAS["time"], 40, 0.03
CHUNK = 100_000
RUNS = (3, 5, 8, 20)


# Noise: (generator, shape) -> values with a scale of one


def _normal(rng, shape):
    return rng.standard_normal(shape)


def _student(rng, shape):
    return rng.standard_t(3, shape)


def _wide(rng, shape):
    return _normal(rng, shape) * np.where(rng.random(shape) < 0.1, 5, 1)


def _slow(rng, shape):
    return _normal(rng, shape) + np.where(rng.random(shape) < 0.1, 5, 0)


NOISES = {"normal": _normal, "Student's t, 3 dof": _student, "10 % × 5": _wide, "10 % + 5 σ, slow only": _slow}


# The rule for times: rows of runs -> estimates and half-widths


def estimates(base, head, alpha):
    """Estimate as ``intervals.difference`` does, row by row."""
    runs = base.shape[1], head.shape[1]
    variances = np.array([side.var(axis=1, ddof=min(1, side.shape[1] - 1)) for side in (base, head)])
    own = np.array([number - 1 for number in runs])
    if min(runs) < ENOUGH:
        assert max(runs) >= RECORDED
        own[np.argmin(own)] = 0
    spread = np.sqrt(own @ variances / own.sum())
    half_width = -stdtrit(own.sum(), alpha) * spread * np.sqrt(1 / runs[0] + 1 / runs[1])
    if min(runs) >= ENOUGH and runs[0] != runs[1]:
        apart = variances / np.array(runs)[:, None]
        dof = apart.sum(axis=0) ** 2 / (apart**2 / own[:, None]).sum(axis=0)
        half_width = np.maximum(half_width, -stdtrit(dof, alpha) * np.sqrt(apart.sum(axis=0)))
    return head.mean(axis=1) - base.mean(axis=1), half_width


def regressed(estimate, half_width, limit=0.0):
    """Return in which rows ``decide`` would say so."""
    return (estimate - half_width > 0) & (estimate >= log1p(limit))


def _draws(noise, runs, total, seed=0):
    rng = np.random.default_rng(seed)
    for start in range(0, total, CHUNK):
        size = min(CHUNK, total - start)
        yield tuple(noise(rng, (size, number)) for number in runs)


def rates(noise, runs, alphas, total, scales=(1.0, 1.0)):
    """Return the share of ``total`` comparisons without a change that regressed, over alpha, for each alpha."""
    wrong = np.zeros(len(alphas))
    for base, head in _draws(noise, runs, total):
        for place, alpha in enumerate(alphas):
            wrong[place] += regressed(*estimates(base * scales[0], head * scales[1], alpha)).sum()
    return wrong / total / np.array(alphas)


def power(runs, sigma, change, alpha, total, limit=LIMIT):
    """Return the share of comparisons in which a change was found."""
    found = 0
    for base, head in _draws(_normal, (runs, runs), total):
        estimate, half_width = estimates(base * sigma, head * sigma + log1p(change), alpha)
        found += regressed(estimate, half_width, limit).sum()
    return found / total


# The rule for errors: per statistic, rows of seeds -> estimates and half-widths


def error_estimates(moved, alpha, rounding):
    """Estimate as ``errors.intervals`` does, row by row, for moves that are not zero."""
    seeds = moved.shape[1]
    assumed = -ndtri(alpha) * rounding / np.sqrt(seeds)
    half_width = np.full(len(moved), assumed)
    if seeds > 1:
        spread = moved.std(axis=1, ddof=1)
        own = np.minimum(-stdtrit(seeds - 1, alpha) * spread, -ndtri(alpha) * errors.LARGEST_SPREAD) / np.sqrt(seeds)
        half_width = np.where(np.abs(moved).max(axis=1) > rounding, np.maximum(own, assumed), assumed)
    return moved.mean(axis=1), half_width


def errors_regressed(moves, alpha, rounding, limit):
    """Return in which rows ``combine`` would say so; ``moves`` has the shape (statistics, rows, seeds)."""
    worse, better = False, False
    for moved in moves:
        estimate, half_width = error_estimates(moved, alpha / len(moves), rounding)
        worse = worse | regressed(estimate, half_width, limit)
        better = better | regressed(-estimate, half_width, limit)
    return worse & ~better


def moves(rng, seeds, spread, size, correlation=0.7):
    """Draw how each statistic of each seed moved: shape (statistics, rows, seeds)."""
    shape = (size, seeds)
    common = rng.standard_normal(shape)
    own = rng.standard_normal((len(errors.STATISTICS), *shape))
    return spread * (np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own)


def error_rate(seeds, spread, limit, total, *, change=0.0, cases=1, rounding=0.0005):
    """Return the share of comparisons whose errors regressed where every seed got worse by ``change``."""
    rng, wrong = np.random.default_rng(0), 0
    for start in range(0, total, CHUNK):
        drawn = moves(rng, seeds, spread, min(CHUNK, total - start)) + log1p(change)
        wrong += errors_regressed(drawn, ALPHAS["error"] / cases, rounding, limit).sum()
    return wrong / total


# The check


def check(draws=50):
    """Raise AssertionError where the vectorised rule and the real one differ."""
    for runs, (name, noise) in product(((3, 3), (5, 5), (8, 3), (3, 8), (8, 1), (1, 8), (20, 20)), NOISES.items()):
        (base, head), *_ = _draws(noise, runs, draws)
        vectorised = np.array(estimates(base, head, ALPHA / CASES))
        real = [difference(*map(list, sides), ALPHA / CASES) for sides in zip(base, head, strict=True)]
        expected = [[one.estimate for one in real], [one.high - one.estimate for one in real]]
        np.testing.assert_allclose(vectorised, expected, rtol=1e-9, atol=1e-12, err_msg=f"{name}, {runs}")
    rng = np.random.default_rng(1)
    for seeds, spread, limit in product((1, 2, 3, 5), (0.0002, 0.005, 0.02), (1e-6, 0.01)):
        drawn = moves(rng, seeds, spread, draws)
        vectorised = errors_regressed(drawn, 0.1, 0.0005, limit)
        assert vectorised.tolist() == [_real_error(drawn[:, row], limit) for row in range(draws)]


def _real_error(moved, limit):
    same = Statistics(1.0, 1.0, {"0.95": 1.0, "0.99": 1.0}, [])
    pairs = [(same, Statistics(a, b, {"0.95": c, "0.99": d}, [])) for a, b, c, d in np.exp(moved).T.tolist()]
    judged = {name: decide(one, limit) for name, one in errors.intervals(pairs, 0.1, 0.0005).items()}
    joint = combine(judged)
    assert joint.outcome in (*CHANGES, Outcome.UNCHANGED, Outcome.UNDECIDED)
    return joint.outcome is Outcome.REGRESSED


# The tables


def times(total):
    """Print error rates over nominal, of one-sided intervals clear of zero."""
    alphas = (ALPHA, ALPHA / CASES)
    shapes = [((number, number), (1, 1)) for number in RUNS]
    shapes += [((number, number), (1, 3)) for number in RUNS]
    shapes += [
        ((8, 5), (1, 1)),
        ((8, 5), (1, 3)),
        ((8, 3), (1, 1)),
        ((8, 3), (1, 3)),
        ((8, 3), (3, 1)),
        ((8, 1), (1, 1)),
        ((8, 1), (1, 3)),
    ]
    rows = []
    for runs, scales in shapes:
        found = [rates(noise, runs, alphas, total, scales) for noise in NOISES.values()]
        cells = [f"{one[0]:.2f} / {one[1]:.2f}" for one in found]
        rows.append([f"{runs[0]} against {runs[1]}", f"{scales[0]} : {scales[1]}", *cells])
    print(tabulate(rows, ("runs of base, head", "spread of base : head", *NOISES), tablefmt="github"))


def changes(total):
    """Print how often a change is found."""
    rows = [
        [runs, f"{sigma:.0%}", *(f"{power(runs, sigma, by, alpha, total):.1%}" for by in (0.03, 0.05, 0.1))]
        for alpha, runs, sigma in product((ALPHA, ALPHA / CASES), (3, 5, 8), (0.01, 0.02))
    ]
    shares = [ALPHA] * 6 + [ALPHA / CASES] * 6
    rows = [[f"{alpha:g}", *row] for alpha, row in zip(shares, rows, strict=True)]
    print(tabulate(rows, ("alpha", "runs a side", "σ", "3 %", "5 %", "10 %"), tablefmt="github", disable_numparse=True))


def tables(total):
    """Print how often a table of unchanged cases has a regression."""
    rows = []
    for runs in RUNS:
        single = [power(runs, sigma, 0.0, ALPHA / CASES, total) for sigma in (0.02, 0.05, 0.08)]
        rows.append([runs, *(f"{1 - (1 - one) ** CASES:.2%}" for one in single)])
    print(tabulate(rows, ("runs a side", "σ 2 %", "σ 5 %", "σ 8 %"), tablefmt="github"))


def losses(total):
    """Print how often errors regress that did not change, and that did."""
    rows = []
    for seeds, spread in product((1, 2, 3, 5), (0.0005, 0.001, 0.005, 0.02, 0.08)):
        found = [error_rate(seeds, spread, limit, total) for limit in (1e-6, 0.001, 0.01)]
        rows.append([seeds, f"{spread:.2%}", *(f"{one:.5f}" for one in found)])
    headers = ("seeds", "spread of their changes", "limit 0.0001 %", "limit 0.1 %", "limit 1 %")
    print(tabulate(rows, headers, tablefmt="github", disable_numparse=True), "\n")
    rows = []
    for cases, seeds, spread in product((1, 8), (1, 2, 3, 5), (0.0002, 0.005)):
        found = [error_rate(seeds, spread, 0.01, CHUNK, change=by, cases=cases) for by in (0.03, 0.1, 0.5)]
        rows.append([cases, seeds, f"{spread:.2%}", *(f"{one:.1%}" for one in found)])
    headers = ("cases", "seeds", "spread of their changes", "3 % worse", "10 % worse", "50 % worse")
    print(tabulate(rows, headers, tablefmt="github", disable_numparse=True))


PARTS = {"times": times, "changes": changes, "tables": tables, "errors": losses}


def main() -> None:
    """Check the vectorised rule, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="which tables (default: all)")
    parser.add_argument("--draws", type=int, default=4_000_000, help="comparisons a figure (default: %(default)s)")
    chosen = parser.parse_args()
    check()
    for part in chosen.parts or PARTS:
        print(f"\n{part}\n")
        PARTS[part](chosen.draws)


if __name__ == "__main__":
    main()
