"""How long does the whole experiment take, and how well does it reconstruct?"""

from functools import partial
from math import isfinite

import pytest

from autoenc_bench.core import scoring
from autoenc_bench.machine import roofline


def test_experiment(experiment, trainer, seed, prepare, scale, measure):
    """Train at full length and score the test samples: a whole section of the notebook. It is compiled before."""
    ready = prepare(trainer, seed=seed)
    if scale.is_too_long(experiment):
        pytest.skip(f"takes more than {scale.longest:.0f} s on this backend; --scale notebook runs it")
    ready.warm()
    rows, epochs = ready.split.rows, experiment.epochs
    history = measure(
        partial(ready.train, progress=measure.epoch),
        epochs,
        setup=ready.reset,
        rows=epochs * rows,
        epochs=epochs,
        work=roofline.training(experiment, trainer, rows=rows, test_rows=len(ready.split.test), epochs=epochs),
        rounds=1,
        warm_up=False,
        counts=False,
    )
    score = scoring.score(ready.autoencoder, ready.split.sample(), components=experiment.code)
    measure.note(error=score.error, sample=score.sample, curve=history, val_loss=history[-1].val_loss)
    if experiment.image:
        measure.show(experiment.image, score.pictures)
    assert isfinite(history[-1].val_loss)
    if scale.full_size:
        low, high = experiment.mean_error or (0, score.error.yardsticks["constant mean"].mean)
        assert low <= score.error.absolute.mean <= high, "the mean error is outside the bounds of the experiment"
