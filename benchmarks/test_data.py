"""What do the data cost: to draw or read them, to check and to split them?"""

from autoenc_bench.core.data import sources


def test_data(experiment, load, scale, measure):
    """Make the experiment's data anew; files come from the cache, and of a stream only what others need is drawn."""
    cached = load(experiment).sample()
    asked = {"rows": experiment.rows, "features": experiment.features, "seed": 0}
    made = cached.rows + len(cached.test)
    split = measure(lambda: sources.load(experiment.data, **asked).sample(), rows=made, rounds=min(3, scale.rounds))
    assert (split.train == cached.train).all(), "the same seed gave other data"
