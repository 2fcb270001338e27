"""What does it cost to draw or read the data, to check them and to split them?"""

from autoenc_bench.core.data import sources


def test_data(experiment, load, scale, measure):
    """Make the data again: the notebook's data cells. MNIST comes from the cache, a stream draws its test rows."""
    cached = load(experiment).sample()
    arguments = {"rows": experiment.rows, "features": experiment.features, "seed": 0}
    rows = cached.rows + len(cached.test)
    split = measure(lambda: sources.load(experiment.data, **arguments).sample(), rows=rows, rounds=min(3, scale.rounds))
    assert (split.train == cached.train).all(), "the same seed gave other data"
