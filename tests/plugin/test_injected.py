"""Doubled work and an injected loss of accuracy are found, each only in what it changes."""

import json
import os

import pytest
from suite_runs import ROOT, fork_suite

from autoenc_bench.cli import __main__ as cli
from autoenc_bench.verdicts.intervals import ENOUGH

EPOCH, WHOLE = "epoch[digits-fused]", "experiment[digits-fused]"
CHOSEN = ("--scale=smoke", "--experiment=digits", "-k", "fused and (epoch or experiment)", "--no-roofs", "--no-report")

# Time that passes when the fused trainer trains, and a little each time it is read.
TICKING = """
import injections
import pytest
from autoenc_bench.instruments import clock
from autoenc_bench.instruments import reference_workload as reference

now = 0.0

def perf_counter():
    global now
    now += 1e-5
    return now

def train(original, trainer, epochs, **options):
    global now
    now += 0.1 * epochs
    return original(trainer, epochs, **options)

@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop():  # before the hook of injections, which adds the work of the injected change
    clock.perf_counter = injections.perf_counter = perf_counter
    clock.CLOCK.__init__()
    reference.seconds = lambda: 0.01
    injections.wrap("autoenc_bench.core.training.Fused.train", train)
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def inject(tmp_path):
    """Return a function that runs two cases with an injected change of docs/studies/injections.py.

    It returns the folder of three records with slightly different times.
    """
    (tmp_path / "ticking.py").write_text(TICKING)

    def record(injection):
        folder = tmp_path / injection
        folder.mkdir()
        environment = {"INJECT": injection, "PYTHONPATH": os.pathsep.join([str(ROOT / "docs/studies"), str(tmp_path)])}
        run = fork_suite(folder, *CHOSEN, "-p", "injections", "-p", "ticking", **environment)
        assert run.status == pytest.ExitCode.OK, run.out
        content = json.loads(run.record.read_text())
        (folder / "runs").mkdir()
        for place in range(ENOUGH):
            for benchmark in content["benchmarks"]:
                benchmark["stats"]["data"] = [time * (1 + place / 1000) for time in benchmark["stats"]["data"]]
            (folder / "runs" / f"{place}.json").write_text(json.dumps(content))
        return str(folder / "runs")

    return record


def test_injected(inject, capsys):
    """Doubled work is found only in the time of an epoch, and a loss of accuracy only in the error."""

    def compare(head, expected, *options):
        assert cli.main(["compare", none, head, "--format", "json", *options]) == expected
        return {verdict["case"]: verdict for verdict in json.loads(capsys.readouterr().out)["verdicts"]}

    none, doubled, half = map(inject, ("none", "doubled-work", "half-rate"))
    verdicts = compare(doubled, 1)
    assert verdicts[EPOCH]["time"]["outcome"] == "regressed"
    assert verdicts[EPOCH]["time"]["ratio"] == pytest.approx(2, rel=0.01)
    assert verdicts[WHOLE]["error"]["outcome"] == "unchanged"
    assert [verdicts[WHOLE]["error"][name] for name in ("low", "ratio", "high")] == [1, 1, 1]
    verdicts = compare(half, 1)
    assert verdicts[WHOLE]["error"]["outcome"] == "regressed"
    assert verdicts[WHOLE]["error"]["low"] > 1
    verdicts = compare(half, 0, "--fail-on", "error:900%")
    assert verdicts[EPOCH]["time"]["outcome"] == "unchanged"
    assert verdicts[EPOCH]["time"]["ratio"] == pytest.approx(1, rel=0.01)
