"""The resolution of a clock is inferred from its readings, and bounds what a comparison can see."""

import numpy as np
import pytest

from autoenc_bench.records.record import Benchmark, Timing
from autoenc_bench.verdicts.intervals import difference
from autoenc_bench.verdicts.resolution import readings, resolutions

APPLE = 125e-9 / 3  # seconds a tick


def benchmark(seconds, iterations=1, keeps_data=True):
    """Make a benchmark of these rounds."""
    times = [one / iterations for one in seconds]
    data = times if keeps_data else None
    return Benchmark("x", "x", Timing(float(np.median(times)), min(times), len(times), iterations, data))


def resolution(*runs, **changes):
    """Infer the resolution from runs of one case, ``None`` if the clock is fine."""
    return resolutions({"x": [readings(benchmark(run, **changes)) for run in runs]}).get("x")


def test_apple():
    """Ticks of 41.67 ns, each rounded to whole nanoseconds, are found within their rounding."""
    ticks = np.random.default_rng(0).integers(24, 30, (3, 50))
    runs = [np.floor(one * 125 / 3) * 1e-9 + shift for one, shift in zip(ticks, (0, 1e-9, 0), strict=True)]
    found = resolution(*runs)
    assert found.seconds == pytest.approx(APPLE, abs=2e-9)
    assert found.share == pytest.approx(APPLE / (26.5 * APPLE), rel=0.1)


def test_iterations():
    """A round is a number of ticks in all its iterations, so more iterations make one tick count for less."""
    once, often = (resolution([27e-7, 27e-7, 28e-7], iterations=number) for number in (1, 9))
    assert often == pytest.approx(once)
    assert once.seconds == pytest.approx(1e-7)
    assert once.share == pytest.approx(1 / 27)


def test_fine_clock():
    """Rounds that all differ show no tick, however close some of them are; nor does a single round."""
    random = np.random.default_rng(0)
    assert resolution(*(1e-3 * (1 + random.uniform(0, 0.02, 200)) for _ in range(3))) is None
    for keeps_data in (True, False):
        assert readings(benchmark([1e-3], keeps_data=keeps_data)) is None


def test_many_fine_rounds():
    """Rounds of whole nanoseconds, so many that most coincide, leave a tick of nanoseconds."""
    found = resolution(*(np.random.default_rng(seed).integers(5000, 5500, 20_000) * 1e-9 for seed in range(2)))
    assert found.share < 0.001


def test_summed_up():
    """Without rounds the smallest and the median of all runs stand for them, though no run has two of one length."""
    runs = [8e-7, 10e-7, 10e-7], [8e-7, 10e-7, 10e-7], [8e-7, 11e-7, 11e-7], [8e-7, 11e-7, 11e-7]
    found = resolution(*runs, keeps_data=False)
    assert found.seconds == pytest.approx(1e-7)
    assert found.share == pytest.approx(0.1)
    assert resolution([27e-7, 27e-7, 28e-7], [28e-7, 28e-7, 28e-7], keeps_data=False).seconds == pytest.approx(1e-7)
    random = np.random.default_rng(0)
    assert resolution(*(1e-3 * (1 + random.uniform(0, 0.02, 9)) for _ in range(6)), keeps_data=False) is None


def test_some_runs_keep_rounds():
    """Runs with rounds and runs without are counted alike."""
    kept, summed_up = readings(benchmark([1e-6] * 5)), readings(benchmark([1e-6] * 5, keeps_data=False))
    fine = readings(benchmark(1e-6 * (1 + np.arange(5) / 7)))
    assert resolutions({"x": [kept, fine, summed_up]})
    assert not resolutions({"x": [kept, fine, fine, summed_up]})


def test_some_coarse_runs():
    """A clock is coarse only where most runs of the case show it."""
    coarse, fine = [1e-6] * 5, 1e-6 * (1 + np.arange(5) / 7)
    assert resolution(coarse, fine, fine) is None
    assert resolution(coarse, coarse, fine)


def test_one_reading():
    """A case with one reading alone takes the smallest tick of the others; without any, a tick may be all of it."""
    assert resolution([1e-6] * 5).share == 1.0
    both = {"x": [readings(benchmark([2e-6] * 5))], "y": [readings(benchmark([1e-6, 1e-6, 1.1e-6, 1.1e-6]))]}
    found = resolutions(both)
    assert found["x"].seconds == pytest.approx(1e-7)
    assert found["x"].share == pytest.approx(0.05)


def test_interval():
    """Runs spread by a tick at least; and an interval is never narrower than a tick, however many runs there are."""
    few = difference([0.0] * 3, [0.1] * 3, 0.004, resolution=0.01)
    spread = difference([-0.01, 0.0, 0.01], [0.09, 0.1, 0.11], 0.004)
    assert few.spread == 0.01
    assert few.high - few.low == pytest.approx(spread.high - spread.low)
    many = difference([0.0] * 1000, [0.1] * 1000, 0.004, resolution=0.01)
    assert many.detectable == pytest.approx(0.01)
    assert difference([0.0] * 3, [0.1] * 3, 0.004).detectable < 1e-9
