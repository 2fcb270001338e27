"""The trainers, and everything else that ever runs inside a clock."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from autoenc_bench import backends
from autoenc_bench.backends import Call, Trainable
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


class Trainer(ABC):
    """One autoencoder trained on one split with Adam's defaults and binary cross-entropy.

    What must be compiled is compiled at the first epoch and kept. ``restore`` brings weights and optimiser back to
    where they began, so that every round does the same work; ``reset`` the random order too, so that it ends the same.
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
        self._restore = backends.current().keep([*self.model.variables, *self.optimizer.variables])
        self.reseed()

    def reset(self) -> None:
        self.restore()
        self.reseed()

    def restore(self) -> None:
        """Restore weights and optimiser, and seed nothing: TensorFlow would look up its kernels again."""
        self._restore()

    def warm(self) -> None:
        """Compile what training on all rows needs, unless it has trained on them before, by steps that are undone."""
        if not self._warm:
            self._warm_up()
            self._warm = True
            self.reset()

    def evaluate(self) -> float:
        """Return the loss on the test samples as the model is now."""
        test = self.split.test
        return float(self._trainable.loss(test, self.model(test, training=False)))

    def train(
        self, epochs: int, *, rows: int | None = None, shuffle: bool = True, progress: Progress | None = None
    ) -> list[Epoch]:
        """Train for some epochs and return how each went.

        With ``rows`` on the first training rows alone, whole batches, validated on as large a share of the test rows;
        ``shuffle=False`` takes rows in their order; ``progress`` is told of each epoch. Raises InvalidInputError when
        there are fewer rows, or these are no whole batches.
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

    def count(self, rows: int) -> Counted:
        """Count what training on so many rows does (see ``counting``)."""
        counted = call_counts.of_training(self.train, self.batch_size, rows, self.programs(rows))
        self.reset()
        return counted

    def programs(self, rows: int) -> list[str]:  # noqa: ARG002 - which programs there are may depend on them
        """Return the optimised programs of an epoch on so many rows, as XLA prints them; none where it made none."""
        return []

    def _checked(self, rows: int | None) -> int:
        if rows is None:
            return self.split.rows
        check_slice(rows, self.split.rows)
        if rows % self.batch_size and rows < self.split.rows:
            raise InvalidInputError(f"slice of {rows} rows; take whole batches of {self.batch_size}, or all rows")
        return rows

    @abstractmethod
    def _train(self, epochs: int, rows: int, shuffle: bool, note: Note) -> None:
        """Train, and note each epoch: the mean loss of the rows as they were met, that of the test rows, seconds."""

    @abstractmethod
    def _warm_up(self) -> None:
        """Train on as few rows as make everything compiled that training on all of them needs."""

    @abstractmethod
    def reseed(self) -> None:
        """Start the random order of the training rows anew."""


class Fit(Trainer):
    """Training as in the notebook: Keras's ``compile`` and ``fit``.

    The clock runs from the first training step of an epoch to the end of its last one, and so in validation. What lies
    between, pipelines and iterators that are made and go, is ``fit``'s set-up and has an account of its own.
    """

    split: Split

    def __init__(self, autoencoder: Autoencoder, split: Split, *, batch_size: int, seed: int) -> None:
        super().__init__(autoencoder, split, batch_size=batch_size, seed=seed)
        self.model.compile(optimizer=self.optimizer, loss="binary_crossentropy")
        self._head: Callable[[int], Split] = cache(split.head)

    def reseed(self) -> None:
        """Seed the generators that Keras shuffles with: of TensorFlow's datasets, which are made before training."""
        backends.current().seed(self.seed)
        self._reseeded = True

    def fit_untouched(self, epochs: int, *, rows: int | None = None) -> float:
        """Call ``fit`` as its users do, on rows as for ``train``, and return the last epoch's val_loss."""
        history = self._fit(self._head(self._checked(rows)), epochs, shuffle=True)
        return float(history["val_loss"][-1])

    def count(self, rows: int) -> Counted:
        """Count what training does; each epoch is validated on one batch, for which steps are compiled already."""
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
            begun, seconds = seconds, CLOCK()
            note(float(logs["loss"]), float(logs["val_loss"]), seconds - begun)

        callback = keras.callbacks.LambdaCallback(on_train_begin=self._seed_again, on_epoch_end=end_epoch)
        with CLOCK.during(Mode.SET_UP) as before, backends.current().without_tuning():
            part = self._head(rows)
            with self._timed_steps(part, before):
                self._fit(part, epochs, shuffle, callback)

    @contextmanager
    def _timed_steps(self, part: Split, mode: Mode) -> Iterator[None]:
        """Let the clock run while the model makes its steps of an epoch, and those of its validation.

        Keras's functions of one step are wrapped, for callbacks of batches would make Keras do more in each.
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

    def _warm_up(self) -> None:
        # Steps are compiled for the whole batch and for what is left of the rows, whichever kind there are.
        train, test = (
            rows if rows < self.batch_size else self.batch_size + rows % self.batch_size
            for rows in (self.split.rows, len(self.split.test))
        )
        with backends.current().without_tuning():
            self._fit(self.split.head(train, test), 1, shuffle=True)

    def _fit(self, part: Split, epochs: int, shuffle: bool, *callbacks: keras.callbacks.Callback) -> dict[str, Any]:
        common = {"batch_size": self.batch_size, "epochs": epochs, "shuffle": shuffle, "verbose": 0}
        data = {"x": part.train, "y": part.train, "validation_data": (part.test, part.test)}
        history: dict[str, Any] = self.model.fit(**data, callbacks=list(callbacks), **common).history
        return history

    def _seed_again(self, _: object) -> None:
        """Seed again where the first fit has drawn an order already (JAX, torch), to learn what shape batches have."""
        if self._reseeded:
            backends.current().seed(self.seed)
        self._reseeded = False


def _timed(step: Callable[..., Any], steps: int, mode: Mode) -> Callable[..., Any]:
    """Wrap Keras's function of one step: what so many successive ones take counts as ``mode``, the rest as set-up."""
    done = 0

    def timed(*arguments: Any) -> Any:
        nonlocal done
        if done % steps == 0:
            CLOCK.switch(mode)
        result = step(*arguments)
        done += 1
        if done % steps == 0:
            for value in (result[0] if isinstance(result, tuple) else result).values():
                keras.ops.convert_to_numpy(value)  # a device may still be at it
            CLOCK.switch(Mode.SET_UP)
        return result

    return timed


class Compiled(Trainer):
    """Training whose epochs are compiled programs."""

    def _train(self, epochs: int, rows: int, shuffle: bool, note: Note) -> None:
        for _ in range(epochs):
            started = CLOCK()
            losses = self._epoch(rows, shuffle)
            note(*losses, CLOCK() - started)

    def _test_rows(self, rows: int) -> int:
        return share(len(self.split.test), rows, self.split.rows)

    @abstractmethod
    def _epoch(self, rows: int, shuffle: bool) -> tuple[float, float]:
        """Train once on the first rows; return their mean loss as they were met, and that of the test rows."""


class Fused(Compiled):
    """Training with each epoch as one compiled program: the same model, loss and Adam, the same arithmetic."""

    split: Split

    def __init__(self, autoencoder: Autoencoder, split: Split, *, batch_size: int, seed: int) -> None:
        super().__init__(autoencoder, split, batch_size=batch_size, seed=seed)
        backend = backends.current()
        self._rows = backend.put(split.train), backend.put(split.test)
        self._program = backend.compile_epoch(self._trainable, batch_size)
        self._order = np.arange(split.rows, dtype=np.int32)  # one program serves slices, so it has the same length

    def reseed(self) -> None:
        """Start the seed's stream of permutations, which NumPy draws, anew."""
        self._random = generator(self.seed, "order")

    def _warm_up(self) -> None:
        # An accelerator's program is one for these rows alone.
        rows = self.split.rows if backends.current().accelerators() else min(self.batch_size, self.split.rows)
        self._epoch(rows, shuffle=False)

    def _epoch(self, rows: int, shuffle: bool) -> tuple[float, float]:
        self._order[:rows] = self._permute(rows, shuffle)
        return self._program.run(*self._rows, self._order, rows, self._test_rows(rows))

    def programs(self, rows: int) -> list[str]:
        text = self._program.text
        return [text(*self._rows, self._order, rows, self._test_rows(rows))] if text else []

    def _permute(self, rows: int, shuffle: bool) -> NDArray[np.int32]:
        order = np.arange(rows, dtype=np.int32)
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

    def _warm_up(self) -> None:
        for size in self._sizes(self.split.rows):
            self._steps.run(0, 1, size)
        self._validate.run(self._test, len(self.split.test) if backends.current().accelerators() else 1)

    def _epoch(self, rows: int, shuffle: bool) -> tuple[float, float]:  # noqa: ARG002 - a stream's rows lie in any order
        steps, rest = divmod(rows, self.batch_size)
        total = 0.0
        for step in range(0, steps, self.STEPS):
            todo = min(self.STEPS, steps - step)
            total += self._steps.run(step * self.batch_size, todo, self.batch_size) * self.batch_size
        if rest:
            total += self._steps.run(steps * self.batch_size, 1, rest) * rest
        return total / rows, self._validate.run(self._test, self._test_rows(rows))

    def programs(self, rows: int) -> list[str]:
        steps, validate = self._steps.text, self._validate.text
        assert steps
        assert validate  # a backend without them compiles no stream
        texts = (steps(0, 1, size) for size in self._sizes(rows))
        return [*texts, validate(self._test, self._test_rows(rows))]

    def _sizes(self, rows: int) -> list[int]:
        """List the sizes of the batches that so many rows make, each once: a program is compiled for each."""
        return sorted({min(self.batch_size, rows), rows % self.batch_size} - {0}, reverse=True)


TRAINERS: dict[str, type[Trainer]] = {"fit": Fit, "fused": Fused}


class Inference:
    """Calls that encode, decode and reconstruct, compiled once per input shape; host arrays in and out."""

    def __init__(self, autoencoder: Autoencoder) -> None:
        models = {"encode": autoencoder.encoder, "decode": autoencoder.decoder, "reconstruct": autoencoder.model}
        self._programs = {name: _compiled(model) for name, model in models.items()}
        self.encode = self._programs["encode"].run  # (n, features) -> (n, code)
        self.decode = self._programs["decode"].run  # (n, code) -> (n, features)
        self.reconstruct = self._programs["reconstruct"].run  # (n, features) -> (n, features)

    def count(self, name: str, values: Array) -> Counted:
        """Count what the call of that name does with such values."""
        program = self._programs[name]
        texts = [program.text(values)] if program.text else []
        return call_counts.of_calls(lambda: program.run(values), texts)


def _compiled(model: keras.Model) -> Call:
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
