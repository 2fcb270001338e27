"""Train an autoencoder, and encode, decode and reconstruct with it.

``prepare`` returns a trainer for an experiment: ``Fit`` (Keras's loop, as in the notebook), ``Fused`` (the same
arithmetic as one compiled program per epoch) or ``Streamed`` (``Fused`` for rows that the program draws itself).
``Inference`` makes the calls of a trained model. The suite times only these trainers and calls.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import chain
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from autoenc_bench.backends import selection
from autoenc_bench.backends.protocol import CompiledCall, Trainable
from autoenc_bench.catalogue.experiments import Experiment
from autoenc_bench.core.data.split import Array, Split, check_slice, share
from autoenc_bench.core.data.streams import Stream
from autoenc_bench.core.models import Autoencoder, build
from autoenc_bench.core.seeds import generator
from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.instruments import call_counts
from autoenc_bench.instruments.call_counts import Counted
from autoenc_bench.instruments.clock import CLOCK, Mode
from autoenc_bench.records.case import Epoch

Progress = Callable[[int, Epoch], object]  # (epochs done, the latest one)
Note = Callable[[float, float, float], None]  # (loss, val_loss, seconds) of an epoch
MARKS = call_counts.Marks(step=f"{__name__}:_timed.<locals>.timed", epoch=f"{__name__}:Trainer.train.<locals>.note")


class Trainer(ABC):
    """One autoencoder, trained on one split with binary cross-entropy and Adam, both with Keras's defaults.

    An epoch visits every training row once, in batches of ``batch_size``. Each batch is one step of Adam. Afterwards
    the loss on the test rows (the val_loss) is computed with the new weights. The target of a row is the row itself.

    Programs are compiled when an epoch, or ``warm()``, first needs them, and kept. ``restore()`` sets weights and
    optimizer back to their initial values, before every timed round. ``reset()`` also restarts the random order of the
    rows, so that training gives the same losses again. ``reset()`` is slower, because seeding makes TensorFlow look up
    its kernels again.
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
        self.restore = selection.current().keep([*self.model.variables, *self.optimizer.variables])
        self.reseed()
        self._build()

    def train(
        self, epochs: int, *, rows: int | None = None, shuffle: bool = True, progress: Progress | None = None
    ) -> list[Epoch]:
        """Train for some epochs; return the losses and the seconds of each.

        ``rows`` limits an epoch to the first training rows, in whole batches; it is then validated on an equal share
        of the test rows. ``shuffle=False`` takes the rows in their stored order. ``progress`` is called after each
        epoch. Raises InvalidInputError when there are fewer rows, or these are not whole batches.
        """
        rows = self._checked(rows)
        self._warm = self._warm or rows == self.split.rows
        history: list[Epoch] = []

        def note(loss: float, val_loss: float, seconds: float) -> None:
            history.append(Epoch(loss, val_loss, seconds))
            if progress:
                progress(len(history), history[-1])

        self._train(epochs, rows, shuffle, note)
        return history

    def evaluate(self) -> float:
        """Return the loss on the test samples with the present weights."""
        test = self.split.test
        return float(self._trainable.loss(test, self.model(test, training=False)))

    def warm(self) -> None:
        """Compile all programs of an epoch on all rows, unless such an epoch has run; weights stay as they are."""
        if not self._warm:
            self._warm_up()
            self._warm = True
            self.reset()

    def reset(self) -> None:
        self.restore()
        self.reseed()

    def count(self, rows: int) -> Counted:
        """Count the Python calls and the instructions of training on that many rows; see ``call_counts``."""
        counted = call_counts.of_training(self.train, MARKS, self.batch_size, rows, self.programs(rows))
        self.reset()
        return counted

    def programs(self, rows: int) -> list[str]:  # noqa: ARG002 - subclasses need it
        """Return the texts of an epoch's optimised XLA programs; none where training does not compile its own."""
        return []

    def _checked(self, rows: int | None) -> int:
        if rows is None:
            return self.split.rows
        check_slice(rows, self.split.rows)
        if rows % self.batch_size and rows < self.split.rows:
            raise InvalidInputError(f"slice of {rows} rows; take whole batches of {self.batch_size}, or all rows")
        return rows

    @abstractmethod
    def _build(self) -> None:
        """Make what this way of training needs."""

    @abstractmethod
    def _train(self, epochs: int, rows: int, shuffle: bool, note: Note) -> None:
        """Train, and note each epoch. Its loss is the mean over the rows, computed before the step of its batch."""

    @abstractmethod
    def _warm_up(self) -> None:
        """Train on as few rows as make every program compile."""

    @abstractmethod
    def reseed(self) -> None:
        """Restart the random order of the training rows."""


class Fit(Trainer):
    """Train as the notebook does: by Keras's ``compile`` and ``fit``.

    Keras runs a Python loop: it shuffles the rows, and calls a compiled function for each step. The clock runs from
    the first step of an epoch to the end of its last one, and the same for validation. The time in between, in which
    Keras makes and ends data pipelines, counts as set-up.
    """

    split: Split

    def _build(self) -> None:
        self.model.compile(optimizer=self.optimizer, loss="binary_crossentropy")
        self._head: Callable[[int], Split] = cache(self.split.head)

    def fit_untouched(self, epochs: int, *, rows: int | None = None) -> float:
        """Call ``fit`` as a script does, without the suite's clock in it; return the last epoch's val_loss."""
        history = self._fit(self._head(self._checked(rows)), epochs, shuffle=True)
        return float(history["val_loss"][-1])

    def reseed(self) -> None:
        """Seed the generator that Keras shuffles with. TensorFlow's must be seeded before a dataset is made."""
        selection.current().seed(self.seed)
        self._reseeded = True

    def count(self, rows: int) -> Counted:
        """Count as ``Trainer.count`` does, but validate on one batch only, because its step is compiled already."""
        head, test = self._head, min(self.batch_size, len(self.split.test))
        self._head = lambda some: self.split.head(some, test)
        try:
            return super().count(rows)
        finally:
            self._head = head

    def _train(self, epochs: int, rows: int, shuffle: bool, note: Note) -> None:
        seconds = CLOCK()

        def end_epoch(_: int, logs: dict[str, Any]) -> None:
            nonlocal seconds
            started, seconds = seconds, CLOCK()
            note(float(logs["loss"]), float(logs["val_loss"]), seconds - started)

        callback = keras.callbacks.LambdaCallback(on_train_begin=self._seed_again, on_epoch_end=end_epoch)
        with CLOCK.during(Mode.SET_UP) as mode, selection.current().without_tuning():
            part = self._head(rows)
            with self._timed_steps(part, mode):
                self._fit(part, epochs, shuffle, callback)

    def _fit(self, part: Split, epochs: int, shuffle: bool, *callbacks: keras.callbacks.Callback) -> Any:
        options = {"epochs": epochs, "batch_size": self.batch_size, "shuffle": shuffle, "verbose": 0}
        test = part.test, part.test
        fitted = self.model.fit(part.train, part.train, validation_data=test, callbacks=list(callbacks), **options)
        return fitted.history

    def _seed_again(self, _: object) -> None:
        """Seed again before the first step, because Keras on JAX and torch draws one order before training begins."""
        if self._reseeded:
            selection.current().seed(self.seed)
        self._reseeded = False

    def _warm_up(self) -> None:
        # Keras compiles a step for whole batches and another for the rows that are left.
        train, test = (
            rows if rows < self.batch_size else self.batch_size + rows % self.batch_size
            for rows in (self.split.rows, len(self.split.test))
        )
        with selection.current().without_tuning():
            self._fit(self.split.head(train, test), 1, shuffle=True)

    @contextmanager
    def _timed_steps(self, part: Split, mode: Mode) -> Iterator[None]:
        """Wrap Keras's functions of one step, so that the clock runs only in the steps of training and validation.

        Callbacks of batches would serve too, but they make Keras do more work in each step.
        """
        self.model.make_train_function()
        self.model.make_test_function()
        rows = {"train_function": len(part.train), "test_function": len(part.test)}
        steps = {name: getattr(self.model, name) for name in rows}
        try:
            for name, step in steps.items():
                setattr(self.model, name, _timed(step, -(-rows[name] // self.batch_size), mode))
            yield
        finally:
            for name, step in steps.items():
                setattr(self.model, name, step)


def _timed(step: Callable[..., Any], steps: int, mode: Mode) -> Callable[..., Any]:
    """Wrap Keras's function of one step: ``steps`` successive calls count as ``mode``, the time after as set-up."""
    done = 0

    def timed(*arguments: Any) -> Any:
        nonlocal done
        if done % steps == 0:
            CLOCK.switch(mode)
        result = step(*arguments)
        done += 1
        if done % steps == 0:
            for value in (result[0] if isinstance(result, tuple) else result).values():
                keras.ops.convert_to_numpy(value)  # waits until the device has finished
            CLOCK.switch(Mode.SET_UP)
        return result

    return timed


class Compiled(Trainer):
    """Train by programs that ``backends`` compiles; one call of ``_epoch`` is one epoch."""

    def _train(self, epochs: int, rows: int, shuffle: bool, note: Note) -> None:
        for _ in range(epochs):
            started = CLOCK()
            losses = self._epoch(rows, shuffle)
            note(*losses, CLOCK() - started)

    def _test_rows(self, rows: int) -> int:
        return share(len(self.split.test), rows, self.split.rows)

    @abstractmethod
    def _epoch(self, rows: int, shuffle: bool) -> tuple[float, float]:
        """Train one epoch on the first rows; return its loss and its val_loss."""


class Fused(Compiled):
    """Train with each epoch as one compiled program: the same model, loss and Adam as ``Fit``, in one call.

    An epoch on n training rows and m test rows of d features, with batches of b rows:

    1. NumPy draws a random order of the n rows from the seed, a new one for each epoch.
    2. The program takes the rows in this order, b at a time. A last, smaller batch has the n mod b rows that are left.
    3. Each batch, shape (b, d), is one step. The model reconstructs the batch. The loss is the mean binary
       cross-entropy between batch and reconstruction. Adam updates the weights by its gradients (see
       ``backends/adam_step.py``).
    4. After the last step the program computes the loss on the m test rows with the final weights.
    5. The program returns two numbers: the mean training loss per row, and the test loss. The rows and the weights
       stay on the device from epoch to epoch.
    """

    split: Split

    def _build(self) -> None:
        backend = selection.current()
        self._rows = backend.put(self.split.train), backend.put(self.split.test)  # (n, d) and (m, d), on the device
        self._program = backend.compile_epoch(self._trainable, self.batch_size)
        self._order = np.arange(self.split.rows, dtype=np.int32)  # (n,), the same length for fewer rows too

    def reseed(self) -> None:
        self._random = generator(self.seed, "order")

    def _epoch(self, rows: int, shuffle: bool) -> tuple[float, float]:
        self._order[:rows] = self._permute(rows, shuffle)
        return self._program.run(*self._rows, self._order, rows, self._test_rows(rows))

    def _permute(self, rows: int, shuffle: bool) -> NDArray[np.int32]:
        order = np.arange(rows, dtype=np.int32)
        return self._random.permutation(order) if shuffle else order

    def _warm_up(self) -> None:
        # On a CPU one program serves any number of rows. An accelerator has a program for each number.
        rows = self.split.rows if selection.current().accelerators() else min(self.batch_size, self.split.rows)
        self._epoch(rows, shuffle=False)

    def programs(self, rows: int) -> list[str]:
        return self._program.texts(*self._rows, self._order, rows, self._test_rows(rows))


class Streamed(Compiled):
    """Train as ``Fused`` does, on rows that the compiled program draws itself, batch by batch, and does not keep.

    The rows are independent of each other, so they are taken in the order of their numbers, without shuffling.
    """

    split: Stream
    STEPS = (
        10_000  # in a program call: so many that the call costs little, so few that a float32 holds the sum of losses
    )

    def _build(self) -> None:
        backend = selection.current()
        self._test = backend.put(self.split.test)
        self._steps, self._validate = backend.compile_stream(self._trainable, self.split.draw)

    def reseed(self) -> None:
        """Do nothing: there is no random order."""

    def _epoch(self, rows: int, shuffle: bool) -> tuple[float, float]:  # noqa: ARG002 - the rows are not shuffled
        steps, rest = divmod(rows, self.batch_size)
        total = 0.0
        for step in range(0, steps, self.STEPS):
            todo = min(self.STEPS, steps - step)
            total += self._steps.run(step * self.batch_size, todo, self.batch_size) * self.batch_size
        if rest:
            total += self._steps.run(steps * self.batch_size, 1, rest) * rest
        return total / rows, self._validate.run(self._test, self._test_rows(rows))

    def _warm_up(self) -> None:
        for size in self._sizes(self.split.rows):
            self._steps.run(0, 1, size)
        self._validate.run(self._test, len(self.split.test) if selection.current().accelerators() else 1)

    def programs(self, rows: int) -> list[str]:
        steps = chain.from_iterable(self._steps.texts(0, 1, size) for size in self._sizes(rows))
        return [*steps, *self._validate.texts(self._test, self._test_rows(rows))]

    def _sizes(self, rows: int) -> list[int]:
        """Return the different batch sizes of an epoch. Each has a program of its own."""
        return sorted({min(self.batch_size, rows), rows % self.batch_size} - {0}, reverse=True)


class Inference:
    """Encode, decode and reconstruct: one compiled call each, from an array on the host to an array on the host."""

    def __init__(self, autoencoder: Autoencoder) -> None:
        models = {"encode": autoencoder.encoder, "decode": autoencoder.decoder, "reconstruct": autoencoder.model}
        self._programs = {name: _compiled(model) for name, model in models.items()}
        self.encode = self._programs["encode"].run  # (n, features) -> (n, code)
        self.decode = self._programs["decode"].run  # (n, code) -> (n, features)
        self.reconstruct = self._programs["reconstruct"].run  # (n, features) -> (n, features)

    def count(self, name: str, values: Array) -> Counted:
        """Count the Python calls and the instructions of one call, such as ``encode``, on these values."""
        program = self._programs[name]
        return call_counts.of_calls(lambda: program.run(values), program.texts(values))


def _compiled(model: keras.Model) -> CompiledCall:
    return selection.current().compile_call(lambda values: model(values, training=False))


def repeat(call: Callable[[Array], Array], values: Array, times: int) -> Array:
    """Repeat a call that is too short to be timed alone; return the last result."""
    for _ in range(times):
        result = call(values)
    return result


TRAINERS: dict[str, type[Trainer]] = {"fit": Fit, "fused": Fused}


def prepare(experiment: Experiment, trainer: str, split: Split | Stream, seed: int) -> Trainer:
    """Build the experiment's model and return a trainer for it.

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
