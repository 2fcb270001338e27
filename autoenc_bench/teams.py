"""Training one experiment on several devices: Keras's data parallelism over JAX's devices."""

from collections.abc import Callable
from dataclasses import replace

import jax
import keras

from autoenc_bench import training
from autoenc_bench.backends.jax import compile_all_reduce
from autoenc_bench.cases import Epoch
from autoenc_bench.data import Split
from autoenc_bench.experiments import Experiment
from autoenc_bench.streams import Stream

STEPS = 200  # of a timed round at most: where devices talk over a network a step may take a thousand times as long
REDUCTIONS = 200  # of a timed round of all-reduces


class Team:
    """Train one experiment on so many devices, each with its part of every batch.

    The arithmetic is that of one device: the same global batches in the same order, their gradients averaged over all.
    With ``weak`` the batch and the rows grow with the devices, else (strong scaling) they stay as they are.

    Raises ValueError when a batch cannot be parted evenly.
    """

    def __init__(
        self, experiment: Experiment, data: Split | Stream, devices: int, *, weak: bool = False, steps: int = STEPS
    ) -> None:
        grown = devices if weak else 1
        experiment = replace(experiment, batch_size=experiment.batch_size * grown)
        if experiment.batch_size % devices:
            raise ValueError(f"a batch of {experiment.batch_size} cannot be parted evenly among {devices} devices")
        rows = min(data.rows, steps * experiment.batch_size) // experiment.batch_size * experiment.batch_size
        within = devices <= jax.local_device_count()  # then each process does the same on devices of its own
        chosen = jax.local_devices()[:devices] if within else jax.devices()
        self._distribution = keras.distribution.DataParallel(
            devices=[f"{device.platform}:{device.id}" for device in chosen], auto_shard_dataset=False
        )
        keras.utils.set_random_seed(0)  # Keras draws weights before ours replace them, which must be equal everywhere
        with self._distribution.scope():
            self.trainer = training.prepare(experiment, "fused", data.head(max(rows, 1)), seed=0)
        self.rows = self.trainer.split.rows
        self.steps = -(-self.rows // experiment.batch_size)

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

    def reducer(self, times: int) -> Callable[[], float]:
        """Return a compiled call that averages as many numbers as the model has parameters over all devices."""
        with self._distribution.scope():
            return compile_all_reduce(self.trainer.model.count_params(), times)
