"""Several devices, in several processes, train as one does; a run of the suite on them leaves one record or none."""

import numpy as np
import pytest
from members import finish, free_address, read, start, start_member

from autoenc_bench.catalogue.experiments import find
from autoenc_bench.core.data.split import Split
from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records import record as records
from autoenc_bench.records import storage

pytestmark = pytest.mark.slow


def start_suite(store, address, process, *options, **environment):
    """Start the suite as one of two processes."""
    joined = ("--coordinator", address, "--num-processes", 2, "--process-id", process, "--experiment", "crude-simple")
    rest = ("--backend", "jax", "--scale", "smoke", "--no-roofs", "--no-report", "-p", "no:cacheprovider")
    storing = f"--benchmark-storage=file://{store}"
    return start("-m", "pytest", "benchmarks", *joined, *rest, storing, *options, **environment)


def test_same_arithmetic():
    """Four devices of two processes end an epoch with the losses and weights of one device."""
    address = free_address()
    members = [start_member(2, address, 2, one, then="train") for one in (0, 1)]
    for process, (status, out) in enumerate(finish(*members)):
        assert status == 0, out
        outcome = read(out)[-1]
        assert outcome["counts"] == [1, 2, 4]
        assert outcome["writes"] == (process == 0)
        assert outcome["context"] == {"devices": 4, "processes": 2, "virtual_devices": True}
        assert outcome["moved"] > 0.005
        assert len(outcome["differences"]) == 3
        assert max(outcome["differences"]) <= 1e-5
        assert (outcome["strong"], outcome["weak"]) == ([10, 1_000], [5, 1_000])


def test_one_record(tmp_path):
    """Of two processes that run the suite the first writes the record, which says how many there were."""
    address = free_address()
    (first, out), (second, other_out) = finish(*(start_suite(tmp_path, address, one) for one in (0, 1)))
    assert (first, second) == (0, 0), out
    assert "process 0 writes the record" in other_out
    record = records.read(storage.newest(tmp_path))
    assert len(list(tmp_path.rglob("*.json"))) == 1
    context = record.autoenc.context
    assert (context["devices"], context["processes"], context["virtual_devices"]) == (2, 2, False)
    assert {benchmark.name for benchmark in record.benchmarks} == {
        *(f"test_{kind}[crude-simple-devices{count}]" for kind in ("strong", "weak") for count in (1, 2)),
        "test_all_reduce[crude-simple-devices2]",
    }
    for case, _ in record.timed():
        assert case.devices in (1, 2)
        assert case.steps > 1


FAILING = """
import os

from autoenc_bench.machine import reference

if os.environ["FAILS"] == "yes":
    reference.seconds = lambda: 1 / 0
"""


def test_failed(tmp_path):
    """When a case fails in one process the other ends as well, and neither saves a record."""
    (tmp_path / "failing.py").write_text(FAILING)
    address = free_address()
    options = ("-p", "failing", "-k", "strong and devices2")
    (other, other_out), (failed, out) = finish(
        *(
            start_suite(tmp_path, address, one, *options, PYTHONPATH=str(tmp_path), KERAS_BACKEND="jax", FAILS=fails)
            for one, fails in enumerate(("no", "yes"))
        )
    )
    assert (other, failed) == (1, 1), other_out + out
    assert "failed strong[crude-simple-devices2]: ZeroDivisionError" in out
    assert "failed strong[crude-simple-devices2]: jax.errors.JaxRuntimeError" in other_out
    for one in (out, other_out):
        assert "the distributed run did not come to its end, so no record was saved" in one
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    ("rows", "devices", "weak", "sentence"),
    [
        (1_000, 3, False, "a batch of 100 cannot be parted evenly among 3 devices"),
        (700, 8, True, "a batch of 800 is more than the 700 rows at this scale"),
    ],
)
def test_batch(rows, devices, weak, sentence):
    """A batch that cannot be parted evenly, and one for which there are not enough rows, are refused."""
    from autoenc_bench.distributed.data_parallel import DataParallelTrainer

    values = np.zeros((rows, 32), np.float32)
    with pytest.raises(InvalidInputError, match=sentence):
        DataParallelTrainer(find("crude-simple"), Split(values, values), [None] * devices, weak)
