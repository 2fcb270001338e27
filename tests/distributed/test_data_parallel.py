"""Several devices in several processes train as one device does; a run of the suite writes one record or none."""

import re

import numpy as np
import pytest
from members import PROGRAM, finish, free_address, read, start
from suite_runs import QUICK, TIMING

from autoenc_bench.catalogue.experiments import find
from autoenc_bench.core.data.split import Split
from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records import loading, storage

pytestmark = pytest.mark.slow


def run_suite(store, *options, fails=("no", "no")):
    """Run the suite in two processes, which may fail; return the status and the output of each."""
    address = free_address()
    joined = ("--coordinator", address, "--num-processes", 2, "--process-id")
    chosen = ("--experiment", "crude-simple", "--backend", "jax", "--scale", "smoke", "--no-roofs", "--no-report")
    plugins = ("-p", "no:cacheprovider", *TIMING, "-p", "witness")
    environment = {**QUICK, "PYTHONPATH": str(PROGRAM.parent)}
    common = ("-m", "pytest", "benchmarks", *chosen, *plugins, f"--benchmark-storage=file://{store}", *options)
    return finish(*(start(*common, *joined, process, **environment, FAILS=fails[process]) for process in (0, 1)))


@pytest.fixture(scope="module")
def ended(shared):
    """Return how two processes with two devices each ended, and the folder of their record."""
    store, ended = shared(
        "distributed", lambda store: run_suite(store, "--devices", 2, "-k", "devices4 or (strong and devices1)")
    )
    return ended, store


def test_same_arithmetic(ended):
    """Four devices of two processes end an epoch with the losses and weights of one device."""
    for status, out in ended[0]:
        assert status == 0, out
        seen = read(out)[-1]
        assert seen["moved"] > 0.005
        assert len(seen["differences"]) == 3
        assert max(seen["differences"]) <= 1e-5


def test_one_record(ended):
    """The first of two processes writes the record, which has the number of devices."""
    ((first, out), (second, other_out)), store = ended
    assert (first, second) == (0, 0), out + other_out
    assert "process 0 writes the record" in other_out
    record = loading.read_record(storage.newest(store)).record
    assert len(list(store.rglob("*.json"))) == 1
    context = record.autoenc.context
    assert (context["devices"], context["processes"], context["virtual_devices"]) == (4, 2, True)
    assert set(read(out)[-1]["cases"]) == {
        *(f"test_{kind}[crude-simple-devices{count}]" for kind in ("strong", "weak") for count in (1, 2, 4)),
        *(f"test_all_reduce[crude-simple-devices{count}]" for count in (2, 4)),
    }
    cases = {benchmark.name: benchmark.extra_info.autoenc for benchmark in record.benchmarks}
    assert {name: (case.devices, case.steps, case.rows) for name, case in cases.items()} == {
        "test_strong[crude-simple-devices1]": (1, 18, 1_800),
        "test_strong[crude-simple-devices4]": (4, 18, 1_800),
        "test_weak[crude-simple-devices4]": (4, 4, 1_600),
        "test_all_reduce[crude-simple-devices4]": (4, 200, 1),
    }


def test_failed(tmp_path):
    """When a case fails in one process, the other one ends too, and neither saves a record."""
    (other, other_out), (failed, out) = run_suite(tmp_path, "-k", "all_reduce", fails=("no", "yes"))
    assert (other, failed) == (1, 1), other_out + out
    assert "failed all_reduce[crude-simple-devices2]: ZeroDivisionError" in out
    # JAX raises a ValueError or an error of its own, depending on what it does at that moment.
    assert re.search(r"failed all_reduce\[crude-simple-devices2\]: [\w.]+: UNKNOWN: Gloo", other_out)
    for output in (out, other_out):
        assert "the distributed run did not come to its end, so no record was saved" in output
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    ("rows", "devices", "weak", "message"),
    [
        (1_000, 3, False, "a batch of 100 cannot be divided evenly among 3 devices"),
        (700, 8, True, "a batch of 800 is more than the 700 rows at this scale"),
    ],
)
def test_batch(rows, devices, weak, message):
    """A batch that does not divide evenly, and a batch with more rows than the data, are refused."""
    from autoenc_bench.distributed.data_parallel import DataParallelTrainer

    values = np.zeros((rows, 32), np.float32)
    with pytest.raises(InvalidInputError, match=message):
        DataParallelTrainer(find("crude-simple"), Split(values, values), [None] * devices, weak)
