"""The suite itself, run as users run it."""

import json
import re
import sys
from collections import Counter

import msgspec
import pytest
import pytest_benchmark.cli
from suite_runs import ROOT, SMOKE, fork_suite

from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.records import loading

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recorded(smoke):
    """Return the record of the smoke run, which passed."""
    assert smoke.status == 0, smoke.out
    return loading.read_record(smoke.record).record


@pytest.fixture(scope="module")
def cases(recorded):
    """Return the cases in that record."""
    return [benchmark.extra_info.autoenc for benchmark in recorded.benchmarks]


def test_every_experiment_in_every_phase(cases):
    """Each experiment has the same cases: all phases, both trainers, batches of many rows and of one."""
    count = Counter(case.experiment for case in cases)
    phases = Counter(case.phase for case in cases if case.experiment == "crude-simple")
    assert phases == {
        "build": 1,
        "first_call": 2,
        "data": 1,
        "epoch": 2,
        "untouched_fit": 1,
        "encode": 2,
        "decode": 2,
        "reconstruct": 2,
        "score": 1,
        "experiment": 1,
    }
    for name in SMOKE:
        missing = 3 * EXPERIMENTS[name].is_streamed  # what fit cannot train on
        assert count[name] == sum(phases.values()) - missing, name


def test_experiments_are_scored(cases):
    """Each whole experiment has its errors, reference values, curve and first sample beside its time."""
    wholes = [case for case in cases if case.phase == "experiment"]
    assert len(wholes) == len(SMOKE)
    for case in wholes:
        assert case.error.yardsticks.keys() == {"constant mean", "PCA"}
        assert len(case.curve) == case.epochs == min(2, EXPERIMENTS[case.experiment].epochs)
        assert case.val_loss == case.curve[-1].val_loss
        assert len(case.sample.original) == len(case.sample.reconstruction) == EXPERIMENTS[case.experiment].features


def test_record(smoke, recorded):
    """The record has its given name, raw rounds and a block of the suite, but no host name, and is small."""
    path = smoke.record
    assert path.name == "0001_mine.json"
    assert path.stat().st_size + path.with_suffix(".npz").stat().st_size < 5_000_000
    assert all(benchmark.stats.data for benchmark in recorded.benchmarks)
    assert recorded.autoenc.scale == "smoke"
    assert recorded.autoenc.context["threads"] == 1
    assert re.fullmatch("[0-9a-f]{12}", recorded.autoenc.machine.id)
    assert recorded.autoenc.machine.cpu
    assert None not in msgspec.structs.astuple(recorded.autoenc.roofs)
    raw = json.loads(path.read_text())
    assert raw["machine_info"]["node"] is None
    assert "hz_actual" not in raw["machine_info"]["cpu"]
    assert "UNSERIALIZABLE" not in path.read_text()


def test_what_stands_beside_the_times(recorded):
    """Each round has its reference workload, each case its memory, and training and inference a roof."""
    bounds = {}
    for benchmark in recorded.benchmarks:
        case = benchmark.extra_info.autoenc
        assert len(case.reference) == len(case.cpu) == benchmark.stats.rounds
        assert (case.set_up is not None) == (case.trainer == "fit" and case.phase != "untouched_fit")
        assert case.memory.before > 2**20
        assert case.memory.peak is None or case.memory.peak >= 0.9 * case.memory.before
        if bound := benchmark.bound(recorded.autoenc.roofs):
            bounds.setdefault(case.phase, []).append(bound)
    assert set(bounds) == {"epoch", "experiment", "encode", "decode", "reconstruct"}
    # Other programs may have slowed the machine down while its roofs were measured; a wrong unit is off by more.
    assert all(0 < efficiency < 10 for phase in bounds.values() for _, efficiency in phase)


def test_pictures(smoke):
    """The pictures of experiments on images are in a file beside the record."""
    pictures = loading.read_record(smoke.record).pictures
    assert {f"digits-fused-seed0/{name}" for name in ("first", "best", "worst")} <= set(pictures)
    assert pictures["digits-fused-seed0/best"].shape == (2, 10, 64)


def test_screen(smoke, cases):
    """The terminal shows what happens, each case with its figures, one table, and the paths of record and report."""
    lines, place = smoke.out.splitlines(), 0
    for words in (
        "; loading Keras",
        "estimated time of the ",
        "each line: ",
        " left  ",
        "drawing the report",
        "Warning: ",
    ):
        place = smoke.out.index(words, place)
    sentences = smoke.out[place : smoke.out.index("record: ")]
    assert max(map(len, sentences.splitlines())) <= 100
    rated = [line for line in lines if line.startswith("[") and "rows/s" in line]
    assert len(rated) == sum(case.rows > 1 for case in cases)
    assert "scale smoke, 1 seed, tensorflow " in smoke.out
    for name in SMOKE:
        rows = [line for line in lines if line.startswith(f"{name} ") and "±" in line]
        assert rows, name
        assert ("×" in rows[0]) != EXPERIMENTS[name].is_streamed  # which has no fit beside it
    assert f"record: {smoke.record.relative_to(smoke.folder)}" in smoke.out
    assert "report: reports/index.html" in smoke.out
    assert (smoke.folder / "reports" / "index.html").stat().st_size > 100_000


@pytest.mark.parametrize(
    ("command", "message"), [("compare", "test_epoch[crude-simple-fused]"), ("list", "0001_mine.json")]
)
def test_pytest_benchmarks_own_commands(smoke, capsys, monkeypatch, command, message):
    """pytest-benchmark's command line reads the records."""
    monkeypatch.setattr(sys, "argv", ["pytest-benchmark", f"--storage=file://{smoke.record.parent.parent}", command])
    monkeypatch.chdir(smoke.folder)  # because it reads the conftest.py of the current folder
    pytest_benchmark.cli.main()
    assert message in capsys.readouterr().out


def test_timing_off(fused, tmp_path):
    """With timing off, each case still runs and asserts, nothing is saved, and a baseline fails the run."""
    # At the default scale, whose cases have several rounds, and a warm-up before them.
    chosen = ("--experiment=digits", "-k", "build or data or encode or fused", "--benchmark-disable")
    run = fork_suite(tmp_path, *chosen, "--baseline", fused.record, f"--explain={tmp_path / 'why'}")
    assert run.status == pytest.ExitCode.USAGE_ERROR, run.out
    assert "7 passed" in run.out
    assert "all threads" in run.out
    assert "nothing was saved, so nothing was compared with the baseline" in run.out
    assert not list(tmp_path.rglob("*.json"))
    assert not (tmp_path / "why").exists()


CHOSEN = ("--scale", "smoke", "--experiment", "digits", "--no-roofs")


def test_regressed(fused, tmp_path):
    """A run that is less accurate than its baseline fails and names the case."""
    better = json.loads(fused.record.read_text())
    for benchmark in better["benchmarks"]:
        if error := benchmark["extra_info"]["autoenc"].get("error"):
            error["absolute"]["mean"] *= 0.9
    (tmp_path / "better.json").write_text(json.dumps(better))
    chosen = (*CHOSEN, "--threads=1", "-k", "experiment", "--no-report")
    run = fork_suite(tmp_path, *chosen, "--baseline", tmp_path / "better.json")
    assert run.status == pytest.ExitCode.TESTS_FAILED, run.out
    assert "regressed: experiment[digits-fused]" in run.out
    assert "report:" not in run.out


OWN_EXPERIMENT = re.search(r"```python\n(.*?)```", (ROOT / "docs/your-own-experiment.md").read_text(), re.DOTALL)[1]
OWN = """
import numpy as np
from autoenc_bench import Experiment, Split, register, register_data
from autoenc_bench.core import training
from autoenc_bench.records.case import Epoch

def broken(rows, features, seed):
    return Split(np.full((rows, features), np.nan), np.zeros((2, features)))

def train(trainer, *arguments, **options):
    epochs = usual(trainer, *arguments, **options)
    return [Epoch(1.0, 99.0, 1.0)] if trainer.split.test.shape[1] == 3 else epochs

usual, training.Fused.train = training.Fused.train, train
register_data("broken", broken)
register(Experiment(name="bad-data", data="broken", rows=100, features=4, encoder=(2,), decoder=(4,)))
register(Experiment(name="bad-loss", data="uniform", rows=100, features=3, encoder=(2,), decoder=(3,)))
"""


WHOLES = "test_epoch and not untouched or test_experiment"
OWN_CASES = (
    f"wide-code and ({WHOLES})",
    "bad-loss and test_epoch and fused",
    "(bad-data or mnist) and (test_epoch or test_experiment)",
    "mnist and build",
)


@pytest.fixture(scope="module")
def own(run_once):
    """Run a user's own experiments, one of them with unusable data, and one that does not learn."""

    def make(folder):
        for name in ("mine", "empty"):
            (folder / name).mkdir()
        (folder / "mine" / "conftest.py").write_text(OWN_EXPERIMENT + OWN)
        chosen = [f"--experiment={name}" for name in ("wide-code", "bad-data", "bad-loss", "mnist")]
        chosen += ["-k", " or ".join(OWN_CASES), "--scale=smoke", "--no-roofs", "--no-report"]
        return fork_suite(folder, folder / "mine", *chosen, AUTOENC_BENCH_MNIST=str(folder / "empty"))

    return run_once("own", make)


def test_own_experiment(own):
    """The documentation's example, in a user's conftest.py, runs like an experiment of the catalogue."""
    names = {benchmark.name for benchmark in loading.read_record(own.record).record.benchmarks}
    assert names >= {
        "test_epoch[wide-code-fit]",
        "test_epoch[wide-code-fused]",
        "test_experiment[wide-code-fused-seed0]",
        "test_build[mnist]",
    }


def test_failed_cases(own):
    """A failed case fails the run, is named in the record and on the terminal, and has no times."""
    assert own.status == pytest.ExitCode.TESTS_FAILED
    assert "failed epoch[bad-loss-fused]: " in own.out
    content = loading.read_record(own.record).record
    failed = {entry.case: entry.reason for entry in content.autoenc.failed}
    assert "training did not lower the loss" in failed["epoch[bad-loss-fused]"]
    assert not failed.keys() & {benchmark.name.removeprefix("test_") for benchmark in content.benchmarks}


def test_bad_data(own):
    """Unusable data fail their cases with one sentence."""
    assert "train data holds nan at row 0, column 0; values must be finite and within [0, 1]" in own.out
    failed = [entry for entry in loading.read_record(own.record).record.autoenc.failed if "bad-data" in entry.case]
    assert len(failed) == 4
    assert all("Traceback" not in entry.reason for entry in failed)


def test_no_source_of_mnist(own):
    """If no source has MNIST, its cases are skipped with the reason, and the others run."""
    skipped = loading.read_record(own.record).record.autoenc.skipped
    assert {entry.case for entry in skipped} == {
        "epoch[mnist-fit]",
        "epoch[mnist-fused]",
        "untouched_fit[mnist]",
        "experiment[mnist-fused-seed0]",
    }
    assert "skipped 4 cases (epoch[mnist-fit] … experiment[mnist-fused-seed0]): MNIST cannot be read from " in own.out


BROKEN_REPORT = """
import pytest

def fail(*_, **__):
    raise KeyError("constant mean")

@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop():
    from autoenc_bench.report import page
    page.write = fail
"""


def test_bug_in_the_report(tmp_path):
    """A bug in drawing is an internal error of pytest, with its status and a note of the record's path."""
    (tmp_path / "broken.py").write_text(BROKEN_REPORT)
    run = fork_suite(tmp_path, *CHOSEN, "-k", "build", "-p", "broken", PYTHONPATH=str(tmp_path))
    assert run.status == pytest.ExitCode.INTERNAL_ERROR
    assert "KeyError: 'constant mean'" in run.out
    assert f"the record is safe: {run.record.relative_to(tmp_path)}" in run.out
