"""Several devices, and several processes, train as one does; and when one is gone the others end with a sentence."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autoenc_bench.catalogue.experiments import find
from autoenc_bench.distributed import runtime
from autoenc_bench.distributed.runtime import parse
from autoenc_bench.records import record as records
from autoenc_bench.records import storage

TESTS = Path(__file__).parents[1]
ROWS = 100_000


@pytest.fixture
def address():
    """Return an address that is free."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def team(rows, *options):
    """Start a process of a training."""
    command = [sys.executable, TESTS / "team.py", str(rows), *options]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def agree(process, devices, writes=True):
    """Wait for a process and hold it to what one device computes."""
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    found = json.loads(out.splitlines()[-1])
    assert (found["devices"], found["writes"]) == (devices, writes)
    assert (found["rows"], found["steps"]) == (ROWS, ROWS // 100)
    assert found["trained"] > 0.1
    assert max(found["loss"], found["val_loss"], found["weights"]) <= 1e-5


def test_four_devices():
    """Four virtual devices end an epoch with the losses and weights of one."""
    agree(team(ROWS, 4, "-", "-", "-"), 4)


def test_two_processes(address):
    """Two processes on loopback end an epoch with the losses and weights of one."""
    with team(ROWS, "-", address, 2, 1) as other:
        agree(team(ROWS, "-", address, 2, 0), 2)
        agree(other, 2, writes=False)


def suite(store, address, process, *options, **environment):
    """Start the suite as one of two processes."""
    arguments = ("--scale", "smoke", "--no-roofs", "--no-report", "-p", "no:cacheprovider", "--backend", "jax")
    joined = ("--coordinator", address, "--num-processes", 2, "--process-id", process)
    command = [sys.executable, "-m", "pytest", "benchmarks", *arguments, *joined, *options]
    return subprocess.Popen(
        [*map(str, command), f"--benchmark-storage=file://{store}"],
        cwd=TESTS.parent,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background inherit none
    )


def test_one_record(tmp_path, address):
    """Of two processes that run the suite the first writes the record, which says how many there were."""
    with suite(tmp_path, address, 1, "--experiment", "crude-simple") as other:
        first, _ = suite(tmp_path, address, 0, "--experiment", "crude-simple").communicate()
        second, _ = other.communicate()
    assert " passed" in first
    assert "process 0 writes the record" in second
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


@pytest.mark.parametrize(("killed", "by"), [(0, signal.SIGKILL), (1, signal.SIGKILL), (1, signal.SIGINT)])
def test_killed(tmp_path, address, killed, by):
    """When one process is ended the other ends at once, with a sentence that names it and without a record."""
    with suite(tmp_path, address, killed) as process, suite(tmp_path, address, 1 - killed) as other:
        for line in other.stdout:
            if "strong[crude-simple-devices1]" in line:
                break
        process.send_signal(by)
        began = time.monotonic()
        out, _ = other.communicate(timeout=60)
        process.communicate()
    assert time.monotonic() - began < 60
    assert f"process {killed} of 2 ended before the run did; no record was saved" in out
    assert "Traceback" not in out
    assert other.returncode == pytest.ExitCode.INTERRUPTED
    assert not list(tmp_path.rglob("*.json"))


def test_virtual_devices(tmp_path):
    """On virtual devices the suite says that its times are no measure, and the record that they were virtual."""
    command = [sys.executable, "-m", "pytest", "benchmarks", "--scale", "smoke", "--backend", "jax", "--devices", "2"]
    chosen = ["--experiment", "digits", "-p", "no:cacheprovider", f"--benchmark-storage=file://{tmp_path}"]
    options = ["--no-roofs", "--no-report"]
    done = subprocess.run([*command, *chosen, *options], cwd=TESTS.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "These devices are virtual, parts of one CPU" in done.stdout
    context = records.read(storage.newest(tmp_path)).autoenc.context
    assert (context["devices"], context["processes"], context["virtual_devices"]) == (2, 1, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("0", None, None, None), "devices '0'; give a whole number of at least 1"),
        (("two", None, None, None), "devices 'two'; give a whole number"),
        ((None, None, "2", None), "--num-processes and --process-id need --coordinator HOST:PORT"),
        ((None, "here", "2", "0"), "coordinator 'here'; give host and port"),
        ((None, "auto", "2", None), "--coordinator auto finds the processes itself"),
    ],
)
def test_refused(monkeypatch, options, said):
    """Options that cannot be get one sentence."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(ValueError, match=said):
        parse(*options)


def test_other_backend(monkeypatch):
    """Only JAX trains on several devices here."""
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert parse(None, None, None, None) is None
    with pytest.raises(LookupError, match="backend tensorflow trains on one device here; add --backend jax"):
        parse("2", None, None, None)


def test_cluster(monkeypatch):
    """With auto JAX finds the cluster itself."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert parse(None, runtime.DETECT, None, None).place == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--devices", "1"), "1 device in 1 process, and nothing to scale to; give --devices N or --coordinator"),
        (("--coordinator", "auto"), "JAX knows no cluster here (coordinator_address should be defined.); give --coord"),
    ],
)
def test_nothing_to_scale(options, said):
    """One device in one process is refused: there is nothing to measure; and so is a cluster that is none."""
    command = [sys.executable, "-m", "pytest", "benchmarks", "--backend", "jax", "--scale", "smoke", *options]
    done = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=False)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert said in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


FAILING = """
import os
from autoenc_bench.distributed import data_parallel

if os.environ["FAILS"] == "yes":
    data_parallel.Team.train = lambda *_, **__: 1 / 0
"""


def test_failed(tmp_path, address):
    """When a case fails in one process the others do not wait for it."""
    (tmp_path / "failing.py").write_text(FAILING)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    options = ("--experiment", "crude-simple", "-p", "failing")
    told = {}
    with ThreadPoolExecutor(2) as pool:
        for process, fails in enumerate(("no", "yes")):
            environment = {"FAILS": fails, "PYTHONPATH": path, "KERAS_BACKEND": "jax"}
            told[process] = pool.submit(suite(tmp_path, address, process, *options, **environment).communicate)
    assert "failed strong[crude-simple-devices1]: ZeroDivisionError" in told[1].result()[0]
    assert "process 1 of 2 ended before the run did; no record was saved" in told[0].result()[0]
    assert not list(tmp_path.rglob("*.json"))


def test_plan():
    """A plan has whole batches only, parted evenly, as many as asked for and as there are rows for."""
    from autoenc_bench.distributed.data_parallel import plan

    experiment = find("crude-simple")
    strong, weak = plan(experiment, 1_050, 4), plan(experiment, 1_050, 4, weak=True)
    assert (strong.experiment.batch_size, strong.steps, strong.rows) == (100, 10, 1_000)
    assert (weak.experiment.batch_size, weak.steps, weak.rows) == (400, 2, 800)
    assert plan(experiment, 10**6, 1, steps=7).rows == 700
    with pytest.raises(ValueError, match="a batch of 100 cannot be parted evenly among 3 devices"):
        plan(experiment, 1_000, 3)
    with pytest.raises(ValueError, match="a batch of 800 is more than the 700 rows at this scale"):
        plan(experiment, 700, 8, weak=True)
