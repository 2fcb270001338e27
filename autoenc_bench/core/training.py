"""The trainers, and everything else that ever runs inside a clock."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from time import perf_counter
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from autoenc_bench.catalogue.experiments import Experiment
from autoenc_bench.core import backends
from autoenc_bench.core.backends import Trainable
from autoenc_bench.core.data.split import Array, Split
from autoenc_bench.core.data.streams import Stream
from autoenc_bench.core.models import Autoencoder, build
from autoenc_bench.core.seeds import generator
from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.records.case import Epoch

Progress = Callable[[int, Epoch], object]  # (epochs done, the latest one)


class Trainer(ABC):
    """One autoencoder trained on one split with Adam's defaults and binary cross-entropy.

    What must be compiled is compiled at the first epoch and kept; ``reset`` brings weights, optimiser and random order
    back to where they began, so that every round trains the same way.
    """

    def __init__(self, autoencoder: Autoencoder, split: Split | Stream, *, batch_size: int, seed: int) -> None:
        self.autoencoder = autoencoder
        self.model = autoencoder.model
        self.split = split
        self.batch_size = batch_size
        self.seed = seed
        self._warm = False
        self.optimizer = keras.optimizers.Adam()
        self.optimizer.build(self.model.trainable_variables)
        self._trainable = Trainable(self.model, keras.losses.BinaryCrossentropy(), self.optimizer)
        self._variables = [*self.model.variables, *self.optimizer.variables]
        self._start = [np.asarray(variable).copy() for variable in self._variables]
        self.reset()

    def reset(self) -> None:
        for variable, value in zip(self._variables, self._start, strict=True):
            variable.assign(value)
        self.reseed()

    def warm(self) -> None:
        """Compile what training needs, unless it has trained before, by one epoch that is undone."""
        if not self._warm:
            self.train(1)
            self.reset()

    def evaluate(self) -> float:
        """Return the loss on the test samples as the model is now."""
        test = self.split.test
        return float(self._trainable.loss(test, self.model(test, training=False)))

    @abstractmethod
    def train(self, epochs: int, *, shuffle: bool = True, progress: Progress | None = None) -> list[Epoch]:
        """Train for some epochs and return how each went; ``shuffle=False`` takes the rows in their order."""

    @abstractmethod
    def reseed(self) -> None:
        """Start the random order of the training rows anew."""


class Fit(Trainer):
    """Training as in the notebook: Keras's ``compile`` and ``fit``."""

    split: Split

    def __init__(self, autoencoder: Autoencoder, split: Split, *, batch_size: int, seed: int) -> None:
        super().__init__(autoencoder, split, batch_size=batch_size, seed=seed)
        self.model.compile(optimizer=self.optimizer, loss="binary_crossentropy")

    def reseed(self) -> None:
        """Seed the generators that Keras shuffles with: of TensorFlow's datasets, which are made before training."""
        keras.utils.set_random_seed(self.seed)
        self._reseeded = True

    def train(self, epochs: int, *, shuffle: bool = True, progress: Progress | None = None) -> list[Epoch]:
        """Call ``fit`` once; its own set-up falls on the first epoch, as it does for its users."""
        self._warm = True
        history: list[Epoch] = []
        started = perf_counter()

        def seed_again(_: object) -> None:
            # On JAX and torch the first fit has drawn an order already, to learn what shape the batches have.
            if self._reseeded:
                keras.utils.set_random_seed(self.seed)
            self._reseeded = False

        def note(_: int, logs: dict[str, Any]) -> None:
            nonlocal started
            history.append(Epoch(float(logs["loss"]), float(logs["val_loss"]), perf_counter() - started))
            if progress:
                progress(len(history), history[-1])
            started = perf_counter()

        train, test = self.split.train, self.split.test
        callback = keras.callbacks.LambdaCallback(on_train_begin=seed_again, on_epoch_end=note)
        common = {"batch_size": self.batch_size, "epochs": epochs, "shuffle": shuffle, "verbose": 0}
        self.model.fit(train, train, validation_data=(test, test), callbacks=[callback], **common)
        return history


class Compiled(Trainer):
    """Training whose epochs are compiled programs."""

    def train(self, epochs: int, *, shuffle: bool = True, progress: Progress | None = None) -> list[Epoch]:
        self._warm = True
        history = []
        for done in range(1, epochs + 1):
            started = perf_counter()
            losses = self._epoch(shuffle)
            history.append(Epoch(*losses, perf_counter() - started))
            if progress:
                progress(done, history[-1])
        return history

    @abstractmethod
    def _epoch(self, shuffle: bool) -> tuple[float, float]:
        """Train once on all rows; return the mean loss of the rows as they were met, and that of the test rows."""


class Fused(Compiled):
    """Training with each epoch as one compiled program: the same model, loss and Adam, the same arithmetic."""

    split: Split

    def __init__(self, autoencoder: Autoencoder, split: Split, *, batch_size: int, seed: int) -> None:
        super().__init__(autoencoder, split, batch_size=batch_size, seed=seed)
        backend = backends.current()
        self._rows = backend.put(split.train), backend.put(split.test)
        self._program = backend.compile_epoch(self._trainable, batch_size)

    def reseed(self) -> None:
        """Start the seed's stream of permutations, which NumPy draws, anew."""
        self._random = generator(self.seed, "order")

    def _epoch(self, shuffle: bool) -> tuple[float, float]:
        return self._program(*self._rows, self._order(shuffle))

    def _order(self, shuffle: bool) -> NDArray[np.int32]:
        order = np.arange(self.split.rows, dtype=np.int32)
        return self._random.permutation(order) if shuffle else order


class Streamed(Compiled):
    """Training as ``fused`` does it, on rows that the compiled program draws itself and that nothing keeps.

    They are independent of each other, so their order does not matter, and they are not shuffled.
    """

    split: Stream
    STEPS = 10_000  # in one call of the program: too many for the call to cost, few enough for a float32's sum

    def __init__(self, autoencoder: Autoencoder, stream: Stream, *, batch_size: int, seed: int) -> None:
        super().__init__(autoencoder, stream, batch_size=batch_size, seed=seed)
        backend = backends.current()
        self._test = backend.put(stream.test)
        self._steps, self._validate = backend.compile_stream(self._trainable, stream.draw)

    def reseed(self) -> None:
        """Do nothing: a row follows from its number alone."""

    def warm(self) -> None:
        """Compile what training needs, unless it has trained before, by a step of each size that is undone."""
        if not self._warm:
            rest = self.split.rows % self.batch_size
            for size in {min(self.batch_size, self.split.rows), rest} - {0}:
                self._steps(0, 1, size)
            self._validate(self._test)
            self._warm = True
            self.reset()

    def _epoch(self, shuffle: bool) -> tuple[float, float]:  # noqa: ARG002 - see above
        steps, rest = divmod(self.split.rows, self.batch_size)
        total = 0.0
        for step in range(0, steps, self.STEPS):
            todo = min(self.STEPS, steps - step)
            total += self._steps(step * self.batch_size, todo, self.batch_size) * self.batch_size
        if rest:
            total += self._steps(steps * self.batch_size, 1, rest) * rest
        return total / self.split.rows, self._validate(self._test)


TRAINERS: dict[str, type[Trainer]] = {"fit": Fit, "fused": Fused}


class Inference:
    """Calls that encode, decode and reconstruct, compiled once per input shape; host arrays in and out."""

    def __init__(self, autoencoder: Autoencoder) -> None:
        self.encode = _compiled(autoencoder.encoder)  # (n, features) -> (n, code)
        self.decode = _compiled(autoencoder.decoder)  # (n, code) -> (n, features)
        self.reconstruct = _compiled(autoencoder.model)  # (n, features) -> (n, features)


def _compiled(model: keras.Model) -> Callable[[Array], Array]:
    return backends.current().compile_call(lambda values: model(values, training=False))


def prepare(experiment: Experiment, trainer: str, split: Split | Stream, seed: int) -> Trainer:
    """Return a trainer over a newly built model of the experiment.

    Raises NotFoundError for an unknown trainer, InvalidInputError for one that cannot train on streamed rows.
    """
    if trainer not in TRAINERS:
        raise NotFoundError(f"unknown trainer {trainer!r}; choose from {', '.join(TRAINERS)}")
    autoencoder, common = build(experiment, seed), {"batch_size": experiment.batch_size, "seed": seed}
    if isinstance(split, Split):
        return TRAINERS[trainer](autoencoder, split, **common)
    if trainer != "fused":
        raise InvalidInputError(f"trainer {trainer} needs its rows in memory; streamed rows take fused")
    return Streamed(autoencoder, split, **common)


def repeat(call: Callable[[Array], Array], values: Array, times: int) -> Array:
    """Make one call several times, for calls too short to be timed alone; return the last result."""
    for _ in range(times):
        result = call(values)
    return result
