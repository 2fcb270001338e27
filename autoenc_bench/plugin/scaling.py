"""What the cases of test_scaling.py share: a trainer on several devices, and the timing of its epochs."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from autoenc_bench.catalogue.experiments import Experiment
from autoenc_bench.distributed.runtime import Distribution
from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.plugin.fixtures import Load, Measure

if TYPE_CHECKING:
    from autoenc_bench.distributed.data_parallel import DataParallelTrainer

Prepare = Callable[[bool], "DataParallelTrainer"]


@pytest.fixture
def prepare_scaling(experiment: Experiment, load: Load, devices: int, distribution: Distribution) -> Prepare:
    """Return a function (weak) -> DataParallelTrainer that skips the case where batch or rows do not allow it."""
    from autoenc_bench.distributed.data_parallel import DataParallelTrainer  # here, for it loads Keras

    def prepare(weak: bool) -> DataParallelTrainer:
        try:
            return DataParallelTrainer(experiment, load(experiment), distribution.choose(devices), weak)
        except InvalidInputError as problem:
            pytest.skip(str(problem))

    return prepare


@pytest.fixture
def measure_epoch(prepare_scaling: Prepare, devices: int, measure: Measure) -> Callable[[bool], float]:
    """Return a function (weak) -> validation loss that times an epoch, compiled before."""

    def run(weak: bool) -> float:
        trainer = prepare_scaling(weak)
        trainer.warm()
        facts = {"rows": trainer.rows, "steps": trainer.steps, "devices": devices}
        history = measure(trainer.train, 1, setup=trainer.reset, meet=trainer.barrier, **facts)
        return float(history[-1].val_loss)

    return run
