"""How much do more devices help, with the same batch (strong scaling) and with a batch that grows (weak scaling)?"""

from math import isclose

import pytest

pytestmark = pytest.mark.distributed

REDUCTIONS = 200  # in a timed round


def test_strong(measure_epoch):
    """Train with the experiment's batch, divided among the devices."""
    assert 0 < measure_epoch(weak=False) < 1


def test_weak(measure_epoch):
    """Train with a batch that grows with the devices, so that each device does as much as one alone."""
    assert 0 < measure_epoch(weak=True) < 1


def test_all_reduce(prepare_scaling, devices, measure):
    """Average as many numbers as the model has parameters over the devices, as each training step does."""
    trainer = prepare_scaling(weak=True)
    reduce = trainer.all_reduce(REDUCTIONS)
    reduce()  # compiles it
    mean = measure(reduce, meet=trainer.barrier, rows=1, steps=REDUCTIONS, devices=devices)
    assert isclose(mean, 1, rel_tol=1e-3)
