"""The gate tests itself: on one case at smoke a no-op passes, doubled work and a planted loss of accuracy do not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("autoenc-bench")


MOST = 4  # runs of each side


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Return a function (side, phase, plant, runs) that runs a case with something planted (docs/plants.py) so often.

    It gives the folder of the records, and keeps what was there.
    """
    folder = tmp_path_factory.mktemp("planted")

    def record(side, phase, plant, runs):
        storage = folder / side / phase / plant
        options = [f"benchmarks/test_{phase}.py", "--scale", "smoke", "--experiment", "digits", "-k", "fused"]
        options += ["--no-roofs", "--no-report", f"--benchmark-storage=file://{storage}"]
        while len(list(storage.rglob("*.json"))) < runs:
            subprocess.run(
                [sys.executable, "-m", "pytest", "-p", "plants", "-p", "no:cacheprovider", *options],
                cwd=ROOT,
                env={**os.environ, "PLANT": plant, "PYTHONPATH": str(ROOT / "docs")},
                stdout=subprocess.DEVNULL,
                check=True,
            )
        return storage

    return record


# An epoch at smoke compiles, so it takes seconds, which a busy machine seldom doubles; a whole experiment takes none.
@pytest.mark.parametrize(
    ("phase", "plant", "status", "said"),
    [
        ("epoch", "none", 0, ""),
        ("epoch", "doubled-work", 1, "time regressed in epoch[digits-fused]"),
        ("experiment", "none", 0, ""),
        ("experiment", "half-rate", 1, "error regressed in experiment[digits-fused]"),
    ],
)
def test_planted(planted, phase, plant, status, said):
    """What was planted is found by the real command, in what it changes, and nothing else is.

    One run of each side tells it on a quiet machine; on a busy one more of them do.
    """
    options = ["--fail-on", "time:900%"] if phase == "experiment" else []
    for runs in range(1, MOST + 1):
        sides = planted("base", phase, "none", runs), planted("head", phase, plant, runs)
        done = subprocess.run([COMMAND, "compare", *sides, *options], capture_output=True, text=True, check=False)
        if done.returncode == status:
            break
    assert done.returncode == status, done.stdout + done.stderr
    assert said in done.stdout
    assert done.stdout.count("regressed in") == bool(said)
