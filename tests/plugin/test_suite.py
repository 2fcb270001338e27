"""The suite itself, run by pytest in a process of its own, as its users run it."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.records import record as records
from autoenc_bench.records import storage

ROOT = Path(__file__).parents[2]


def start(*arguments, **environment):
    """Start pytest in the project's folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--no-report", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    """Wait for a process; return what it printed, asserting that it ended well."""
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    return out


@pytest.fixture(scope="module")
def disabled(tmp_path_factory):
    """Start the whole suite with timing off, beside the smoke run; return the process and its empty storage."""
    folder = tmp_path_factory.mktemp("disabled")
    options = ("--scale", "smoke", "--threads", "all", "--benchmark-disable", f"--benchmark-storage=file://{folder}")
    with start("benchmarks", *options) as process:
        yield process, folder


@pytest.fixture(scope="module")
def smoke(disabled, tmp_path_factory):
    """Run the whole suite at smoke; return what it printed and the path of its record."""
    assert disabled[0].poll() is None
    folder = tmp_path_factory.mktemp("benchmarks")
    options = ("--scale", "smoke", f"--benchmark-storage=file://{folder}", "--benchmark-save=mine")
    return finish(start("benchmarks", *options)), storage.newest(folder)


@pytest.fixture(scope="module")
def cases(smoke):
    """Return the cases in the record of the smoke run."""
    return [benchmark.extra_info.autoenc for benchmark in records.read(smoke[1]).benchmarks]


def expected(name):
    """Tell whether an experiment's data are here: MNIST's need a source."""
    return name != "mnist" or "mnist" not in _skipped


_skipped: set[str] = set()


@pytest.fixture(scope="module", autouse=True)
def skipped(smoke):
    """Note which experiments were skipped, each with its reason in the record and on the screen."""
    out, path = smoke
    for left in records.read(path).autoenc.skipped:
        assert left.reason in out
        _skipped.add(left.case.partition("[")[2].split("-")[0].rstrip("]"))


def test_every_experiment_in_every_phase(cases):
    """Each experiment has the same cases: all phases, both trainers, bulk and one row."""
    count = Counter(case.experiment for case in cases)
    assert set(count) >= {name for name in EXPERIMENTS if expected(name)}
    phases = Counter(case.phase for case in cases if case.experiment == "crude-simple")
    assert phases == {
        "build": 1,
        "first_call": 2,
        "data": 1,
        "epoch": 2,
        "encode": 2,
        "decode": 2,
        "reconstruct": 2,
        "score": 1,
        "experiment": 1,
    }
    for name, row in EXPERIMENTS.items():
        if expected(name):  # fit cannot train on streamed rows
            assert count[name] == sum(phases.values()) - 2 * row.is_streamed, name


def test_case_ids(smoke):
    """Case ids keep their grammar, on which history hangs: phase[experiment], then the variant."""
    names = {benchmark.name for benchmark in records.read(smoke[1]).benchmarks}
    assert {
        "test_build[crude-simple]",
        "test_first_call[crude-simple-fit]",
        "test_data[features-2]",
        "test_epoch[crude-simple-fused]",
        "test_encode[digits-bulk]",
        "test_decode[digits-one]",
        "test_reconstruct[crude-complex-bulk]",
        "test_score[digits]",
        "test_experiment[crude-complex-fused-seed0]",
    } <= names


def test_experiments_are_scored(cases):
    """Each whole experiment carries its errors, yardsticks, curve and first sample beside the time."""
    for case in cases:
        if case.phase == "experiment":
            assert case.error.yardsticks.keys() == {"constant mean", "PCA"}
            assert len(case.curve) == case.epochs == min(2, EXPERIMENTS[case.experiment].epochs)
            assert case.val_loss == case.curve[-1].val_loss
            assert len(case.sample.original) == len(case.sample.reconstruction) == EXPERIMENTS[case.experiment].features


def test_record(smoke):
    """The record has the name asked for, raw rounds, a block of its own, no host name, and stays small."""
    path = smoke[1]
    assert path.name == "0001_mine.json"
    assert path.stat().st_size + path.with_suffix(".npz").stat().st_size < 5_000_000
    record = records.read(path)
    assert all(benchmark.stats.data for benchmark in record.benchmarks)
    assert record.autoenc.scale == "smoke"
    assert record.autoenc.context["threads"] == 1
    assert re.fullmatch("[0-9a-f]{12}", record.autoenc.machine.id)
    assert record.autoenc.machine.cpu
    assert None not in msgspec.structs.astuple(record.autoenc.roofs)
    raw = json.loads(path.read_text())
    assert raw["machine_info"]["node"] is None
    assert "hz_actual" not in raw["machine_info"]["cpu"]
    assert "UNSERIALIZABLE" not in path.read_text()


def test_what_stands_beside_the_times(smoke):
    """Each round has the reference workload beside it, each case its memory, and training and calls a roof above."""
    record = records.read(smoke[1])
    bounds = {}
    for benchmark in record.benchmarks:
        case = benchmark.extra_info.autoenc
        assert len(case.reference) == benchmark.stats.rounds
        assert case.memory.before > 2**20
        assert case.memory.peak is None or case.memory.peak >= 0.9 * case.memory.before
        if bound := benchmark.bound(record.autoenc.roofs):
            bounds.setdefault(case.phase, []).append(bound)
    assert set(bounds) == {"epoch", "experiment", "encode", "decode", "reconstruct"}
    assert all(0 < efficiency <= 1 for found in bounds.values() for _, efficiency in found)


def test_pictures(smoke):
    """The pictures of experiments on images lie beside the record."""
    pictures = storage.pictures(smoke[1])
    assert {f"digits-fused-seed0/{name}" for name in ("first", "best", "worst")} <= set(pictures)
    assert pictures["digits-fused-seed0/best"].shape == (2, 10, 64)


def test_screen(smoke, cases):
    """The screen names every case with its figures, and ends with one table and the record's path."""
    out = smoke[0]
    lines = out.splitlines()
    rated = [line for line in lines if line.startswith("[") and "rows/s" in line]
    assert len(rated) == sum(case.rows > 1 for case in cases)
    assert "scale smoke, 1 seed, tensorflow " in out
    for name in filter(expected, EXPERIMENTS):
        told = [line for line in lines if line.startswith(f"{name} ") and "±" in line]
        assert told, name
        assert ("×" in told[0]) != EXPERIMENTS[name].is_streamed  # which has no fit beside it
    assert f"record: {smoke[1]}" in out


@pytest.mark.parametrize("command", ["compare", "list"])
def test_pytest_benchmarks_own_commands(smoke, command):
    """pytest-benchmark's command line reads the records."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", f"--storage=file://{smoke[1].parent.parent}", command],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert ("test_epoch[crude-simple-fused]" if command == "compare" else "0001_mine.json") in done.stdout


def test_benchmark_disable(disabled, smoke):
    """With timing off each case still runs and asserts, and no record pretends to be one."""
    process, folder = disabled
    out = finish(process)
    assert f"{len(records.read(smoke[1]).benchmarks)} passed" in out
    assert "all threads" in out
    assert "nothing was timed" in out
    assert not list(folder.rglob("*.json"))


OWN_EXPERIMENT = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]


def test_own_experiment(tmp_path):
    """What README shows, in somebody's own conftest.py, runs like an experiment of the catalogue."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "conftest.py").write_text(OWN_EXPERIMENT)
    arguments = ("--scale", "smoke", "--experiment", "wide-code", "-k", "epoch or experiment")
    finish(start("benchmarks", tmp_path / "mine", *arguments, f"--benchmark-storage=file://{tmp_path}"))
    names = {benchmark.name for benchmark in records.read(storage.newest(tmp_path)).benchmarks}
    assert names == {
        "test_epoch[wide-code-fit]",
        "test_epoch[wide-code-fused]",
        "test_experiment[wide-code-fused-seed0]",
    }


def test_rows(tmp_path):
    """Streamed rows are as many as asked for, and their number is in the case's name."""
    chosen = ("--experiment", "crude-simple-streamed", "--rows", "3_000", "-k", "experiment", "--no-roofs")
    finish(start("benchmarks", *chosen, f"--benchmark-storage=file://{tmp_path}"))
    (benchmark,) = records.read(storage.newest(tmp_path)).benchmarks
    assert benchmark.name == "test_experiment[crude-simple-streamed-3000-fused-seed0]"
    assert benchmark.extra_info.autoenc.rows == 3_000


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["--experiment", "mnits"], {}, "unknown experiment 'mnits'; choose from crude-simple, "),
        (["--scale", "huge"], {}, "invalid choice: 'huge' (choose from "),
        (["--threads", "0"], {}, "thread count '0'; choose 1 to "),
        (["--threads", "many"], {}, "thread count 'many'; choose 1 to "),
        (["--baseline", "nobody"], {}, "nobody: no such record; give a file, a folder, "),
        (["--baseline", "x", "--fail-on", "time"], {}, "limit 'time'; give time, memory, error with a share"),
        (["--fail-on", "time:5%"], {}, "limit 'time:5%' without a baseline"),
        (["--seeds", "0"], {}, "seeds '0'; give a whole number of at least 1"),
        ([], {"KERAS_BACKEND": "mxnet"}, "unknown backend 'mxnet'; choose from tensorflow, jax, torch"),
        (["--backend", "mxnet"], {}, "unknown backend 'mxnet'; choose from tensorflow, jax, torch"),
        (["-m", "distributed"], {}, "test_scaling.py needs several devices: --backend jax, and --devices N or"),
        (["--rows", "many"], {}, "rows 'many'; give a whole number of at least 1"),
        (["--rows", "0"], {}, "0 streamed rows; give 2 to 4,294,967,296"),
        (["--rows", "5", "--experiment", "mnist"], {}, "rows 5 for no streamed experiment; choose from crude-simple-s"),
        (["--rows", "5", "--scale", "smoke"], {}, "rows 5 with --scale smoke, which has sizes of its own"),
        (["--devices", "2"], {}, "backend tensorflow trains on one device here; add --backend jax for several"),
    ],
)
def test_bad_usage(arguments, environment, said):
    """Bad usage ends at once, with pytest's status for it and one sentence that lists what is accepted."""
    process = start("benchmarks", *arguments, **environment)
    out, err = process.communicate()
    assert process.returncode == pytest.ExitCode.USAGE_ERROR
    assert said in err
    assert "Traceback" not in out + err


BAD_DATA = """
import numpy as np
from autoenc_bench.core import data

data.register("broken", lambda rows, features, seed: data.split_rows(np.full((rows, features), np.nan)))
"""


def test_bad_data(tmp_path):
    """Data of somebody's own that cannot be trained on fail their cases with one sentence, not a traceback."""
    (tmp_path / "mine").mkdir()
    text = BAD_DATA + OWN_EXPERIMENT.replace('data="uniform"', 'data="broken"')
    (tmp_path / "mine" / "conftest.py").write_text(text)
    arguments = ("--scale", "smoke", "--experiment", "wide-code", "-k", "score")
    process = start("benchmarks", tmp_path / "mine", *arguments, f"--benchmark-storage=file://{tmp_path}")
    out, err = process.communicate()
    assert process.returncode == pytest.ExitCode.TESTS_FAILED
    assert "train data holds nan at row 0, column 0; values must be finite and within [0, 1]" in out
    assert "Traceback" not in out + err
    assert "nothing was timed, so no record was saved" in out


def test_record_that_cannot_be_saved(tmp_path):
    """A run whose record cannot be saved does not end well, and says why."""
    (tmp_path / "Linux").write_text("a file where the folder should be")
    arguments = ("--scale", "smoke", "--experiment", "digits", "-k", "build")
    process = start("benchmarks", *arguments, f"--benchmark-storage=file://{tmp_path / 'Linux'}")
    out, _ = process.communicate()
    assert process.returncode == pytest.ExitCode.TESTS_FAILED
    assert "the record could not be saved: " in out


def test_no_source_of_mnist(tmp_path):
    """Without MNIST its cases are skipped with the reason, and the others run."""
    (tmp_path / "empty").mkdir()
    arguments = ("--scale", "smoke", "--experiment", "mnist", "-k", "build or data")
    environment = {"AUTOENC_BENCH_MNIST": str(tmp_path / "empty")}
    out = finish(start("benchmarks", *arguments, f"--benchmark-storage=file://{tmp_path}", **environment))
    assert "skipped data[mnist]: MNIST cannot be read from AUTOENC_BENCH_MNIST=" in out
    assert [left.case for left in records.read(storage.newest(tmp_path)).autoenc.skipped] == ["data[mnist]"]


def test_failed_case(tmp_path):
    """A case that does not hold fails the run, and is named in the record and on the screen."""
    (tmp_path / "mine").mkdir()
    text = (
        OWN_EXPERIMENT
        + "import autoenc_bench.core.training as t\nt.Fused.train = lambda *_, **__: [t.Epoch(1.0, 99.0, 1.0)]\n"
    )
    (tmp_path / "mine" / "conftest.py").write_text(text)
    arguments = ("--scale", "smoke", "--experiment", "wide-code", "-k", "test_epoch")
    process = start("benchmarks", tmp_path / "mine", *arguments, f"--benchmark-storage=file://{tmp_path}")
    out, _ = process.communicate()
    assert process.returncode == pytest.ExitCode.TESTS_FAILED
    assert "failed epoch[wide-code-fused]: " in out
    record = records.read(storage.newest(tmp_path))
    assert [left.case for left in record.autoenc.failed] == ["epoch[wide-code-fused]"]
    assert "test_epoch[wide-code-fused]" not in {benchmark.name for benchmark in record.benchmarks}


def test_baseline(tmp_path):
    """A run is held against a saved one: the same errors pass, worse ones fail it, and a missing one is refused."""
    arguments = ("benchmarks", "--scale", "smoke", "--experiment", "digits", "-k", "experiment")
    storage_option = f"--benchmark-storage=file://{tmp_path / 'storage'}"
    finish(start(*arguments, storage_option, "--benchmark-save=agreed"))
    kept = storage.newest(tmp_path / "storage")
    assert "1 unchanged" in finish(start(*arguments, storage_option, "--baseline", "agreed"))
    better = json.loads(kept.read_text())
    better["benchmarks"][0]["extra_info"]["autoenc"]["error"]["absolute"]["mean"] *= 0.9
    (tmp_path / "better.json").write_text(json.dumps(better))
    process = start(*arguments, storage_option, "--baseline", tmp_path / "better.json")
    out, err = process.communicate()
    assert process.returncode == pytest.ExitCode.TESTS_FAILED, out + err
    assert "regressed: experiment[digits-fused]" in out
    disabled = start(*arguments, storage_option, "--baseline", "agreed", "--benchmark-disable")
    assert "nothing was compared with the baseline" in disabled.communicate()[0]
    assert disabled.returncode == pytest.ExitCode.USAGE_ERROR
