"""Errors obey the laws of distances, statistics do not depend on the samples' order, references are exact."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from strategies import experiments, pairs, samples

from autoenc_bench.core.data.sources import split_rows
from autoenc_bench.core.data.split import Split
from autoenc_bench.core.metrics import BINS, absolute, best, constant_mean, mean_squared, pca, psnr, statistics, worst
from autoenc_bench.core.models import build
from autoenc_bench.core.training import Fused, Inference

values = arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 800))


@given(pairs())
def test_absolute(pair):
    """The absolute error is never negative, symmetric, and zero exactly where samples are equal."""
    first, second = pair
    errors = absolute(first, second)
    assert errors.shape == (len(first),)
    assert (errors >= 0).all()
    np.testing.assert_array_equal(errors == 0, (first == second).all(axis=1))
    np.testing.assert_array_equal(errors, absolute(second, first))


def test_absolute_is_the_notebooks():
    """The error is the sum over features of the absolute differences."""
    errors = absolute(np.array([[0.0, 1.0, 0.5], [0.2, 0.2, 0.2]]), np.array([[0.5, 0.5, 0.5], [0.2, 0.2, 0.3]]))
    np.testing.assert_allclose(errors, [1.0, 0.1])


@given(pairs())
def test_mean_absolute_squared_is_at_most_mean_squared(pair):
    """MAE² ≤ MSE for each sample (Jensen), to rounding."""
    first, second = pair
    mae = absolute(first, second) / first.shape[1]
    assert (mae**2 <= mean_squared(first, second) * (1 + 1e-12)).all()


@given(samples())
def test_psnr(values):
    """PSNR is infinite for a perfect sample, and 20 dB for a mean squared error of 0.01."""
    assert np.isinf(psnr(values, values)).all()
    np.testing.assert_allclose(psnr(np.zeros((2, 3)), np.full((2, 3), 0.1)), 20)


@given(pairs(), st.randoms(use_true_random=False))
def test_order_of_samples(pair, random):
    """Shuffling the samples changes no statistic."""
    first, second = pair
    order = list(range(len(first)))
    random.shuffle(order)
    for error in (absolute, mean_squared, psnr):
        assert statistics(error(first, second)) == statistics(error(first[order], second[order]))


@given(pairs(), st.integers(1, 12))
def test_batch_size(pair, size):
    """Scoring in batches gives the same errors to 1e-5."""
    first, second = pair
    parts = [absolute(first[at : at + size], second[at : at + size]) for at in range(0, len(first), size)]
    np.testing.assert_allclose(np.concatenate(parts), absolute(first, second), rtol=1e-5)


@given(values)
def test_statistics(errors):
    """Mean and σ are NumPy's, quantiles rise from the smallest to the largest, and every error is counted."""
    summary = statistics(errors)
    assert summary.mean == pytest.approx(errors.mean(), rel=1e-12, abs=1e-300)
    assert summary.std == pytest.approx(errors.std(), rel=1e-9, abs=1e-9)
    quantiles = list(summary.quantiles.values())
    assert quantiles == sorted(quantiles)
    assert (quantiles[0], quantiles[-1]) == (errors.min(), errors.max())
    assert len(summary.counts) == BINS
    assert sum(summary.counts) == len(errors)


def test_quantiles():
    """A quantile is an error that occurred: the largest with at most that share of the others below it."""
    assert statistics(np.array([4.0, 1.0, 3.0, 2.0])).quantiles == {
        **dict.fromkeys(("0", "0.01", "0.05", "0.25"), 1.0),
        "0.5": 2.0,
        **dict.fromkeys(("0.75", "0.95", "0.99"), 3.0),
        "1": 4.0,
    }


def test_statistics_of_infinite_errors():
    """Statistics that are not finite are None; finite quantiles keep their value."""
    summary = statistics(np.array([30.0, np.inf, 31.0]))
    assert (summary.mean, summary.std, summary.counts) == (None, None, [])
    assert summary.quantiles["0"] == 30
    assert summary.quantiles["1"] is None


def test_statistics_of_nothing():
    """No errors have no statistics."""
    with pytest.raises(ValueError, match="no errors to summarise"):
        statistics(np.array([]))


@given(values, st.integers(1, 70))
def test_best_and_worst(errors, n):
    """The best are the n smallest errors in order, the worst the n largest, and no index occurs twice."""
    ordered = np.sort(errors)
    np.testing.assert_array_equal(errors[best(errors, n)], ordered[:n])
    np.testing.assert_array_equal(errors[worst(errors, n)], ordered[::-1][:n])
    for indices in (best(errors, n), worst(errors, n)):
        assert len(set(indices.tolist())) == min(n, len(errors))


@pytest.mark.parametrize("shapes", [((3, 2), (3, 1)), ((3, 2), (2,)), ((4,), (4,))])
def test_refuses_shapes(shapes):
    """Samples and reconstructions of unequal shapes are refused: NumPy would broadcast them."""
    first, second = map(np.zeros, shapes)
    with pytest.raises(ValueError, match=r"both must be \(n, features\) and equal"):
        absolute(first, second)


def uniform(rows, features, seed):
    """Return a split of independent uniform rows."""
    return split_rows(np.random.default_rng(seed).random((rows, features)))


def test_constant_mean():
    """Every test sample is reconstructed as the mean of the training samples."""
    split = Split(np.array([[0.0, 0.2], [1.0, 0.4]]), np.zeros((3, 2)))
    np.testing.assert_allclose(constant_mean(split), np.tile([0.5, 0.3], (3, 1)), rtol=1e-6)


def test_pca_of_a_single_sample():
    """One training sample has no components and is the reconstruction of every test sample."""
    split = Split(np.array([[0.2, 0.4]], np.float32), np.array([[0.9, 0.9], [0.2, 0.4]], np.float32))
    np.testing.assert_allclose(pca(split, 1), [[0.2, 0.4], [0.2, 0.4]])


def test_pca_learns_from_the_training_samples_only():
    """Components come from the training samples: variation among the test samples alone is lost."""
    train = np.zeros((50, 2))
    train[:, 0] = np.linspace(0, 1, 50)
    split = Split(train, np.array([[0.3, 0.0], [0.3, 0.9]]))
    np.testing.assert_allclose(pca(split, 1), [[0.3, 0.0], [0.3, 0.0]], atol=1e-6)


@given(st.integers(1, 6), st.integers(0, 2**31))
def test_pca_with_all_components_is_perfect(features, seed):
    """As many components as features, or more, lose nothing; the result stays in [0, 1]."""
    split = uniform(40, features, seed)
    for components in (features, features + 3):
        reconstructions = pca(split, components)
        np.testing.assert_allclose(reconstructions, split.test, atol=1e-5)
        assert 0 <= reconstructions.min() <= reconstructions.max() <= 1


@given(st.integers(2, 6), st.integers(0, 2**31))
def test_more_components_are_no_worse(features, seed):
    """On the training samples each component lowers the squared error."""
    split = uniform(60, features, seed)
    on_train = Split(split.train, split.train)
    errors = [mean_squared(split.train, pca(on_train, k)).mean() for k in range(1, features + 1)]
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(errors))


@pytest.mark.slow
@given(experiments(activations=("linear",), output_activations=("linear",)), st.integers(0, 2**31), st.booleans())
@settings(max_examples=6)
def test_no_linear_autoencoder_beats_pca(experiment, seed, trained):
    """On its own training data, PCA of a linear autoencoder's narrowest width has no larger squared error."""
    experiment = replace(experiment, batch_size=10)
    split = uniform(60, experiment.features, seed)
    width = min(*experiment.encoder, *experiment.decoder)
    assume(width < experiment.features)
    autoencoder = build(experiment, seed)
    if trained:
        Fused(autoencoder, split, batch_size=10, seed=seed).train(20)
    error = mean_squared(split.train, Inference(autoencoder).reconstruct(split.train)).mean()
    centred = split.train - split.train.mean(axis=0)
    lost = np.square(np.linalg.svd(centred, compute_uv=False)[width:]).sum() / split.train.size  # Eckart-Young
    assert error >= lost * (1 - 1e-5)
