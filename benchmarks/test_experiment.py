"""How long does the whole experiment take, and how well does it reconstruct?"""

from math import isfinite

from autoenc_bench import scoring, training


def test_experiment(experiment, trainer, seed, load, scale, measure, epoch):
    """Build, compile and train at full length, then score the test samples beside the yardsticks."""
    split = load(experiment, seed)
    autoencoder, history = measure(
        training.run,
        experiment,
        trainer,
        split,
        seed,
        epoch,
        cold=True,
        rows=experiment.epochs * len(split.train),
        epochs=experiment.epochs,
    )
    score = scoring.score(autoencoder, split, components=experiment.code)
    measure.note(error=score.error, sample=score.sample, curve=history, val_loss=history[-1].val_loss)
    if experiment.image:
        measure.show(experiment.image, score.pictures)
    assert isfinite(history[-1].val_loss)
    if scale.full_size:
        mean = score.error.absolute.mean
        assert mean < score.error.yardsticks["constant mean"].mean
        low, high = experiment.mean_error or (0, float("inf"))
        assert low <= mean <= high, "the error is out of the experiment's bounds"
