"""How fast is a steady training epoch, by Keras's fit and by one compiled program, and what does a call of fit take?"""

from functools import partial
from math import isfinite

from autoenc_bench.core.data.split import share
from autoenc_bench.machine import roofline


def test_epoch(experiment, trainer, prepare, split, scale, measure):
    """Train for one round on an experiment's rows, compiled before, from the same weights each time."""
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
    """Call Keras's fit as a script does, compiled before: its set-up and what it waits for are timed as well."""
    rows, epochs = scale.round_size(experiment, "fit", split.rows, scale.untouched)
    ready = prepare("fit")
    ready.fit_untouched(1, rows=rows)  # which compiles what it needs
    loss = measure(
        partial(ready.fit_untouched, rows=rows),
        epochs,
        setup=ready.restore,
        rounds=scale.untouched.rounds,
        warm_up=False,
        rows=epochs * rows,
        epochs=epochs,
        counts=False,  # the same calls as the trainer's
        trainer="fit",
    )
    assert isfinite(loss)
