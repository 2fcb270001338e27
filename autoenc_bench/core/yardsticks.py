"""What an error is held against: the constant mean, and PCA with as many components as the code has units."""

import numpy as np
from sklearn.decomposition import PCA

from autoenc_bench.core.data import Array, Split


def constant_mean(split: Split) -> Array:
    """Reconstruct every test sample as the mean training sample, shape (m, features)."""
    mean = split.train.mean(axis=0, dtype=np.float64).astype(np.float32)
    return np.broadcast_to(mean, split.test.shape)


def pca(split: Split, components: int) -> Array:
    """Reconstruct the test samples from their principal components, clipped to [0, 1], shape (m, features).

    The components are fitted on the training samples. There are never more than features or samples.
    """
    components = min(components, *split.train.shape)
    fitted = PCA(components, svd_solver="covariance_eigh").fit(split.train)
    reconstruction: Array = fitted.inverse_transform(fitted.transform(split.test))
    clipped: Array = np.clip(reconstruction, 0, 1, dtype=np.float32)
    return clipped
