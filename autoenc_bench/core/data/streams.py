"""Uniform rows that are drawn where they are needed and kept nowhere: each is a function of the seed and its number."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from keras import ops

from autoenc_bench.catalogue.experiments import MAX_STREAMED_ROWS
from autoenc_bench.core.data.split import Array, Split, check_slice, share
from autoenc_bench.core.seeds import generator
from autoenc_bench.exceptions import InvalidInputError

MOST_TEST_ROWS = 100_000  # as many as a million rows of uniform data leave for testing
TEST = 2**31  # the bit in the counter's other word that sets test rows apart from training rows
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA


def threefry(key: tuple[int, int], counter: tuple[Any, Any]) -> tuple[Any, Any]:
    """Encrypt two uint32 tensors, element by element, by Threefry-2x32 with 20 rounds.

    Equal keys and counters give equal words on every backend, in any order, on any number of workers (Salmon, Moraes,
    Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011).
    """
    keys = (*key, key[0] ^ key[1] ^ PARITY)
    one, two = counter[0] + np.uint32(keys[0]), counter[1] + np.uint32(keys[1])
    for turn in range(5):
        for rotation in ROTATIONS[turn % 2]:
            one = one + two
            left = ops.left_shift(two, np.uint32(rotation))
            two = ops.bitwise_xor(one, ops.bitwise_or(left, ops.right_shift(two, np.uint32(32 - rotation))))
        one = one + np.uint32(keys[(turn + 1) % 3])
        two = two + np.uint32((keys[(turn + 2) % 3] + turn + 1) % 2**32)
    return one, two


@dataclass(frozen=True, eq=False)
class Stream:
    """Training rows of independent uniform values, and a tenth as many test rows, by their numbers alone.

    There are at most 100,000 test rows, and they are never among the training rows, however many these are. Raises
    InvalidInputError when rows or features cannot be numbered.
    """

    rows: int
    features: int
    seed: int
    test_rows: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.rows <= MAX_STREAMED_ROWS:
            raise InvalidInputError(f"{self.rows} streamed rows; take 1 to {MAX_STREAMED_ROWS:,}")
        if not 1 <= self.features <= TEST:
            raise InvalidInputError(f"streamed rows of {self.features} features; take at least 1")

    @cached_property
    def key(self) -> tuple[int, int]:
        """Return the seed's two words."""
        one, two = generator(self.seed, "data").bit_generator.seed_seq.generate_state(2, np.uint32)
        return int(one), int(two)

    def draw(self, first: Any, rows: int, *, test: bool = False) -> Any:
        """Draw rows by their numbers, from ``first`` on (a uint32 scalar, also traced): a tensor (rows, features).

        Values are multiples of 2**-24 in [0, 1), float32. Each block of two words serves a column of the left half
        and one of the right half.
        """
        half = -(-self.features // 2)
        columns = np.arange(half, dtype=np.uint32) + np.uint32(TEST if test else 0)
        numbers = first + np.arange(rows, dtype=np.uint32)
        like = np.zeros((rows, half), np.uint32)
        words = threefry(self.key, (ops.expand_dims(numbers, 1) + like, columns + like))
        bits = ops.right_shift(ops.concatenate(words, axis=1)[:, : self.features], np.uint32(8))
        return ops.cast(ops.cast(bits, "int32"), "float32") * np.float32(2**-24)

    @cached_property
    def test(self) -> Array:
        """Return the test rows, shape (test_rows, features)."""
        return self._drawn(self.test_rows or -(-min(self.rows, 10 * MOST_TEST_ROWS) // 10), test=True)

    def sample(self) -> Split:
        """Return at most 100,000 of the training rows, and the test rows, for what must have them in memory."""
        return Split(self._drawn(min(self.rows, MOST_TEST_ROWS)), self.test)

    def head(self, rows: int, test_rows: int | None = None) -> "Stream":
        check_slice(rows, self.rows)
        return Stream(rows, self.features, self.seed, test_rows or share(len(self.test), rows, self.rows))

    def _drawn(self, rows: int, *, test: bool = False) -> Array:
        values: Array = np.asarray(ops.convert_to_numpy(self.draw(ops.cast(0, "uint32"), rows, test=test)))
        values.flags.writeable = False
        return values
