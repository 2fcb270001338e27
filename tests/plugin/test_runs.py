"""Runs of two quick cases: baselines, other plugins, reruns, a full disk. No result is wrong, no record lost."""

import json
import sys

import pytest
from suite_runs import LEAN, ROOT, TIMING, fork_pytest, run_pytest

from autoenc_bench.records import loading, storage

pytestmark = pytest.mark.slow

CASES = """
def test_quick(experiment, load, measure):
    load(experiment)
    measure(sum, [1, 2], rows=1)

def test_other(experiment, measure):
    measure(sum, [1, 2], rows=1)
"""
AGAIN = """
import pytest
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):  # as pytest-rerunfailures does it
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for again in (True, False):
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            if again and report.failed:
                report.outcome = "rerun"
            item.ihook.pytest_runtest_logreport(report=report)
    return True

failed = set()

@pytest.fixture(autouse=True)
def flaky(request, measure):
    yield
    if request.node.nodeid not in failed:
        failed.add(request.node.nodeid)
        raise RuntimeError("flaky")
"""
FULL = """
from autoenc_bench.records import storage
usual = storage.save

def save(content, folder, *others):
    if folder.parent.name == ".benchmarks":
        raise OSError(28, "No space left on device")
    return usual(content, folder, *others)

storage.save = save
"""
PROFILED = """
import cProfile

profiler = cProfile.Profile()
profiler.enable()
"""
OWN = """
import pytest

def test_mine(measure):
    measure(lambda: None, rows=1)

@pytest.mark.parametrize("size", [1])
def test_axes(measure, trainer, size):
    measure(lambda: None, rows=size)

def test_alone(experiment):
    pass

def test_plain():
    pass
"""
STOPPED = """
def pytest_runtest_teardown(item):
    item.session.shouldstop = "enough"
"""


WIDE = ("--fail-on", "time:9999%")
CHOSEN = (".", "--scale=smoke", "--no-roofs", "--no-report", "--experiment=digits")


def write(folder, conftest="", cases=CASES):
    """Write two quick cases and the suite's conftest.py to a folder; return it."""
    (folder / "test_quick.py").write_text(cases)
    (folder / "pytest.ini").touch()
    (folder / "conftest.py").write_text((ROOT / "conftest.py").read_text() + conftest)
    return folder


@pytest.fixture
def run(tmp_path):
    """Return a function that runs two quick cases in a folder of their own: status, output, record."""

    def run(*arguments, conftest="", cases=CASES, **environment):
        done = fork_pytest(write(tmp_path, conftest, cases), *CHOSEN, *arguments, **environment)
        records = tmp_path / ".benchmarks"
        record = loading.read_record(done.record).record if records.exists() and any(records.rglob("*.json")) else None
        return done.status, done.out, record

    return run


@pytest.fixture(scope="module")
def eight(run_once):
    """Return a folder of eight records, as a baseline: one run, copied with slightly different times."""

    def make(folder):
        done = fork_pytest(write(folder), *CHOSEN)
        content = json.loads(done.record.read_text())
        (folder / "runs").mkdir()
        for place in range(8):
            for benchmark in content["benchmarks"]:
                benchmark["stats"]["data"] = [time * (1 + place / 1000) for time in benchmark["stats"]["data"]]
            (folder / "runs" / f"{place}.json").write_text(json.dumps(content))
        return done

    done = run_once("eight", make)
    assert done.status == 0, done.out
    return done.folder / "runs"


def test_passes(eight, tmp_path):
    """A run within the limits of its baseline ends with 0 and its claim, on an ASCII terminal with substitutes."""
    # In a process of its own, because a forked one uses its memory differently.
    chosen = (*TIMING, "--backend=jax", "--threads=all", *CHOSEN, "--baseline", eight, *WIDE, "--fail-on=memory:99%")
    done = run_pytest(write(tmp_path), *chosen, **LEAN, PYTHONIOENCODING="ascii")
    assert done.status == 0, done.out
    claim = "nothing regressed; a change of 10,000 % in time, 99 % in memory would have been detected"
    assert f"\n{claim}; counts are equal in 2 of 2 cases\n" in done.out
    assert "error per test sample (mean +- sigma)" in done.out
    assert "\\n" not in done.out


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["-n", "1"], {}, "pytest-xdist runs cases side by side, so none was timed; add -n 0, or"),
        (["--baseline", "eight"], {"PYTEST_ADDOPTS": "-n 1"}, "pytest-xdist runs cases side by side, so none was"),
        ([], {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, "pytest-benchmark is not loaded, which times the cases; add -p"),
        (
            ["--benchmark-storage=file:///dev/null/x"],
            {},
            "cannot be written: Not a directory; choose another folder with",
        ),
        (["--baseline", "eight", "-k", "nothing"], {}, "no case ran, so nothing was compared with the baseline"),
        (
            ["--baseline", "eight", "--benchmark-skip"],
            {},
            "nothing was saved, so nothing was compared with the baseline",
        ),
    ],
)
def test_refused(run, eight, arguments, environment, said):
    """A run that would time or save nothing ends with 4, the reason and no record."""
    chosen = [str(eight) if argument == "eight" else argument for argument in arguments]
    status, out, record = run(*chosen, **environment)
    assert (status, record) == (pytest.ExitCode.USAGE_ERROR, None), out
    assert said in out
    assert "Traceback" not in out


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="from Python 3.12 on two profilers can watch")
def test_profiled(run):
    """Under cProfile, where nothing can be timed, a run is refused with advice; an untimed one runs."""
    status, out, record = run(conftest=PROFILED)
    assert (status, record) == (pytest.ExitCode.USAGE_ERROR, None), out
    assert "ERROR: cProfile profiles this run, and pytest-benchmark can time nothing beside it before Python" in out
    status, out, _ = run("--benchmark-disable", conftest=PROFILED)
    assert status == 0, out
    assert "2 passed" in out


@pytest.fixture(scope="module")
def contexts(eight, tmp_path_factory):
    """Return folders of baselines: in another context alone, and in it beside the eight of this one."""
    folder = tmp_path_factory.mktemp("contexts")
    for path in sorted(eight.iterdir()):
        content = json.loads(path.read_text())
        for name in ("mixed", "other"):
            other = json.loads(json.dumps(content))
            other["autoenc"]["context"]["keras"] = "0.1"
            (folder / name).mkdir(exist_ok=True)
            (folder / name / f"other-{path.name}").write_text(json.dumps(other))
        (folder / "mixed" / path.name).write_text(json.dumps(content))
    return folder


def test_several_contexts(run, contexts):
    """Records of other contexts are left out of the baseline, which is shown before the cases and at the end."""
    status, out, _ = run("--baseline", contexts / "mixed", *WIDE)
    message = "\nleft out of the baseline: 8 records in another context, such as keras 0.1 → "
    assert status == 0, out
    assert out.count(message) == 2
    assert out.index(message) < out.index("quick[digits]")
    assert "base: 8 runs of " in out


def test_no_context(run, contexts):
    """If no record of the baseline has this context, the run is refused with what differs."""
    status, out, record = run("--baseline", contexts / "other", *WIDE)
    assert (status, record) == (pytest.ExitCode.USAGE_ERROR, None), out
    assert "8 records, none in the context of this run; the nearest differs in keras 0.1 → " in out
    assert "quick[digits]" not in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["--experiment=mnist", *WIDE],
            4,
            "not measured: quick[mnist]: skipped in the head: MNIST cannot be read from ",
        ),
        (["--experiment=mnist", *WIDE, "--allow-missing"], 0, "nothing regressed; "),
        (["-k", "other", *WIDE], 0, "nothing regressed; "),
        (
            ["--fail-on", "error:1%", *WIDE],
            4,
            "--fail-on names error, but no case has error on both sides to compare",
        ),
    ],
)
def test_baselines(run, eight, tmp_path, arguments, code, said):
    """A run fails if it did not measure what was requested; what was not requested does not matter."""
    status, out, _ = run("--baseline", eight, *arguments, AUTOENC_BENCH_MNIST=str(tmp_path))
    assert status == code, out
    assert said in out


@pytest.mark.parametrize(
    ("base", "cases", "said"),
    [
        ("0.json", CASES, "time is undecided in every case: too few runs to measure their spread; record 3 runs"),
        ("", CASES.replace("test_quick", "test_slow"), "missing from the head: quick[digits]"),
    ],
)
def test_no_pass(run, eight, base, cases, said):
    """A run fails if its baseline has only one run, or a case that no longer exists."""
    status, out, _ = run("--baseline", eight / base, *WIDE, cases=cases)
    assert status == pytest.ExitCode.USAGE_ERROR, out
    assert said in out


def test_no_terminal(run):
    """Without pytest's terminal and capturing, a run saves its record and prints the path to standard error."""
    status, out, record = run("-p", "no:terminal", "-p", "no:capture")
    assert status == 0, out
    assert "record: .benchmarks/" in out
    assert len(record.benchmarks) == 2


def test_run_again(run):
    """A case that passes when it is run again is timed once, and did not fail."""
    status, out, record = run(conftest=AGAIN)
    assert "RERUN" in out or "rerun" in out
    assert [benchmark.name for benchmark in record.benchmarks] == ["test_quick[digits]", "test_other[digits]"]
    assert record.autoenc.failed == []
    assert status == 0, out


def test_tracer(run):
    """Coverage is shown and is part of the context, so such times are not compared with others."""
    status, out, record = run("--cov=test_quick")
    assert status == 0, out
    assert "traced by coverage; compare only with runs under the same tracer" in out
    assert record.autoenc.context["tracer"] == "coverage"


UNSTEADY = """
from autoenc_bench.machine import conditions, fingerprint
from autoenc_bench.machine.conditions import Preflight, Use

conditions.preflight = lambda *_: Preflight("powersave", None, None, None, None, Use(1, 0.4), None)
fingerprint.nvidia = lambda: fingerprint.Driver(None, problem="nvidia-smi failed with status 9")
"""


def test_unsteady(run):
    """Warnings about unsteady times come before the cases and are recorded; unknown facts are shown at the end."""
    status, out, record = run(conftest=UNSTEADY)
    assert status == 0, out
    warnings = [line for line in out.splitlines() if line.startswith("warning: ")]
    assert [warning.partition(":")[2].split(":")[0].strip() for warning in warnings] == [
        "CPU governor powersave",
        "load",
    ]
    assert out.index(warnings[-1]) < out.index("quick[digits]")
    assert record.autoenc.conditions["governor"] == "powersave"
    assert record.autoenc.conditions["others"] == 0.4
    assert record.autoenc.conditions["turbo"] is None
    assert "\nnvidia-smi failed with status 9, so the machine's accelerators are unknown; it gets another" in out
    assert record.autoenc.machine.accelerators is None


def test_untimed_runs_warn_of_nothing(run):
    """A run that times nothing does not warn about unsteady times."""
    status, out, _ = run("--benchmark-disable", conftest=UNSTEADY)
    assert status == 0, out
    assert "warning: " not in out
    assert "nvidia-smi" not in out


def test_full_disk(run):
    """If the disk is full, the record is written to a temporary folder, whose path is in the last line."""
    status, out, record = run(conftest=FULL)
    assert (status, record) == (pytest.ExitCode.USAGE_ERROR, None), out
    *_, lost, path, _ = out.splitlines()
    assert lost.startswith("the record could not be saved: [Errno 28]")
    assert len(loading.read_record(storage.Path(path)).record.benchmarks) == 2


def test_never_started(run):
    """A case that had not begun when the run ended is recorded as skipped."""
    _, _, record = run(conftest=STOPPED)
    assert [benchmark.name for benchmark in record.benchmarks] == ["test_quick[digits]"]
    assert [(entry.case, entry.reason) for entry in record.autoenc.skipped] == [
        ("other[digits]", "the run ended before this case began")
    ]


def test_cases_without_an_experiment(run, tmp_path):
    """A case that uses only ``measure`` is timed and recorded; one that uses only ``experiment`` fails with advice."""
    (tmp_path / "test_own.py").write_text(OWN)
    status, out, record = run()
    assert status == pytest.ExitCode.TESTS_FAILED, out
    assert "the fixture experiment has values only in tests that also use the fixture measure" in out
    assert " 6 passed, " in out
    assert " 1 error in " in out
    assert "Traceback" not in out
    own = ["test_mine", "test_axes[fit-1]", "test_axes[fused-1]"]
    assert [benchmark.name for benchmark in record.benchmarks] == [*own, "test_quick[digits]", "test_other[digits]"]
    assert [benchmark.extra_info.autoenc.experiment for benchmark in record.benchmarks] == [
        "",
        "",
        "",
        "digits",
        "digits",
    ]
    assert record.autoenc.failed == []
