"""What does it cost to build a model, and to train for the first time, with tracing and compiling?"""

from math import isfinite

from autoenc_bench.core.models import build


def test_build(experiment, measure):
    """Build autoencoder, encoder and decoder with initial weights: the notebook's model cells."""
    autoencoder = measure(build, experiment, 0, rows=1)
    assert autoencoder.model.count_params() == experiment.parameters


def test_first_call(experiment, trainer, prepare, split, scale, measure):
    """Train for the first time: the round of test_epoch, plus tracing and compiling."""
    rows, epochs = scale.round_size(experiment, trainer, split.rows)
    ready = {}
    history = measure(
        lambda: ready[trainer].train(epochs, rows=rows),
        setup=lambda: ready.update({trainer: prepare(trainer, new=True)}),
        rows=epochs * rows,
        epochs=epochs,
        rounds=1,
        warm_up=False,
        counts=False,
    )
    assert isfinite(history[-1].val_loss)
