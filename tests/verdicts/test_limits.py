"""Limits have defaults in one place, and a grammar to replace them."""

import pytest

from autoenc_bench.verdicts import limits
from autoenc_bench.verdicts.limits import Limits


def test_what_is_said_of_an_experiment_counts_more():
    """A limit for one experiment stands beside one for all, whatever their order."""
    asked = limits.parse(["mnist:time:10%", "time:5%", "error:.5%"], ["mnist", "digits"])
    assert asked.apply("mnist", Limits()) == Limits(time=0.10, error=0.005)
    assert asked.apply("digits", Limits()) == Limits(time=0.05, error=0.005)
    assert asked.apply(None, Limits(memory=0.2)) == Limits(time=0.05, error=0.005, memory=0.2)


@pytest.mark.parametrize("expression", ["time", "time:5", "speed:5%", "time:-5%", "time:5%:mnist", "", "min:0.001"])
def test_what_is_no_limit(expression):
    """What is not of the grammar is refused with the grammar."""
    with pytest.raises(ValueError, match="give time, memory, error, counts with a share in per cent"):
        limits.parse([expression], ["mnist"])


def test_unknown_experiment():
    """An experiment that is not there is refused with those that are."""
    with pytest.raises(LookupError, match="unknown experiment 'mnits'; choose from mnist"):
        limits.parse(["mnits:time:5%"], ["mnist"])
