"""Both trainers do the same arithmetic, and a reset restores the initial state."""

import sys
from dataclasses import replace
from functools import cache
from time import perf_counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import experiments

from autoenc_bench.backends import protocol, selection
from autoenc_bench.backends.protocol import CompiledFunction
from autoenc_bench.catalogue.experiments import find
from autoenc_bench.core import training
from autoenc_bench.core.data import sources
from autoenc_bench.core.data.split import share
from autoenc_bench.core.models import build
from autoenc_bench.core.training import TRAINERS, Inference, prepare, repeat
from autoenc_bench.instruments import clock
from autoenc_bench.instruments.clock import CLOCK


def small(name, rows):
    """Return an experiment of the catalogue on few rows, and random data for it."""
    experiment = replace(find(name), rows=rows)
    return experiment, sources.load("uniform", rows=rows, features=experiment.features, seed=0)


def weights(trainer):
    """Return all weights as one vector."""
    return np.concatenate([np.ravel(value) for value in trainer.model.get_weights()])


def assert_equal_losses(history, expected, rel):
    """Assert that two histories have the same losses, to a relative difference."""
    for epochs in zip(history, expected, strict=True):
        for loss in ("loss", "val_loss"):
            assert getattr(epochs[0], loss) == pytest.approx(getattr(epochs[1], loss), rel=rel)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rows"), [("crude-complex", 811), ("mnist", 811)])
def test_fused_equals_fit(name, rows):
    """From the same weights and in the same order, three epochs with a partial last batch give the same result."""
    experiment, split = small(name, rows)
    assert len(split.train) % experiment.batch_size
    fit, fused = (prepare(experiment, trainer, split, seed=1) for trainer in ("fit", "fused"))
    before = weights(fit)
    np.testing.assert_array_equal(before, weights(fused))
    expected, history = (trainer.train(3, shuffle=False) for trainer in (fit, fused))
    assert np.abs(weights(fused) - before).max() > 1e-3, "nothing was trained"
    np.testing.assert_allclose(weights(fused), weights(fit), atol=1e-4)
    assert_equal_losses(history, expected, rel=1e-5)


ROWS = 1_030  # 927 to train on: nine whole batches and a partial one; 103 to validate on: a whole one and a partial one


def new_trainer(name, rows=None):
    """Prepare a trainer of a small experiment, or of its first rows."""
    experiment, split = small("crude-simple", ROWS)
    return prepare(experiment, name, split.head(rows) if rows else split, seed=3)


@pytest.fixture(scope="module")
def trainers():
    """Return a function (name) -> that trainer, compiled once for all tests, and reset (see ``test_reset``)."""
    cached = cache(new_trainer)

    def trainer(name):
        cached(name).reset()
        return cached(name)

    return trainer


@pytest.fixture(params=TRAINERS)
def trainer(request, trainers):
    """Return each trainer."""
    return trainers(request.param)


@pytest.fixture
def fit(trainers):
    """Return the trainer ``fit``."""
    return trainers("fit")


def test_reset(trainer):
    """After a reset, training gives the same result again, shuffling included."""
    start = weights(trainer)
    first = [(epoch.loss, epoch.val_loss) for epoch in trainer.train(2)]
    trained = weights(trainer)
    assert np.abs(trained - start).max() > 1e-3, "nothing was trained"
    trainer.reset()
    np.testing.assert_array_equal(weights(trainer), start)
    assert [(epoch.loss, epoch.val_loss) for epoch in trainer.train(2)] == first
    np.testing.assert_array_equal(weights(trainer), trained)


def test_loads_no_other_backend(fit):
    """Training on another backend does not import TensorFlow."""
    fit.train(1)
    assert selection.name() == "tensorflow" or "tensorflow" not in sys.modules


def name_of(trainer):
    """Return the trainer's name."""
    return next(name for name, kind in TRAINERS.items() if type(trainer) is kind)


def test_warm(trainer):
    """Warming up changes neither weights nor order, and trains only the first time."""
    warm = new_trainer(name_of(trainer))
    warm.warm()
    np.testing.assert_array_equal(weights(warm), weights(trainer))
    assert [epoch.val_loss for epoch in warm.train(2)] == [epoch.val_loss for epoch in trainer.train(2)]
    trained = weights(warm)
    warm.warm()
    np.testing.assert_array_equal(weights(warm), trained)


def test_history(trainer):
    """Each epoch has finite losses and seconds, the last val_loss is the model's, and progress gets each epoch."""
    noted = []
    history = trainer.train(3, progress=lambda done, epoch: noted.append((done, epoch)))
    assert noted == list(enumerate(history, start=1))
    assert history[-1].val_loss == pytest.approx(trainer.evaluate(), rel=1e-5)
    assert history[-1].loss < history[0].loss
    for epoch in history:
        assert epoch.seconds > 0
        assert all(type(value) is float for value in (epoch.loss, epoch.val_loss, epoch.seconds))


def test_slice(trainer):
    """Training on the first rows equals training on a split of them, also after training on all rows."""
    separate = new_trainer(name_of(trainer), 300)
    trainer.train(1)
    trainer.reset()
    assert_equal_losses(separate.train(2), trainer.train(2, rows=300), rel=1e-6)
    np.testing.assert_allclose(weights(trainer), weights(separate), atol=1e-6)
    for rows in (928, 250):
        with pytest.raises(ValueError, match=f"slice of {rows} rows"):
            trainer.train(1, rows=rows)


def test_blocks_of_validation(monkeypatch):
    """A loss summed over blocks, the last one overlapping, equals the loss of all (or the first) rows at once."""
    monkeypatch.setattr(protocol, "BLOCK", (7, 10_000))
    experiment, split = small("crude-simple", 200)
    trainer = prepare(experiment, "fused", split, seed=0)
    assert trainer.train(1)[0].val_loss == pytest.approx(trainer.evaluate(), rel=1e-6)
    val_loss = trainer.train(1, rows=100)[0].val_loss
    trainer.split = replace(split, test=split.test[: share(20, 100, 180)])
    assert val_loss == pytest.approx(trainer.evaluate(), rel=1e-6)
    _, val_loss = trainer._program.run(*trainer._rows, trainer._order, 100, 1)
    trainer.split = replace(split, test=split.test[:1])
    assert val_loss == pytest.approx(trainer.evaluate(), rel=1e-6)


def test_programs_of_a_device(trainers, monkeypatch):
    """An accelerator's programs of fixed length do the same as a CPU's; warming compiles the one of all rows."""
    cpu = trainers("fused")
    monkeypatch.setattr(selection.current(), "accelerators", lambda: ["a GPU"])
    device = new_trainer("fused")
    rows_run = []
    run = device._program.run
    monkeypatch.setattr(device, "_program", CompiledFunction(lambda *args: rows_run.append(args[3]) or run(*args)))
    device.warm()
    assert rows_run == [927]
    for rows in (300, None):
        assert_equal_losses(device.train(1, rows=rows), cpu.train(1, rows=rows), rel=1e-6)


def lasting(seconds, call, now):
    """Return a function that advances a simulated clock by some seconds and makes the call."""

    def run(*arguments, **options):
        now[0] += seconds
        return call(*arguments, **options)

    return run


def test_fit_is_timed(fit, monkeypatch):
    """An epoch takes as long as its training and validation steps; the rest of a fit is set-up."""
    fit.train(1)  # makes Keras's functions
    now = [perf_counter()]
    monkeypatch.setattr(clock, "perf_counter", lambda: now[0])
    monkeypatch.setattr(fit.model, "train_function", lasting(1, fit.model.train_function, now))
    monkeypatch.setattr(fit.model, "test_function", lasting(10, fit.model.test_function, now))
    monkeypatch.setattr(fit, "_fit", lasting(100, fit._fit, now))
    before = CLOCK.read()
    history = fit.train(3)
    after = CLOCK.read()
    assert [epoch.seconds for epoch in history] == pytest.approx([10 + 2 * 10] * 3)
    assert (after.wall - before.wall, after.set_up - before.set_up) == pytest.approx((90, 100))


def test_fit_is_untouched(fit):
    """The trainer gives the same losses as Keras's fit, to the bit, and restores Keras's functions afterwards."""
    history = fit.train(3)
    assert not any("timed" in step.__name__ for step in (fit.model.train_function, fit.model.test_function))
    fit.reset()
    assert fit.fit_untouched(3) == history[-1].val_loss


def test_fit_that_fails(fit, monkeypatch):
    """When a fit fails, the clock still runs, and the model has Keras's functions again."""
    fit.train(1)
    step = fit.model.train_function

    def fail(*_, **__):
        assert fit.model.train_function is not step
        raise RuntimeError("the data are gone")

    monkeypatch.setattr(fit, "_fit", fail)
    with pytest.raises(RuntimeError, match="the data are gone"):
        fit.train(1)
    assert fit.model.train_function is step
    before = CLOCK()
    assert CLOCK() > before


@pytest.mark.parametrize(("rows", "sizes"), [(60, [60]), (100, [100]), (130, [100, 30]), (200, [100])])
def test_programs_of_a_stream(rows, sizes):
    """A stream's epoch has a program for whole batches, one for the rows that are left, and one for validation."""
    streamed = object.__new__(training.Streamed)
    streamed.batch_size, streamed.split, streamed._test = 100, SimpleNamespace(rows=200, test=[0.5] * 20), None
    streamed._steps = SimpleNamespace(texts=lambda _first, _steps, size: [f"{size} rows"])
    streamed._validate = SimpleNamespace(texts=lambda _test, _rows: ["validation"])
    assert streamed.programs(rows) == [*(f"{size} rows" for size in sizes), "validation"]


def test_fit_does_not_tune(fit):
    """On TensorFlow, a fit turns autotuning off for its own pipelines only."""
    if selection.name() != "tensorflow":
        pytest.skip("only TensorFlow's pipelines tune themselves")
    import tensorflow as tf

    iterate, tuned = tf.data.Dataset.__iter__, []
    tf.data.Dataset.__iter__ = lambda dataset: tuned.append(dataset.options().autotune.enabled) or iterate(dataset)
    try:
        fit.train(2)
        assert len(tuned) >= 4, "an epoch trains and validates"
        assert set(tuned) == {False}
        fit.fit_untouched(1)
        assert tuned[-1] is not False
    finally:
        tf.data.Dataset.__iter__ = iterate


def test_fused_shuffles():
    """The rows have another order in each epoch, and their stored order with ``shuffle=False``."""
    experiment, split = small("crude-simple", 200)
    trainer = prepare(experiment, "fused", split, seed=0)
    orders = [trainer._permute(180, shuffle=True) for _ in range(2)]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(180))
    assert not np.array_equal(*orders)
    np.testing.assert_array_equal(trainer._permute(180, shuffle=False), np.arange(180))


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [179, 180, 999])
def test_batches_as_large_as_the_data(batch_size):
    """An epoch may be a single batch, whole or partial."""
    experiment, split = small("crude-simple", 200)
    experiment = replace(experiment, batch_size=batch_size)
    fit, fused = (prepare(experiment, trainer, split, seed=1).train(1, shuffle=False) for trainer in ("fit", "fused"))
    assert_equal_losses(fused, fit, rel=1e-5)


@pytest.mark.slow
@given(experiments(), st.integers(0, 2**31))
@settings(max_examples=3)
def test_any_model_trains(experiment, seed):
    """Any valid model trains on any valid data, and again to the same result."""
    split = sources.load(experiment.data, rows=experiment.rows, features=experiment.features, seed=seed)
    trainer = prepare(experiment, "fused", split, seed)
    (first,) = trainer.train(1)
    trainer.reset()
    assert trainer.train(1)[0].val_loss == first.val_loss
    assert np.isfinite(first.val_loss)


def test_unknown_trainer():
    """The error for an unknown trainer lists the known ones."""
    experiment, split = small("digits", 20)
    with pytest.raises(LookupError, match="unknown trainer 'sgd'; choose from fit, fused"):
        prepare(experiment, "sgd", split, seed=0)


@given(experiments(), st.integers(0, 2**31), st.integers(1, 9))
@settings(max_examples=4)
def test_inference(experiment, seed, rows):
    """Encoding and decoding equals reconstructing, for any model and batch, and outputs stay in [0, 1]."""
    inference = Inference(build(experiment, seed))
    values = np.random.default_rng(seed).random((rows, experiment.features), dtype=np.float32)
    codes = inference.encode(values)
    outputs = inference.reconstruct(values)
    assert codes.shape == (rows, experiment.code)
    assert outputs.shape == values.shape
    assert outputs.dtype == np.float32
    assert 0 <= outputs.min() <= outputs.max() <= 1
    np.testing.assert_allclose(inference.decode(codes), outputs, atol=1e-6)
    one_by_one = np.concatenate([inference.reconstruct(row[None]) for row in values])
    np.testing.assert_allclose(one_by_one, outputs, atol=1e-5)


def test_repeat():
    """Repeating makes the stated number of calls and returns the last result."""
    calls = []
    assert repeat(lambda value: calls.append(value) or len(calls), 7, times=3) == 3
    assert calls == [7, 7, 7]
