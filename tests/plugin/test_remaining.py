"""How long a run takes is estimated from its cases, and corrected while they run."""

from dataclasses import replace

import pytest

from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.catalogue.scales import SCALES
from autoenc_bench.plugin import remaining
from autoenc_bench.plugin.remaining import Remaining

DIGITS = EXPERIMENTS["digits"]


def weight(phase, scale=SCALES["standard"], experiment=DIGITS, trainer=None):
    """Return the weight of a case."""
    return remaining.weight(scale, phase, experiment, trainer)


def test_weights_grow():
    """A case takes longer with more rounds, larger scales, a slower trainer and more epochs."""
    assert weight("build") < weight("first_call", trainer="fused") < weight("epoch", trainer="fused")
    assert weight("build", SCALES["smoke"]) < weight("build")
    assert weight("epoch", trainer="fused") < weight("epoch", SCALES["notebook"], trainer="fused")
    assert weight("untouched_fit") < weight("untouched_fit", SCALES["notebook"])
    whole = weight("experiment", trainer="fused")
    assert weight("build") < whole < weight("experiment", trainer="fit")
    longer = weight("experiment", experiment=replace(DIGITS, epochs=2 * DIGITS.epochs), trainer="fused")
    fixed = weight("build")
    assert longer - fixed == pytest.approx(2 * (whole - fixed))


def test_weight_of_a_whole_experiment():
    """The model knows the time of crude-simple with fused within a factor of two: 0.16 to 0.36 seconds an epoch."""
    crude = EXPERIMENTS["crude-simple"]
    assert 0.1 < weight("experiment", experiment=crude, trainer="fused") / crude.epochs < 0.5


def test_stepwise_backends():
    """On torch, whole experiments take as long as with fit, and no time where they are skipped."""
    slow = SCALES["standard"].on("torch")
    assert weight("experiment", slow, trainer="fused") == weight("experiment", trainer="fit")
    assert weight("experiment", slow, EXPERIMENTS["crude-simple"], "fused") == 0


def test_cases_of_ones_own():
    """A case without an experiment, or with a trainer of its own, has the weight of a short one."""
    assert weight("mine", experiment=None) == weight("mine", trainer="other") == weight("build")


def test_slowness():
    """A machine whose reference workload takes twice as long is twice as slow; one odd run changes nothing."""
    times = iter([9.0, *[2 * remaining.REFERENCE] * 4])
    assert remaining.slowness(lambda: next(times)) == 2


def test_left():
    """The time left follows the estimate at first, and the pace of the cases more and more."""
    now = [100.0]
    left = Remaining({"a": 10.0, "b": 10.0, "c": 20.0}, 1.5, lambda: now[0])
    assert left.seconds() == 60
    now[0] += 35
    left.end("a")
    assert left.seconds() == pytest.approx(30 * (35 + 15) / 20)
    left.end("a")  # a case that runs again ends again
    assert left.seconds() == pytest.approx(30 * (35 + 15) / 20)
    for case in "bc":
        left.end(case)
    assert left.seconds() == 0


def test_minutes():
    """A time is rounded up to seconds."""
    assert [remaining.minutes(seconds) for seconds in (0.2, 65, 119.1, 4000)] == ["0:01", "1:05", "2:00", "66:40"]
