"""Both trainers do the same arithmetic, and a reset brings back where they began."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import experiments

from autoenc_bench.catalogue.experiments import find
from autoenc_bench.core import backends, data, training
from autoenc_bench.core.backends import Program
from autoenc_bench.core.clock import CLOCK
from autoenc_bench.core.models import build
from autoenc_bench.core.training import TRAINERS, Inference, prepare, repeat


def small(name, rows):
    """Return an experiment of the catalogue on few rows, and random data for it."""
    experiment = replace(find(name), rows=rows)
    return experiment, data.load("uniform", rows=rows, features=experiment.features, seed=0)


def weights(trainer):
    """Return all weights as one vector."""
    return np.concatenate([np.ravel(value) for value in trainer.model.get_weights()])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rows"), [("crude-complex", 811), ("mnist", 811)])
def test_fused_equals_fit(name, rows):
    """From the same weights, in the same order, three epochs with a partial last batch end the same."""
    experiment, split = small(name, rows)
    assert len(split.train) % experiment.batch_size
    fit, fused = (prepare(experiment, trainer, split, seed=1) for trainer in ("fit", "fused"))
    before = weights(fit)
    np.testing.assert_array_equal(before, weights(fused))
    slow, fast = (trainer.train(3, shuffle=False) for trainer in (fit, fused))
    assert np.abs(weights(fused) - before).max() > 1e-3, "nothing was trained"
    np.testing.assert_allclose(weights(fused), weights(fit), atol=1e-4)
    for one, other in zip(slow, fast, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-5)
        assert one.val_loss == pytest.approx(other.val_loss, rel=1e-5)


@pytest.fixture(scope="module", params=TRAINERS)
def trainer(request):
    """Return each trainer once, for tests that reset it; resetting is what the first of them tests."""
    return prepare(*small_with(request.param), seed=3)


def small_with(name):
    """Return a small experiment, the trainer's name and data, as preparing takes them."""
    experiment, split = small("crude-simple", 555)
    return experiment, name, split


def test_reset(trainer):
    """After a reset a trainer trains the same way again, shuffling included."""
    start = weights(trainer)
    first = [(epoch.loss, epoch.val_loss) for epoch in trainer.train(2)]
    trained = weights(trainer)
    assert np.abs(trained - start).max() > 1e-3, "nothing was trained"
    trainer.reset()
    np.testing.assert_array_equal(weights(trainer), start)
    assert [(epoch.loss, epoch.val_loss) for epoch in trainer.train(2)] == first
    np.testing.assert_array_equal(weights(trainer), trained)


def test_warm(trainer):
    """Warming up leaves no trace in weights or order, and trains only the first time."""
    trainer.reset()
    warm = prepare(*small_with(next(name for name, kind in TRAINERS.items() if type(trainer) is kind)), seed=3)
    warm.warm()
    np.testing.assert_array_equal(weights(warm), weights(trainer))
    assert [epoch.val_loss for epoch in warm.train(2)] == [epoch.val_loss for epoch in trainer.train(2)]
    trained = weights(warm)
    warm.warm()
    np.testing.assert_array_equal(weights(warm), trained)


def test_history(trainer):
    """Each epoch reports finite losses and its seconds, the last val_loss is the model's, and progress is told."""
    trainer.reset()
    told = []
    history = trainer.train(3, progress=lambda done, epoch: told.append((done, epoch)))
    assert told == list(enumerate(history, start=1))
    assert history[-1].val_loss == pytest.approx(trainer.evaluate(), rel=1e-5)
    assert history[-1].loss < history[0].loss
    for epoch in history:
        assert epoch.seconds > 0
        assert all(type(value) is float for value in (epoch.loss, epoch.val_loss, epoch.seconds))


@pytest.mark.parametrize("name", TRAINERS)
def test_slice(name):
    """Training on the first rows is training on a split of them, whatever was trained on before."""
    experiment, split = small("crude-simple", 1_030)  # 927 rows to train on: nine whole batches and a partial one
    alone, part = (prepare(experiment, name, data, seed=3) for data in (split.head(300), split))
    part.train(1)
    part.reset()
    for one, other in zip(alone.train(2), part.train(2, rows=300), strict=True):
        assert (one.loss, one.val_loss) == pytest.approx((other.loss, other.val_loss), rel=1e-6)
    np.testing.assert_allclose(weights(part), weights(alone), atol=1e-6)
    for rows in (928, 250):
        with pytest.raises(ValueError, match=f"slice of {rows} rows"):
            part.train(1, rows=rows)


def test_blocks_of_validation(monkeypatch):
    """A loss that is summed block by block, the last one overlapping, is that of all rows at once, and of the first."""
    monkeypatch.setattr(backends, "BLOCK", (7, 10_000))
    experiment, split = small("crude-simple", 200)
    trainer = prepare(experiment, "fused", split, seed=0)
    assert trainer.train(1)[0].val_loss == pytest.approx(trainer.evaluate(), rel=1e-6)
    alone = prepare(experiment, "fused", split.head(100), seed=0)
    trainer.reset()
    assert trainer.train(1, rows=100)[0].val_loss == pytest.approx(alone.train(1)[0].val_loss, rel=1e-6)


def test_programs_of_a_device(monkeypatch):
    """An accelerator's programs, of fixed length, do the same as a CPU's; warming compiles that of all rows."""
    experiment, split = small("crude-simple", 1_030)
    cpu = prepare(experiment, "fused", split, seed=3)
    monkeypatch.setattr(backends.current(), "accelerators", lambda: ["a GPU"])
    device = prepare(experiment, "fused", split, seed=3)
    epochs = []
    run = device._program.run
    monkeypatch.setattr(device, "_program", Program(lambda *args: epochs.append(args[3]) or run(*args)))
    device.warm()
    assert epochs == [927]
    for rows in (300, None):
        for one, other in zip(cpu.train(1, rows=rows), device.train(1, rows=rows), strict=True):
            assert (one.loss, one.val_loss) == pytest.approx((other.loss, other.val_loss), rel=1e-6)


def test_fit_is_untouched():
    """Fit follows Keras's steps and leaves no trace: the same losses to the bit, and the same functions afterwards."""
    experiment, split = small("crude-simple", 1_030)
    fit = prepare(experiment, "fit", split, seed=3)
    before = CLOCK.read()
    history = fit.train(3)
    after = CLOCK.read()
    assert sum(epoch.seconds for epoch in history) == pytest.approx(after.wall - before.wall, rel=0.05)
    assert after.set_up > before.set_up
    assert not any("timed" in step.__name__ for step in (fit.model.train_function, fit.model.test_function))
    fit.reset()
    assert fit.fit_untouched(3) == history[-1].val_loss


def test_fit_that_fails(monkeypatch):
    """When a fit fails, the clock goes on as before, and the model's functions are Keras's again."""
    experiment, split = small("crude-simple", 1_030)
    fit = prepare(experiment, "fit", split, seed=3)
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
    """A stream's epoch has a program for whole batches and one for what is left, each once, and one that validates."""
    streamed = object.__new__(training.Streamed)
    streamed.batch_size, streamed.split, streamed._test = 100, SimpleNamespace(rows=200, test=[0.5] * 20), None
    streamed._steps = SimpleNamespace(text=lambda _first, _steps, size: f"{size} rows")
    streamed._validate = SimpleNamespace(text=lambda _test, _rows: "validation")
    assert streamed.programs(rows) == [*(f"{size} rows" for size in sizes), "validation"]


def test_fit_does_not_tune():
    """On TensorFlow, whose pipelines tune themselves, those of a fit do not; others do afterwards as before."""
    if backends.name() != "tensorflow":
        pytest.skip("only TensorFlow's pipelines tune themselves")
    import tensorflow as tf

    iterate, seen = tf.data.Dataset.__iter__, []
    tf.data.Dataset.__iter__ = lambda dataset: seen.append(dataset.options().autotune.enabled) or iterate(dataset)
    try:
        experiment, split = small("crude-simple", 555)
        fit = prepare(experiment, "fit", split, seed=3)
        fit.train(2)
        assert len(seen) >= 4, "an epoch trains and validates"
        assert set(seen) == {False}
        fit.fit_untouched(1)
        assert seen[-1] is not False
    finally:
        tf.data.Dataset.__iter__ = iterate


def test_fused_shuffles():
    """The rows are met in another order each epoch, and as they lie only when asked."""
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
    assert fit[0].val_loss == pytest.approx(fused[0].val_loss, rel=1e-5)
    assert fit[0].loss == pytest.approx(fused[0].loss, rel=1e-5)


@pytest.mark.slow
@given(experiments(), st.integers(0, 2**31))
@settings(max_examples=3)
def test_any_model_trains(experiment, seed):
    """Any legal model trains on any legal data, and every seed gives the same result twice."""
    split = data.load(experiment.data, rows=experiment.rows, features=experiment.features, seed=seed)
    histories = [prepare(experiment, "fused", split, seed).train(1) for _ in range(2)]
    assert [epoch.val_loss for epoch in histories[0]] == [epoch.val_loss for epoch in histories[1]]
    assert np.isfinite(histories[0][-1].val_loss)


def test_unknown_trainer():
    """An unknown trainer is answered with the known ones."""
    experiment, split = small("digits", 20)
    with pytest.raises(LookupError, match="unknown trainer 'sgd'; choose from fit, fused"):
        prepare(experiment, "sgd", split, seed=0)


@given(experiments(), st.integers(0, 2**31), st.integers(1, 9))
@settings(max_examples=4)
def test_inference(experiment, seed, rows):
    """Decoding the codes is reconstructing, for any model and batch, and outputs stay in [0, 1]."""
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
