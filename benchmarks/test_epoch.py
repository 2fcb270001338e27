"""How fast is a steady training epoch, by Keras's fit and by one compiled program?"""

from autoenc_bench.machine import roofline


def test_epoch(experiment, trainer, prepare, split, scale, measure):
    """Train for one round on an experiment's rows, compiled before, from the same state each time."""
    rows, epochs = scale.round_size(experiment, trainer, split.rows)
    ready = prepare(trainer, rows)
    ready.reset()
    untrained = ready.evaluate()
    history = measure(
        ready.train,
        epochs,
        setup=ready.reset,
        rounds=scale.training[trainer].rounds,
        rows=epochs * rows,
        epochs=epochs,
        work=roofline.training(experiment, trainer, rows=rows, test_rows=len(split.test), epochs=epochs),
    )
    assert history[-1].val_loss < untrained, "training did not lower the loss"
