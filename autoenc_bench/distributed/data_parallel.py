"""Training one experiment on several devices: Keras's data parallelism over JAX's devices."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import jax
import keras

from autoenc_bench.catalogue.experiments import Experiment
from autoenc_bench.core import training
from autoenc_bench.core.backends.jax import compile_all_reduce
from autoenc_bench.core.split import Split
from autoenc_bench.core.streams import Stream
from autoenc_bench.records.case import Epoch

STEPS = 200  # of a timed round at most: where devices talk over a network a step may take a thousand times as long
REDUCTIONS = 200  # of a timed round of all-reduces


@dataclass(frozen=True)
class Plan:
    """Say what a team trains: an experiment with its global batch, over so many whole steps."""

    experiment: Experiment
    steps: int

    @property
    def rows(self) -> int:
        """Count the rows of an epoch."""
        return self.steps * self.experiment.batch_size


def plan(experiment: Experiment, rows: int, devices: int, *, weak: bool = False, steps: int = STEPS) -> Plan:
    """Plan to train on so many devices with ``rows`` rows at hand: as many whole batches as there are, up to ``steps``.

    With ``weak`` the batch grows with the devices, else (strong scaling) it stays as it is. Raises ValueError when it
    cannot be parted evenly, or when there are fewer rows.
    """
    batch = experiment.batch_size * (devices if weak else 1)
    if batch % devices:
        raise ValueError(f"a batch of {batch} cannot be parted evenly among {devices} devices")
    if rows < batch:
        raise ValueError(f"a batch of {batch} is more than the {rows} rows at this scale")
    return Plan(replace(experiment, batch_size=batch), min(rows // batch, steps))


class Team:
    """Train on some devices, each with its part of every batch.

    The arithmetic is that of one device: the same global batches in the same order, their gradients averaged over all.
    Validation takes a batch of test rows, parted as well.
    """

    def __init__(self, planned: Plan, data: Split | Stream, devices: list[jax.Device]) -> None:
        self._distribution = keras.distribution.DataParallel(
            devices=[f"{device.platform}:{device.id}" for device in devices], auto_shard_dataset=False
        )
        held = data.head(planned.rows, planned.experiment.batch_size)
        keras.utils.set_random_seed(0)  # Keras draws weights before ours replace them, which must be equal everywhere
        with self._distribution.scope():
            self.trainer = training.prepare(planned.experiment, "fused", held, seed=0)
            self._meet = compile_all_reduce(1, 1)

    def train(self, epochs: int = 1, *, shuffle: bool = True) -> list[Epoch]:
        """Train on all its devices."""
        with self._distribution.scope():
            return self.trainer.train(epochs, shuffle=shuffle)

    def warm(self) -> None:
        """Compile what training needs, by an epoch that is undone."""
        with self._distribution.scope():
            self.trainer.warm()

    def reset(self) -> None:
        """Bring back the initial state on all its devices."""
        with self._distribution.scope():
            self.trainer.reset()

    def meet(self) -> None:
        """Wait until all devices are here."""
        self._meet()

    def reducer(self, times: int) -> Callable[[], float]:
        """Return a compiled call that averages as many numbers as the model has parameters over all devices."""
        with self._distribution.scope():
            return compile_all_reduce(self.trainer.model.count_params(), times)
