"""What is paid before the first step: building a model, and the first call that traces and compiles it?"""

from math import isfinite

from autoenc_bench.core.models import build


def test_build(experiment, measure):
    """Build the autoencoder, its encoder and its decoder, and draw their weights."""
    autoencoder = measure(build, experiment, 0, rows=1)
    assert autoencoder.model.count_params() == experiment.parameters


def test_first_call(experiment, trainer, prepare, split, scale, measure):
    """Train for the first time: the same round as test_epoch's, with tracing and compiling before it."""
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
