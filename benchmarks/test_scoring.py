"""What does it cost to score reconstructions?"""

from autoenc_bench.core.metrics import absolute, constant_mean, statistics


def test_score(split, measure):
    """Compute the absolute errors of the test samples and their statistics: the notebook's error cells."""
    reconstructions = constant_mean(split.sample())
    found = measure(lambda: statistics(absolute(split.test, reconstructions)), rows=len(split.test))
    assert sum(found.counts) == len(split.test)
