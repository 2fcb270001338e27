"""What do more devices bring: for the same batch (strong scaling), and for one that grows with them (weak scaling)?"""

from math import isclose

import pytest

from autoenc_bench.distributed.data_parallel import REDUCTIONS, Team, plan

pytestmark = pytest.mark.distributed


@pytest.fixture
def gather(experiment, load, devices, distribution):
    """Return a function that gathers so many devices to train by a plan, or skips the case."""

    def gather(weak):
        split = load(experiment)
        try:
            planned = plan(experiment, split.rows, devices, weak=weak)
        except ValueError as problem:
            pytest.skip(str(problem))
        return planned, Team(planned, split, distribution.choose(devices))

    return gather


@pytest.fixture
def measure_training(gather, devices, measure):
    """Return a function that times an epoch, compiled before, on a team."""

    def run(weak):
        planned, team = gather(weak)
        team.warm()
        facts = {"rows": planned.rows, "steps": planned.steps, "devices": devices}
        history = measure(team.train, setup=team.reset, meet=team.meet, **facts)
        assert 0 < history[-1].val_loss < 1

    return run


def test_strong(measure_training):
    """Train with the experiment's batch, of which each device takes a part."""
    measure_training(weak=False)


def test_weak(measure_training):
    """Train with a batch that grows with the devices, so that each device has as much to do as alone."""
    measure_training(weak=True)


def test_all_reduce(gather, devices, measure):
    """Average as many numbers as the model has parameters over the devices, as each training step must."""
    _, team = gather(weak=True)
    reduce = team.reducer(REDUCTIONS)
    reduce()  # which compiles it
    mean = measure(reduce, meet=team.meet, rows=1, steps=REDUCTIONS, devices=devices)
    assert isclose(mean, 1, rel_tol=1e-3)
