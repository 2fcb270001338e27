"""Shared by all tests: Hypothesis without deadlines, child processes that can time, and recorded runs."""

import fcntl
import json
import os
import shutil

import pytest
from hypothesis import HealthCheck, settings
from suite_runs import SMOKE, SuiteRun, fork_suite, run_suite

from autoenc_bench.machine import conditions

# The first example of a shape compiles.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(scope="session", autouse=True)
def without_xdist():
    """Hide pytest-xdist from the processes that tests start: under it pytest-benchmark times nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PYTEST_XDIST")]:
            patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch):
    """Let commands find nothing that makes times unsteady, even if other programs run beside the tests."""
    nothing = conditions.Preflight(None, None, None, None, None, None, None)
    monkeypatch.setattr(conditions, "preflight", lambda *_: nothing)


@pytest.fixture(scope="session")
def shared(request, tmp_path_factory):
    """Return a function (name, make) -> a folder that ``make`` filled once for all workers, and its return value.

    The value must be plain JSON. While one worker runs ``make``, the others wait until it is done or has ended.
    """
    base = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):  # under pytest-xdist each worker has a folder within one
        base = base.parent

    def shared(name, make):
        folder, returned = base / f"shared-{name}", base / f"shared-{name}.json"
        with (base / f"shared-{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not returned.exists():
                shutil.rmtree(folder, ignore_errors=True)  # another worker may have failed
                folder.mkdir()
                returned.write_text(json.dumps(make(folder)))
        return folder, json.loads(returned.read_text())

    return shared


@pytest.fixture(scope="session")
def run_once(shared):
    """Return a function (name, make) -> the run that ``make`` made in a folder, once for all workers."""

    def run_once(name, make):
        def made(folder):
            run = make(folder)
            return run.status, run.out

        folder, (status, out) = shared(name, made)
        return SuiteRun(folder, status, out)

    return run_once


@pytest.fixture(scope="session")
def smoke(run_once) -> SuiteRun:
    """Run the suite once at scale smoke, with an experiment of each kind, for all tests that read its results."""
    chosen = ("--scale", "smoke", "--benchmark-save=mine", *(f"--experiment={name}" for name in SMOKE))
    return run_once("smoke", lambda folder: run_suite(folder, *chosen))


@pytest.fixture(scope="session")
def fused(run_once) -> SuiteRun:
    """Run one experiment's fused cases and its build once with JAX; the folder ``why`` has what explains them."""
    chosen = ("--threads=1", "--scale=smoke", "--experiment=digits", "-k", "fused or build")
    chosen += ("--no-roofs", "--no-report")
    run = run_once("fused", lambda folder: fork_suite(folder, *chosen, f"--explain={folder / 'why'}"))
    assert run.status == 0, run.out
    return run
