"""Data in memory: training rows and test rows, checked once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoenc_bench.exceptions import InvalidInputError

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Split:
    """Training rows, shape (n, features), and test rows, shape (m, features): values in [0, 1].

    An ``Array`` is a NumPy array of float32, here read-only. Other numbers are converted.

    Raises InvalidInputError when a part is empty, is not two-dimensional, or holds NaN or a value out of [0, 1]:
    neither binary cross-entropy nor a sigmoid output allows these.
    """

    train: Array
    test: Array

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            object.__setattr__(self, part, _checked(getattr(self, part), part))

    @property
    def rows(self) -> int:
        return len(self.train)

    def sample(self) -> "Split":
        """Return itself, because its rows are in memory; ``Stream.sample`` draws some of its rows."""
        return self

    def head(self, rows: int, test_rows: int | None = None) -> "Split":
        """Return the first rows, with at most ``test_rows`` test rows. The default is an equal share of the test rows.

        Raises InvalidInputError when the slice is empty or longer than the data.
        """
        check_slice(rows, self.rows)
        return Split(self.train[:rows], self.test[: test_rows or share(len(self.test), rows, self.rows)])


def share(test_rows: int, rows: int, available: int) -> int:
    """Return how many test rows belong to a slice of training rows: an equal share, rounded up."""
    return -(-test_rows * rows // available)


def check_slice(rows: int, available: int) -> None:
    """Raise InvalidInputError when a slice is empty or longer than the data."""
    if not 1 <= rows <= available:
        raise InvalidInputError(f"slice of {rows} rows; there are {available}, ask for 1 to that many")


def _checked(values: NDArray[Any], part: str) -> Array:
    values = np.asarray(values, dtype=np.float32)
    if values.ndim != 2 or not values.size:
        raise InvalidInputError(f"{part} data has shape {values.shape}; it needs at least one row and one column")
    if not (values.min() >= 0 and values.max() <= 1):  # also false for NaN
        row, column = np.argwhere(~((values >= 0) & (values <= 1)))[0]
        place = f"{part} data holds {values[row, column]} at row {row}, column {column}"
        raise InvalidInputError(f"{place}; values must be finite and within [0, 1], so scale or clean them first")
    values = values.view()
    values.flags.writeable = False
    return values
