"""What do the data cost: to draw or read them, to check and to split them?"""

from autoenc_bench import data


def test_data(experiment, load, measure):
    """Make the experiment's data anew; files come from the cache."""
    cached = load(experiment)
    asked = {"rows": experiment.rows, "features": experiment.features, "seed": 0}
    split = measure(lambda: data.load(experiment.data, **asked), rows=experiment.rows)
    assert len(split.train) + len(split.test) == experiment.rows
    assert (split.train == cached.train).all(), "the same seed gave other data"
