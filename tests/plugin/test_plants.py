"""The gate tests itself: doubled work and a planted loss of accuracy are found, each in what it changes alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from suite_runs import ROOT, run_suite

from autoenc_bench.gate.verdicts.intervals import ENOUGH

EPOCH, WHOLE = "epoch[digits-fused]", "experiment[digits-fused]"
ALIKE = ["unchanged", "undecided"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Return a function that runs two cases with a plant (docs/studies/plants.py), as often as a verdict needs.

    Their clock passes by the work that is done (worktime.py). It returns the folder of the records, and keeps them.
    """
    folder = tmp_path_factory.mktemp("planted")
    options = ["--backend", "jax", "--experiment", "digits", "-k", "fused and (epoch or experiment)"]
    options += ["-p", "plants", "-p", "worktime", "-p", "pytest_benchmark.plugin", "--no-roofs", "--no-report"]
    paths = os.pathsep.join(str(path) for path in (ROOT / "docs/studies", Path(__file__).parent))
    environment = {"PYTHONPATH": paths, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def record(plant):
        place = folder / plant
        if not place.exists():
            place.mkdir()
            for number in range(ENOUGH):
                run = run_suite(place, *options, PLANT=plant, RUN=f"{plant} {number}", **environment)
                assert run.status == pytest.ExitCode.OK, run.out
        return place / ".benchmarks"

    return record


def compare(planted, plant, expected, outcomes, *options):
    """Compare a plant with none by the real command, which is to end with this status; return verdicts by case.

    ``outcomes`` are those that the epoch's time may have.
    """
    command = [sys.executable, "-m", "autoenc_bench.cli", "compare", planted("none"), planted(plant)]
    done = subprocess.run([*command, "--format", "json", *options], capture_output=True, text=True, check=False)
    assert done.returncode == expected, done.stdout + done.stderr
    verdicts = {verdict["case"]: verdict for verdict in json.loads(done.stdout)["verdicts"]}
    assert verdicts[EPOCH]["time"]["outcome"] in outcomes, done.stdout
    return verdicts


def test_plants(planted):
    """Doubled work is found in the time of an epoch alone, a loss of accuracy in the error alone, where it matters."""
    verdicts = compare(planted, "doubled-work", 1, ["regressed"])
    assert verdicts[EPOCH]["time"]["ratio"] == pytest.approx(2, rel=0.02)
    assert verdicts[WHOLE]["error"]["outcome"] == "unchanged"
    assert [verdicts[WHOLE]["error"][name] for name in ("low", "ratio", "high")] == [1, 1, 1]
    verdicts = compare(planted, "half-rate", 1, ALIKE, "--fail-on", "digits:time:900%")
    assert verdicts[WHOLE]["error"]["outcome"] == "regressed"
    assert verdicts[WHOLE]["error"]["low"] > 1
    verdicts = compare(planted, "half-rate", 0, ALIKE, "--fail-on", "error:900%", "--fail-on", "time:900%")
    assert verdicts[EPOCH]["time"]["ratio"] == pytest.approx(1, rel=0.02)
