"""The control compares a side with itself before any change of time counts."""

import numpy as np
import pytest
from histories import both, by_case, noisy

from autoenc_bench.verdicts import comparison, tables
from autoenc_bench.verdicts.comparison import Outcome

EPOCH, WHOLE = "epoch[digits-fused]", "experiment[digits-fused]"


def test_control(tmp_path):
    """If the even runs of the base differ from the odd ones, no change of time counts."""
    base = [0.2 if place % 2 else 0.3 for place in range(12)]
    found = both(tmp_path, [*noisy(0.2, 1), *base], noisy(0.6, 12))
    assert EPOCH in found.control
    assert by_case(found)[EPOCH].time.outcome is Outcome.UNDECIDED
    assert "control failed" in tables.text(found)


def test_control_is_strict(tmp_path):
    """The control does not fail by a difference that one of many slow runs can cause."""
    noise = np.linspace(-0.02, 0.02, 6)
    base = [float(0.2 * np.exp(value)) for pair in zip(noise, noise + 0.045, strict=True) for value in pair]
    found = both(tmp_path, base, base)
    one_sided = comparison.ALPHAS["time"] / 2  # of two cases
    halves = np.log(base[::2]), np.log(base[1::2])
    assert comparison.difference(*(half.tolist() for half in halves), one_sided, 1).low > 0
    assert found.control == ""


@pytest.mark.parametrize(("runs", "note"), [(2, False), (3, True), (5, True), (6, False)])
def test_no_control(tmp_path, runs, note):
    """The table states that no case has enough runs for the control, if times got a verdict."""
    found = tables.text(both(tmp_path, noisy(0.2, runs), noisy(0.2, runs, seed=1)))
    assert (
        f"no control: one side needs 6 runs for it, and no case has more than {runs} runs on a side" in found
    ) == note


def test_a_control_of_one_side(tmp_path):
    """Eight runs of the base are controlled, even if the head has a single run."""
    assert "no control" not in tables.text(both(tmp_path, noisy(0.2, 8), [0.2]))
