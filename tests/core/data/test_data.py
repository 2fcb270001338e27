"""Data depend on the seed, are float32, read-only and in [0, 1]; a split is a partition of the rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import samples

from autoenc_bench.core.data import mnist, sources
from autoenc_bench.core.data.split import Split


def rows_of(values):
    """Return the rows as a sorted list of tuples."""
    return sorted(map(tuple, values.tolist()))


@given(samples(2, 40))
def test_a_split_is_a_partition(values):
    """Every row goes to train or to test, a tenth (rounded up) to test."""
    split = sources.split_rows(values)
    assert rows_of(np.concatenate([split.train, split.test])) == rows_of(values)
    assert len(split.test) == -(-len(values) // 10)


@given(st.integers(0, 2**31), st.integers(2, 50), st.integers(1, 5))
def test_uniform_is_seeded(seed, rows, features):
    """The same seed gives the same rows, another seed gives others."""
    first, again = (sources.load("uniform", rows=rows, features=features, seed=seed) for _ in range(2))
    other = sources.load("uniform", rows=rows, features=features, seed=seed + 1)
    np.testing.assert_array_equal(first.train, again.train)
    np.testing.assert_array_equal(first.test, again.test)
    assert not np.array_equal(first.train, other.train)


@pytest.mark.parametrize(("name", "rows", "features"), [("uniform", 1_000, 3), ("digits", 1_797, 64)])
def test_arrays(name, rows, features):
    """Arrays are float32, two-dimensional, in [0, 1], cannot be written to, and hold a tenth for testing."""
    split = sources.load(name, rows=rows, features=features, seed=0)
    for part in (split.train, split.test):
        assert part.dtype == np.float32
        assert part.shape[1] == features
        assert 0 <= part.min() <= part.max() <= 1
        with pytest.raises(ValueError, match="read-only"):
            part[0, 0] = 0
    assert len(split.train) + len(split.test) == rows
    assert len(split.test) == -(-rows // 10)


@given(samples(2, 40), st.data())
def test_head(values, draw):
    """A slice takes the first rows of both parts, at least one of each."""
    split = sources.split_rows(values)
    rows = draw.draw(st.integers(1, len(split.train)))
    head = split.head(rows)
    np.testing.assert_array_equal(head.train, split.train[:rows])
    assert 1 <= len(head.test) <= len(split.test)
    np.testing.assert_array_equal(head.test, split.test[: len(head.test)])


@pytest.mark.parametrize("rows", [0, -1, 91])
def test_head_refuses(rows):
    """A slice that is empty or longer than the data is refused."""
    split = sources.split_rows(np.zeros((100, 2)))
    with pytest.raises(ValueError, match=f"slice of {rows} rows; there are 90"):
        split.head(rows)


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.01, 1.01])
def test_refuses_values_out_of_range(value):
    """NaN and values out of [0, 1] are refused; the error names their row and column."""
    values = np.full((20, 3), 0.5)
    values[7, 2] = value
    with pytest.raises(ValueError, match=r"train data holds .* at row 7, column 2; values must be finite"):
        Split(values, np.zeros((1, 3)))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3,), (2, 2, 2)])
def test_refuses_shapes(shape):
    """Data that are empty or not two-dimensional are refused."""
    with pytest.raises(ValueError, match="needs at least one row and one column"):
        Split(np.zeros((2, 2)), np.zeros(shape))


def test_load_refuses():
    """Unknown data, too few rows and sizes that the data do not have are refused."""
    with pytest.raises(LookupError, match="unknown data 'cifar'; choose from uniform, stream, digits, mnist"):
        sources.load("cifar", rows=10, features=2, seed=0)
    with pytest.raises(ValueError, match="1 rows of 2 features cannot be split"):
        sources.load("uniform", rows=1, features=2, seed=0)
    with pytest.raises(ValueError, match="digits data has 1797 rows of 64; asked for 2000 of 64"):
        sources.load("digits", rows=2_000, features=64, seed=0)


def test_register(monkeypatch):
    """Registered data are loaded by name, and another source cannot have the same name."""
    monkeypatch.setattr(sources, "SOURCES", dict(sources.SOURCES))

    def zeros(rows, features, _seed):
        return sources.split_rows(np.zeros((rows, features)))

    sources.register("zeros", zeros)
    sources.register("zeros", zeros)
    assert sources.load("zeros", rows=10, features=2, seed=0).train.shape == (9, 2)
    with pytest.raises(ValueError, match="'zeros' has a source already"):
        sources.register("zeros", sources.uniform)


def test_mnist_images(monkeypatch):
    """MNIST's bytes become values in [0, 1]; fewer rows keep six train images per test image."""
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (rows, 784), dtype=np.uint8) for rows in (600, 100)]
    monkeypatch.setattr(mnist, "images", lambda: images)
    whole = sources.load("mnist", rows=700, features=784, seed=0)
    np.testing.assert_array_equal(np.rint(whole.train * 255), images[0])
    part = sources.load("mnist", rows=70, features=784, seed=0)
    assert (len(part.train), len(part.test)) == (60, 10)
