"""The gate tests itself: doubled work and a planted loss of accuracy are found, each in what it changes alone."""

import json
import subprocess
import sys

import pytest
from suite_runs import ROOT, run_suite

from autoenc_bench.gate.verdicts.intervals import ENOUGH

EPOCH, WHOLE = "epoch[digits-fused]", "experiment[digits-fused]"
ALIKE = ["unchanged", "undecided"]
MOST = 5  # runs of each side

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Return a function (plant, runs) that runs two cases with a plant (docs/studies/plants.py) until so many ran.

    It returns the folder of the records, and keeps what was there.
    """
    folder = tmp_path_factory.mktemp("planted")

    def record(plant, runs):
        place = folder / plant
        place.mkdir(exist_ok=True)
        options = [
            "--backend",
            "jax",
            "--experiment",
            "digits",
            "-k",
            "fused and (epoch or experiment)",
        ]
        options += ["-p", "plants", "-p", "pytest_benchmark.plugin", "--no-roofs", "--no-report"]
        environment = {"PLANT": plant, "PYTHONPATH": str(ROOT / "docs/studies"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        while len(list(place.rglob("*.json"))) < runs:
            run = run_suite(place, *options, **environment)
            assert run.status == pytest.ExitCode.OK, run.out
        return place / ".benchmarks"

    return record


def compare(planted, plant, expected, outcomes, *options):
    """Compare a plant with none by the real command; return what was judged, by case.

    Three runs of each side tell it on a quiet machine; on a busy one more do: until the command's status is that
    expected, and so is the outcome of the epoch's time.
    """
    for runs in range(ENOUGH, MOST + 1):
        sides = planted("none", runs), planted(plant, runs)
        command = [sys.executable, "-m", "autoenc_bench.cli", "compare", *sides, "--format", "json", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1, 3), done.stderr
        verdicts = {verdict["case"]: verdict for verdict in json.loads(done.stdout)["verdicts"]}
        if done.returncode == expected and verdicts[EPOCH]["time"]["outcome"] in outcomes:
            break
    assert done.returncode == expected, done.stdout + done.stderr
    assert verdicts[EPOCH]["time"]["outcome"] in outcomes, done.stdout
    return verdicts


def test_plants(planted):
    """Doubled work is found in the time of an epoch alone, a loss of accuracy in the error alone, where it matters."""
    # In one test, for runs at the same time on one pinned core would slow each other.
    verdicts = compare(planted, "doubled-work", 1, ["regressed"])
    assert verdicts[EPOCH]["time"]["ratio"] > 1.5
    assert verdicts[WHOLE]["error"]["outcome"] == "unchanged"
    assert [verdicts[WHOLE]["error"][name] for name in ("low", "ratio", "high")] == [1, 1, 1]
    verdicts = compare(planted, "half-rate", 1, ALIKE, "--fail-on", "digits:time:900%")
    assert verdicts[WHOLE]["error"]["outcome"] == "regressed"
    assert verdicts[WHOLE]["error"]["low"] > 1
    verdicts = compare(planted, "half-rate", 0, ALIKE, "--fail-on", "error:900%", "--fail-on", "time:900%")
    assert 0.5 < verdicts[EPOCH]["time"]["ratio"] < 2
