"""A score has the statistics of the errors, the reference values, and the best, worst and first samples."""

import numpy as np
import pytest

from autoenc_bench.catalogue.experiments import find
from autoenc_bench.catalogue.scales import SCALES
from autoenc_bench.core import metrics, scoring
from autoenc_bench.core.data import sources
from autoenc_bench.core.scoring import SHOWN
from autoenc_bench.core.training import Inference, prepare


@pytest.fixture(scope="module")
def scored():
    """Return a trained digits experiment: its test samples, its reconstructions and its score."""
    experiment = SCALES["smoke"].apply(find("digits"))
    split = sources.load("digits", rows=experiment.rows, features=experiment.features, seed=0)
    trainer = prepare(experiment, "fused", split, seed=0)
    trainer.train(experiment.epochs)
    reconstructions = Inference(trainer.autoencoder).reconstruct(split.test)
    return split.test, reconstructions, scoring.score(trainer.autoencoder, split, experiment.code)


def test_statistics(scored):
    """The statistics are those of the errors of all test samples."""
    test, reconstructions, score = scored
    assert score.error.absolute == metrics.statistics(metrics.absolute(test, reconstructions))
    assert score.error.mean_squared == metrics.statistics(metrics.mean_squared(test, reconstructions))
    assert score.error.psnr == metrics.statistics(metrics.psnr(test, reconstructions))


def test_reference_values(scored):
    """PCA has the code's width, and beats the constant mean on digits."""
    yardsticks = scored[-1].error.yardsticks
    assert yardsticks["PCA"].components == 32
    assert yardsticks["PCA"].mean < yardsticks["constant mean"].mean
    assert yardsticks["PCA"].mean == pytest.approx(1.73, abs=0.01)


def test_extremes_and_pictures(scored):
    """The best and worst samples have their index and error, and their pictures match."""
    test, reconstructions, score = scored
    absolute = metrics.absolute(test, reconstructions)
    for extremes, indices, name in (
        (score.error.best, metrics.best(absolute, SHOWN), "best"),
        (score.error.worst, metrics.worst(absolute, SHOWN), "worst"),
    ):
        assert [(extreme.index, extreme.error) for extreme in extremes] == [(i, absolute[i]) for i in indices]
        np.testing.assert_array_equal(score.pictures[name][0], np.rint(test[indices] * 255))
        np.testing.assert_array_equal(score.pictures[name][1], np.rint(reconstructions[indices] * 255))
    assert score.pictures["first"].shape == (2, SHOWN, 64)
    assert score.pictures["first"].dtype == np.uint8


def test_first_sample(scored):
    """The score has the first test sample and its reconstruction, to a float32's digits."""
    test, reconstructions, score = scored
    np.testing.assert_allclose(score.sample.original, test[0], rtol=1e-6)
    np.testing.assert_allclose(score.sample.reconstruction, reconstructions[0], rtol=1e-6)
