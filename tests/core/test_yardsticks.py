"""The yardsticks are what they say, and no linear autoencoder beats PCA."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import experiments

from autoenc_bench.core.data import Split, split_rows
from autoenc_bench.core.metrics import mean_squared
from autoenc_bench.core.models import build
from autoenc_bench.core.training import Fused, Inference
from autoenc_bench.core.yardsticks import constant_mean, pca


def uniform(rows, features, seed):
    """Return a split of independent uniform rows."""
    return split_rows(np.random.default_rng(seed).random((rows, features)))


def test_constant_mean():
    """Every test sample is reconstructed as the mean of the training samples."""
    split = Split(np.array([[0.0, 0.2], [1.0, 0.4]]), np.zeros((3, 2)))
    np.testing.assert_allclose(constant_mean(split), np.tile([0.5, 0.3], (3, 1)), rtol=1e-6)


def test_pca_learns_from_the_training_samples_only():
    """Components come from the training samples: what varies only among test samples is lost."""
    train = np.zeros((50, 2))
    train[:, 0] = np.linspace(0, 1, 50)
    split = Split(train, np.array([[0.3, 0.0], [0.3, 0.9]]))
    np.testing.assert_allclose(pca(split, 1), [[0.3, 0.0], [0.3, 0.0]], atol=1e-6)


@given(st.integers(1, 6), st.integers(0, 2**31))
def test_pca_with_all_components_is_perfect(features, seed):
    """As many components as features, or more, lose nothing; the result stays in [0, 1]."""
    split = uniform(40, features, seed)
    for components in (features, features + 3):
        found = pca(split, components)
        np.testing.assert_allclose(found, split.test, atol=1e-5)
        assert 0 <= found.min() <= found.max() <= 1


@given(st.integers(2, 6), st.integers(0, 2**31))
def test_more_components_are_no_worse(features, seed):
    """On the training samples each component lowers the squared error."""
    split = uniform(60, features, seed)
    on_train = Split(split.train, split.train)
    errors = [mean_squared(split.train, pca(on_train, k)).mean() for k in range(1, features + 1)]
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(errors))


@given(experiments(activations=("linear",), output_activations=("linear",)), st.integers(0, 2**31), st.booleans())
@settings(max_examples=10)
def test_no_linear_autoencoder_beats_pca(experiment, seed, trained):
    """A linear autoencoder has no smaller squared error on its own training data than PCA of its narrowest width."""
    experiment = replace(experiment, batch_size=10)
    split = uniform(60, experiment.features, seed)
    width = min(*experiment.encoder, *experiment.decoder)
    assume(width < experiment.features)
    autoencoder = build(experiment, seed)
    if trained:
        Fused(autoencoder, split, batch_size=10, seed=seed).train(20)
    found = mean_squared(split.train, Inference(autoencoder).reconstruct(split.train)).mean()
    centred = split.train - split.train.mean(axis=0)
    lost = np.square(np.linalg.svd(centred, compute_uv=False)[width:]).sum() / split.train.size  # Eckart-Young
    assert found >= lost * (1 - 1e-5)
