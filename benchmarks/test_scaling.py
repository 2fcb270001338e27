"""What do more devices bring: for the same batch (strong scaling), and for one that grows with them (weak scaling)?"""

from math import isclose

import pytest

from autoenc_bench import work
from autoenc_bench.teams import REDUCTIONS, Team

pytestmark = pytest.mark.distributed


@pytest.fixture
def team(experiment, load, devices):
    """Return a function that gathers so many devices, their programs compiled, or skips the case."""

    def gather(weak=False):
        try:
            found = Team(experiment, load(experiment), devices, weak=weak)
            found.warm()
            return found
        except ValueError as problem:
            pytest.skip(str(problem))

    return gather


@pytest.fixture
def measure_training(experiment, devices, measure):
    """Return a function that times an epoch on a team."""

    def run(team):
        test_rows = len(team.trainer.split.test)
        history = measure(
            team.train,
            setup=team.reset,
            rows=team.rows,
            devices=devices,
            steps=team.steps,
            work=work.training(experiment, "fused", rows=team.rows, test_rows=test_rows, epochs=1),
        )
        assert 0 < history[-1].val_loss < 1

    return run


def test_strong(team, measure_training):
    """Train with the experiment's batch, of which each device takes a part."""
    measure_training(team())


def test_weak(team, measure_training):
    """Train with a batch that grows with the devices, so that each device has as much to do as alone."""
    measure_training(team(weak=True))


def test_all_reduce(team, devices, measure):
    """Average as many numbers as the model has parameters over the devices, as each training step must."""
    reduce = team().reducer(REDUCTIONS)
    reduce()  # which compiles it
    assert isclose(measure(reduce, rows=1, devices=devices, steps=REDUCTIONS), 1, rel_tol=1e-3)
