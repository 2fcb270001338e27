"""Options are checked before anything runs, and select the cases."""

import os
import re
from pathlib import Path

import pytest
from suite_runs import ROOT

from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.plugin import options

CASE_IDS = Path(__file__).parent / "data" / "case_ids.txt"


@pytest.fixture
def suite(monkeypatch, capfd):
    """Yield a function that runs pytest on the suite in this process: status, output, errors."""
    monkeypatch.chdir(ROOT)
    for name in ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.delenv("KERAS_BACKEND")

    def run(*arguments):
        status = pytest.main(["benchmarks", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", *arguments])
        return status, *capfd.readouterr()

    registered = set(EXPERIMENTS)
    yield run
    for name in EXPERIMENTS.keys() - registered:  # by --rows
        del EXPERIMENTS[name]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--experiment", "mnits"], "unknown experiment 'mnits'; choose from crude-simple, "),
        (["--scale", "huge"], "invalid choice: 'huge' (choose from "),
        (["--threads", "0"], "thread count '0'; choose 1 to "),
        (["--threads", "many"], "thread count 'many'; choose 1 to "),
        (["--baseline", "unknown"], "unknown: no such record; give a file, a folder, "),
        (["--baseline", "x", "--fail-on", "time"], "limit 'time'; give time, memory, error, counts with a share"),
        (["--fail-on", "time:5%"], "limit 'time:5%' without a baseline"),
        (["--seeds", "0"], "seeds '0'; give a whole number of at least 1"),
        (["--backend", "mxnet"], "invalid choice: 'mxnet' (choose from "),
        (["-m", "distributed"], "test_scaling.py needs several devices: --backend jax, and --devices N or"),
        (["--rows", "many"], "rows 'many'; give a whole number of at least 1"),
        (["--benchmark-timer", "time.time"], "timer 'time.time'; the suite has a clock of its own, so name none"),
        (["--benchmark-disable-gc"], "--benchmark-disable-gc is not allowed: real training"),
        (["--rows", "1"], "1 streamed rows; give 2 to 4,294,967,296"),
        (["--rows", "5", "--experiment", "mnist"], "rows 5 for no streamed experiment; choose from crude-simple-s"),
        (["--rows", "5", "--scale", "smoke"], "rows 5 with --scale smoke, which has sizes of its own"),
        (["--devices", "2"], "backend tensorflow trains on one device here; add --backend jax for several"),
        (["--num-processes", "1"], "number of processes '1'; give a whole number of at least 2"),
    ],
)
def test_bad_usage(suite, arguments, sentence):
    """Bad usage ends at once, with pytest's status for it and one sentence about what is accepted."""
    status, out, err = suite(*arguments)
    assert status == pytest.ExitCode.USAGE_ERROR
    assert sentence in err
    assert "Traceback" not in out + err


def test_unknown_backend(suite, monkeypatch):
    """A variable with an unknown backend is refused with the known ones."""
    monkeypatch.setenv("KERAS_BACKEND", "mxnet")
    status, _, err = suite()
    assert status == pytest.ExitCode.USAGE_ERROR
    assert "unknown backend 'mxnet'; choose from tensorflow, jax, torch" in err


def test_bug(suite, monkeypatch):
    """A bug in the plugin is an internal error of pytest, never a usage error."""
    monkeypatch.setattr(options.runtime, "parse", lambda *_: {}["constant mean"])
    status, out, err = suite()
    assert status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.USAGE_ERROR)
    assert "KeyError: 'constant mean'" in out + err


def collected(out):
    """List the ids of collected cases."""
    return re.findall(r"^benchmarks/\S+::\S+", out, re.MULTILINE)


def test_case_ids(suite):
    """Case ids are public names, and histories depend on them: none is removed or renamed."""
    status, out, _ = suite("--collect-only", "-q")
    assert status == 0
    assert collected(out) == CASE_IDS.read_text().split()


def test_rows(suite):
    """The option --rows sets the number of streamed rows, which is part of the case's name."""
    chosen = ("--experiment", "crude-simple-streamed", "--rows", "3_000", "-k", "experiment")
    _, out, _ = suite("--collect-only", "-q", *chosen)
    name = "test_experiment[crude-simple-streamed-3000-fused-seed0]"
    assert collected(out) == [f"benchmarks/test_experiment.py::{name}"]


def test_seeds_and_trainers(suite):
    """At scale notebook, whole experiments run with both trainers and, by default, three seeds."""
    chosen = ("--collect-only", "-q", "--experiment", "digits", "-k", "test_experiment", "--scale", "notebook")
    assert len(collected(suite(*chosen)[1])) == 6
    assert len(collected(suite(*chosen, "--seeds", "2")[1])) == 4
