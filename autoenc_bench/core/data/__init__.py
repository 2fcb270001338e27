"""Named, seeded data as read-only float32 arrays, split into train and test."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from autoenc_bench import backends
from autoenc_bench.core.data import mnist
from autoenc_bench.core.data.split import Split
from autoenc_bench.core.seeds import generator
from autoenc_bench.exceptions import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from autoenc_bench.core.data.streams import Stream


def split_rows(values: NDArray[Any]) -> Split:
    """Split like the notebook: a tenth for testing, shuffled with ``random_state=42``."""
    return Split(*train_test_split(values, test_size=0.1, random_state=42))


def uniform(rows: int, features: int, seed: int) -> Split:
    """Draw independent uniform values, shape (rows, features), and split them."""
    return split_rows(generator(seed, "data").random((rows, features), dtype=np.float32))


def digits(rows: int, features: int, seed: int) -> Split:  # noqa: ARG001 - real data know no seed
    """Take scikit-learn's bundled 8 x 8 digits, scaled from 0..16 to [0, 1], and split them."""
    values = load_digits().data / 16
    _check_size("digits", rows, features, values.shape)
    return split_rows(values[:rows])


def mnist_images(rows: int, features: int, seed: int) -> Split:  # noqa: ARG001 - real data know no seed
    """Take MNIST's own 60,000 train and 10,000 test images, scaled from 0..255 to [0, 1] and flattened.

    Fewer rows keep the ratio of train to test. Raises NotFoundError when no source has the images.
    """
    train, test = mnist.images()
    available = len(train) + len(test)
    _check_size("mnist", rows, features, (available, train.shape[1]))
    whole = Split(*(part.astype(np.float32) / np.float32(255) for part in (train, test)))
    return whole.head(round(rows * len(train) / available))


def stream(rows: int, features: int, seed: int) -> "Stream":
    """Return ``rows`` training rows of independent uniform values that are drawn as they are needed.

    Raises NotFoundError on PyTorch, whose words of 32 bits are not whole in Keras, and which compiles no program here.
    """
    if backends.name() == "torch":
        raise NotFoundError("streamed rows are drawn by a compiled program, and torch runs none here")
    from autoenc_bench.core.data.streams import Stream  # here, for it loads Keras

    return Stream(rows, features, seed)


def _check_size(name: str, rows: int, features: int, shape: tuple[int, int]) -> None:
    if rows > shape[0] or features != shape[1]:
        raise InvalidInputError(f"{name} data has {shape[0]} rows of {shape[1]}; asked for {rows} of {features}")


Source = Callable[[int, int, int], "Split | Stream"]
SOURCES: dict[str, Source] = {"uniform": uniform, "stream": stream, "digits": digits, "mnist": mnist_images}


def register(name: str, source: Source) -> None:
    """Add a source of data, (rows, features, seed) -> Split; raise InvalidInputError when another has the name."""
    if SOURCES.setdefault(name, source) is not source:
        raise InvalidInputError(f"data {name!r} has a source already; choose another name")


def check(name: str) -> None:
    """Raise NotFoundError for data without a source."""
    if name not in SOURCES:
        own = "or add your own with autoenc_bench.register_data"
        raise NotFoundError(f"unknown data {name!r}; choose from {', '.join(SOURCES)}, {own}")


def load(name: str, *, rows: int, features: int, seed: int) -> "Split | Stream":
    """Return the named data, the same for the same seed.

    Raises NotFoundError for a name without a source and for data that cannot be had here, InvalidInputError when the
    data do not have that many rows and features.
    """
    check(name)
    if rows < 2 or features < 1:
        raise InvalidInputError(f"{rows} rows of {features} features cannot be split; take at least 2 rows of 1")
    return SOURCES[name](rows, features, seed)
