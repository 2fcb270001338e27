"""Train one experiment on several devices: Keras's data parallelism over JAX's devices."""

import random
from collections.abc import Callable
from dataclasses import replace

import jax
import keras

from autoenc_bench.backends.jax import compile_all_reduce
from autoenc_bench.catalogue.experiments import Experiment
from autoenc_bench.core import training
from autoenc_bench.core.data.split import Split
from autoenc_bench.core.data.streams import Stream
from autoenc_bench.exceptions import InvalidInputError

STEPS = 200  # the most of an epoch: over a network a step may take a thousand times as long


class DataParallelTrainer:
    """Train on several devices. Each holds a replica of the model and trains it on its shard of every global batch.

    With ``weak`` (weak scaling) the experiment's batch is that of each device, else (strong scaling) the global one. An
    epoch has as many whole batches as the rows allow, at most STEPS. Validation takes one batch, sharded too. The
    arithmetic is that of one device: equal batches in equal order, with their gradients averaged over the devices.
    Raises InvalidInputError when a batch does not divide evenly among the devices, or has more rows than the data.
    """

    def __init__(self, experiment: Experiment, data: Split | Stream, devices: list[jax.Device], weak: bool) -> None:
        batch = experiment.batch_size * (len(devices) if weak else 1)
        if batch % len(devices):
            raise InvalidInputError(f"a batch of {batch} cannot be divided evenly among {len(devices)} devices")
        if data.rows < batch:
            raise InvalidInputError(f"a batch of {batch} is more than the {data.rows} rows at this scale")
        self.steps = min(data.rows // batch, STEPS)
        self.rows = self.steps * batch
        names = [f"{device.platform}:{device.id}" for device in devices]
        self._distribution = keras.distribution.DataParallel(devices=names, auto_shard_dataset=False)
        random.seed(0)  # Keras seeds its initial weights from it; they must be equal in all processes until ours follow
        with self._distribution.scope():
            resized = replace(experiment, batch_size=batch)
            trainer = training.prepare(resized, "fused", data.head(self.rows, batch), seed=0)
            self.barrier = compile_all_reduce(1, 1)
        self.model = trainer.model
        distributed = self._distribution.scope()  # also decorates functions
        self.train, self.warm, self.reset = map(distributed, (trainer.train, trainer.warm, trainer.reset))

    def all_reduce(self, times: int) -> Callable[[], float]:
        """Return a compiled call that averages as many numbers as the model has parameters over all devices."""
        with self._distribution.scope():
            return compile_all_reduce(self.model.count_params(), times)
