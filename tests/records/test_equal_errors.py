"""Statistics of errors at the edge of what a run can have written are read."""

import msgspec
import numpy as np
import recordings

from autoenc_bench.core.metrics import statistics
from autoenc_bench.records import loading


def test_equal_errors(tmp_path):
    """A case whose samples all have the same error has a standard deviation of 0, and is read."""
    error = msgspec.structs.replace(recordings.error(8.0, 0.1), absolute=statistics(np.full(100, 8.0)))
    assert error.absolute.std == 0
    entry = recordings.benchmark(recordings.whole("crude-simple", error=error), 1.0, rounds=1)
    source = loading.read(recordings.save(tmp_path, recordings.content(entries=[entry])))
    assert source.left_out == []
    assert len(source.cases) == 1
