"""How fast is a steady training epoch, with Keras's fit and as one compiled program, and what does fit itself cost?"""

from functools import partial
from math import isfinite

from autoenc_bench.core.data.split import share
from autoenc_bench.machine import roofline


def test_epoch(experiment, trainer, prepare, split, scale, measure):
    """Train for one round from the same weights each time: the notebook's fit cells. Everything is compiled before."""
    rows, epochs = scale.round_size(experiment, trainer, split.rows)
    ready = prepare(trainer)
    ready.reset()
    untrained = ready.evaluate()
    test_rows = share(len(split.test), rows, split.rows)
    history = measure(
        partial(ready.train, rows=rows),
        epochs,
        setup=ready.restore,
        rounds=scale.training[trainer].rounds,
        rows=epochs * rows,
        epochs=epochs,
        counts=lambda: ready.count(rows),
        work=roofline.training(experiment, trainer, rows=rows, test_rows=test_rows, epochs=epochs),
    )
    assert history[-1].val_loss < untrained, "training did not lower the loss"


def test_untouched_fit(experiment, prepare, split, scale, measure):
    """Call Keras's fit as the notebook does, with its set-up and its waiting in the time. It is compiled before."""
    rows, epochs = scale.round_size(experiment, "fit", split.rows, scale.untouched)
    ready = prepare("fit")
    ready.fit_untouched(1, rows=rows)  # compiles its steps
    loss = measure(
        partial(ready.fit_untouched, rows=rows),
        epochs,
        setup=ready.restore,
        rounds=scale.untouched.rounds,
        warm_up=False,
        rows=epochs * rows,
        epochs=epochs,
        counts=False,  # they are those of the trainer fit
        trainer="fit",
    )
    assert isfinite(loss)
