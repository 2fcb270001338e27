"""How fast is a steady training epoch, by Keras's fit and by one compiled program?"""


def test_epoch(trainer, prepare, measure):
    """Train for one round on an experiment's rows, compiled before, from the same state each time."""
    ready, epochs = prepare(trainer)
    ready.reset()
    untrained = ready.evaluate()
    history = measure(
        ready.train,
        epochs,
        setup=ready.reset,
        rows=epochs * len(ready.split.train),
        epochs=epochs,
    )
    assert history[-1].val_loss < untrained, "training did not lower the loss"
