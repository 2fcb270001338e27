"""Other plugins that would change what is timed are refused while they are active, and settings end in no traceback."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from suite_runs import LEAN, ROOT, TIMING, fork_pytest

from autoenc_bench.plugin import neighbours, session

CASES = "def test_quick(experiment, measure):\n    measure(sum, [1, 2], rows=1)\n"
REPEAT = 'def pytest_addoption(parser):\n    parser.addoption("--count", type=int, default=1)\n'
MISSPELT = """
import autoenc_bench

autoenc_bench.register(autoenc_bench.Experiment(
    name="mine", data="unifrom", rows=100, features=4, encoder=(2,), decoder=(4,)))
"""


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a quick case in a folder of its own: status and what it printed."""

    def run(*arguments, conftest="", **environment):
        (tmp_path / "test_quick.py").write_text(CASES)
        (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
        (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text() + conftest)
        (tmp_path / "pytest_repeat.py").write_text(REPEAT)
        chosen = (".", *TIMING, "--scale=smoke", "--no-roofs", "--no-report")
        done = fork_pytest(tmp_path, *chosen, *arguments, **LEAN, **environment)
        assert "Traceback" not in done.out
        assert "INTERNALERROR" not in done.out
        return done.status, done.out

    return run


def config(loaded, **options):
    """Return a configuration of pytest with this plugin and its options."""
    distributions = [(None, SimpleNamespace(project_name=name)) for name in loaded]
    manager = SimpleNamespace(list_plugin_distinfo=lambda: distributions, hasplugin=lambda _: False)
    return SimpleNamespace(pluginmanager=manager, getoption=lambda name, default: options.get(name, default))


@pytest.mark.parametrize(
    ("plugin", "option"), [(name, one) for name, (all_, _) in neighbours.BREAKING.items() for one in all_]
)
@pytest.mark.parametrize("value", [True, 2, "auto"])
def test_active(plugin, option, value):
    """A plugin that breaks timing is refused by name, with the option to leave out."""
    with pytest.raises(pytest.UsageError, match=f"{plugin} .*, which this suite cannot time; remove --"):
        neighbours.refuse(config([plugin], **{option: value}))


@pytest.mark.parametrize("value", [None, False, 0, 1, "1"])
def test_installed(value):
    """Installed alone no plugin does harm: off, or one of each."""
    for plugin, (options, _) in neighbours.BREAKING.items():
        neighbours.refuse(config([plugin], **dict.fromkeys(options, value)))


def test_option_of_another():
    """An option of that name that is not that plugin's means something else."""
    neighbours.refuse(config(["pytest-of-mine"], count=2, profile=True))


def test_by_a_variable(monkeypatch):
    """Where a variable makes a plugin active, it is named."""
    monkeypatch.setenv("CODSPEED_ENV", "1")
    neighbours.refuse(config([]))
    with pytest.raises(pytest.UsageError, match="remove CODSPEED_ENV"):
        neighbours.refuse(config(["pytest-codspeed"]))


@pytest.mark.slow
@pytest.mark.parametrize(("count", "status"), [(1, pytest.ExitCode.OK), (2, pytest.ExitCode.USAGE_ERROR)])
def test_repeated(run, count, status):
    """A run beside an active one ends before it measures."""
    ended, out = run("-p", "pytest_repeat", f"--count={count}", "--experiment=digits")
    assert ended == status, out
    assert ("ERROR: pytest-repeat runs each case several times" in out) == (count > 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("--benchmark-compare",), ("--benchmark-compare=0777",), ("-W", "error", "--benchmark-compare")]
)
def test_nothing_to_compare_with(run, tmp_path, arguments):
    """What pytest-benchmark warns of is shown, and ends no run, though warnings are errors."""
    status, out = run(*arguments, "--experiment=digits", f"--benchmark-storage=file://{tmp_path / 'empty'}")
    assert status == 0, out
    assert "Can't compare. No benchmark files in" in out


@pytest.mark.slow
def test_nothing_measured_for_a_file(run, tmp_path):
    """Where no case is timed, pytest-benchmark's own file is not written, and that is all."""
    status, out = run(f"--benchmark-json={tmp_path / 'own.json'}", "--experiment=digits", "--benchmark-skip")
    assert status == 0, out
    assert "nothing was timed, so no record was saved" in out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (
            ("--experiment=digits",),
            {"KERAS_MAX_EPOCHS": "1"},
            "the environment variable KERAS_MAX_EPOCHS=1 ends each training early",
        ),
        (
            ("--experiment=mine",),
            {},
            "unknown data 'unifrom'; choose from uniform, stream, digits, mnist, or add your own",
        ),
        (("--turns=9", "--benchmark-disable"), {}, "a live comparison times its cases; remove --benchmark-disable"),
        (
            ("--turns=9", "-p", "xdist", "-p", "xdist.looponfail", "-n", "2"),
            {},
            "a live comparison starts its own processes; remove -n",
        ),
    ],
)
def test_refused(run, arguments, environment, said):
    """What makes a run worthless is refused before anything is measured, in a sentence."""
    status, out = run(*arguments, conftest=MISSPELT, **environment)
    assert status == pytest.ExitCode.USAGE_ERROR, out
    assert f"ERROR: {said}" in out
    assert "quick[" not in out


@pytest.mark.slow
def test_keras_that_cannot_be_loaded(run):
    """Where Keras lacks what its settings need, its own words say so."""
    conftest = "\nimport sys\nsys.modules['keras'] = None\n"
    status, out = run("--experiment=digits", conftest=conftest)
    assert status == pytest.ExitCode.USAGE_ERROR, out
    assert "ERROR: Keras could not be loaded with the backend jax: import of keras halted" in out


STARTER = """
import os, subprocess, sys

environment = os.environ | {"AUTOENC_BENCH_PARENT": str(os.getpid())}
command = [sys.executable, "-m", "pytest", ".", "-p", "pytest_benchmark.plugin", "-p", "no:cacheprovider", "-s"]
process = subprocess.Popen(command, env=environment, stdout=sys.stdout)
process.wait()
"""
WAITING = """
import os, time

def pytest_collection():
    assert "AUTOENC_BENCH_PARENT" not in os.environ, "what this process starts has another parent"
    os.write(1, b"waiting\\n")
    time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_parent_killed(tmp_path):
    """What a live comparison or a bisection started ends when the command itself is killed."""
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text() + WAITING)
    (tmp_path / "pytest.ini").touch()
    command = [sys.executable, "-c", STARTER]
    with subprocess.Popen(command, cwd=tmp_path, env=os.environ | LEAN, stdout=subprocess.PIPE) as parent:
        while b"waiting" not in (line := parent.stdout.readline()):
            assert line, "it ended before"
        parent.kill()
        assert parent.stdout.read() == b"", "the pipe's end, once nobody holds it"


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("2026-11-29T18:00:00+00:00", "2026-11-29T18:00:00+00:00"),
        ('Good "git" signature for a@b.example\n"2026-11-29T18:00:00+00:00', "2026-11-29T18:00:00+00:00"),
        (None, None),
    ],
)
def test_time_of_a_signed_commit(told, kept):
    """A record has the time of its commit, whatever git's user wants to see before it."""
    commit = {"id": "a", "time": told, "author_time": told}
    session.pytest_benchmark_update_commit_info(commit)
    assert commit == {"id": "a", "time": kept, "author_time": kept}
