"""What every test shares: Hypothesis without deadlines, child processes that may time, and one recorded smoke run."""

import os
import time

import pytest
from hypothesis import HealthCheck, settings
from suite_runs import SMOKE, SuiteRun, run_suite

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


@pytest.fixture(scope="session")
def smoke(request, tmp_path_factory) -> SuiteRun:
    """Run the suite once at smoke, an experiment of each kind, for whoever only reads what came out."""
    chosen = ("--scale", "smoke", "--benchmark-save=mine", *(f"--experiment={name}" for name in SMOKE))
    if not hasattr(request.config, "workerinput"):  # not under pytest-xdist
        return run_suite(tmp_path_factory.mktemp("smoke"), *chosen)
    folder = tmp_path_factory.getbasetemp().parent / "smoke"  # all workers' own
    try:
        folder.mkdir()
    except FileExistsError:
        until = time.monotonic() + 600
        while not (folder / "status").exists():
            assert time.monotonic() < until, "another worker's smoke run did not end"
            time.sleep(0.2)
        return SuiteRun(folder, int((folder / "status").read_text()), (folder / "out").read_text())
    run = run_suite(folder, *chosen)
    (folder / "out").write_text(run.out)
    (folder / "status.new").write_text(str(run.status))
    (folder / "status.new").rename(folder / "status")
    return run
