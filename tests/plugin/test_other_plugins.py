"""Active plugins that would change what is timed are refused, and no setting ends in a traceback."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from suite_runs import LEAN, ROOT, TIMING, fork_pytest

from autoenc_bench.plugin import other_plugins, record

CASES = "def test_quick(experiment, measure):\n    measure(sum, [1, 2], rows=1)\n"
REPEAT = 'def pytest_addoption(parser):\n    parser.addoption("--count", type=int, default=1)\n'
MISSPELT = """
import autoenc_bench

autoenc_bench.register(autoenc_bench.Experiment(
    name="mine", data="unifrom", rows=100, features=4, encoder=(2,), decoder=(4,)))
"""


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a quick case in a folder of its own: status and output."""

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
    """Return a configuration of pytest with these plugins and options."""
    distributions = [(None, SimpleNamespace(project_name=name)) for name in loaded]
    manager = SimpleNamespace(list_plugin_distinfo=lambda: distributions, hasplugin=lambda _: False)
    return SimpleNamespace(pluginmanager=manager, getoption=lambda name, default: options.get(name, default))


@pytest.mark.parametrize(
    ("plugin", "option"), [(name, one) for name, (options, _) in other_plugins.BREAKING.items() for one in options]
)
@pytest.mark.parametrize("value", [True, 2, "auto"])
def test_active(plugin, option, value):
    """An active plugin that breaks timing is refused by name, with the option to remove."""
    with pytest.raises(pytest.UsageError, match=f"{plugin} .*, which this suite cannot time; remove --"):
        other_plugins.refuse(config([plugin], **{option: value}))


@pytest.mark.parametrize("value", [None, False, 0, 1, "1"])
def test_installed(value):
    """A plugin that is installed but not active is not refused."""
    for plugin, (options, _) in other_plugins.BREAKING.items():
        other_plugins.refuse(config([plugin], **dict.fromkeys(options, value)))


def test_option_of_another():
    """An option of the same name of another plugin is not refused."""
    other_plugins.refuse(config(["pytest-of-mine"], count=2, profile=True))


def test_by_a_variable(monkeypatch):
    """If an environment variable makes a plugin active, the refusal names it."""
    monkeypatch.setenv("CODSPEED_ENV", "1")
    other_plugins.refuse(config([]))
    with pytest.raises(pytest.UsageError, match="remove CODSPEED_ENV"):
        other_plugins.refuse(config(["pytest-codspeed"]))


@pytest.mark.slow
@pytest.mark.parametrize(("count", "status"), [(1, pytest.ExitCode.OK), (2, pytest.ExitCode.USAGE_ERROR)])
def test_repeated(run, count, status):
    """A run with an active plugin ends before it measures."""
    ended, out = run("-p", "pytest_repeat", f"--count={count}", "--experiment=digits")
    assert ended == status, out
    assert ("ERROR: pytest-repeat runs each case several times" in out) == (count > 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("--benchmark-compare",), ("--benchmark-compare=0777",), ("-W", "error", "--benchmark-compare")]
)
def test_nothing_to_compare_with(run, tmp_path, arguments):
    """Warnings of pytest-benchmark are shown, and do not end a run in which warnings are errors."""
    status, out = run(*arguments, "--experiment=digits", f"--benchmark-storage=file://{tmp_path / 'empty'}")
    assert status == 0, out
    assert "Can't compare. No benchmark files in" in out


@pytest.mark.slow
def test_nothing_measured_for_a_file(run, tmp_path):
    """If no case is timed, --benchmark-json does not fail the run."""
    status, out = run(f"--benchmark-json={tmp_path / 'own.json'}", "--experiment=digits", "--benchmark-skip")
    assert status == 0, out
    assert "nothing was timed, so no record was saved" in out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
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
def test_refused(run, arguments, environment, message):
    """Settings that make a run useless are refused in one sentence, before anything is measured."""
    status, out = run(*arguments, conftest=MISSPELT, **environment)
    assert status == pytest.ExitCode.USAGE_ERROR, out
    assert f"ERROR: {message}" in out
    assert "quick[" not in out


@pytest.mark.slow
def test_keras_that_cannot_be_loaded(run):
    """If Keras cannot be loaded, the refusal quotes its own message."""
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
    assert "AUTOENC_BENCH_PARENT" not in os.environ, "child processes must not inherit it"
    os.write(1, b"waiting\\n")
    time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_parent_killed(tmp_path):
    """The processes of a live comparison or a bisection end when the command is killed."""
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text() + WAITING)
    (tmp_path / "pytest.ini").touch()
    command = [sys.executable, "-c", STARTER]
    with subprocess.Popen(command, cwd=tmp_path, env=os.environ | LEAN, stdout=subprocess.PIPE) as parent:
        while b"waiting" not in (line := parent.stdout.readline()):
            assert line, "it ended before"
        parent.kill()
        assert parent.stdout.read() == b"", "the pipe ends once no process holds it open"


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        ("2026-11-29T18:00:00+00:00", "2026-11-29T18:00:00+00:00"),
        ('Good "git" signature for a@b.example\n"2026-11-29T18:00:00+00:00', "2026-11-29T18:00:00+00:00"),
        (None, None),
    ],
)
def test_time_of_a_signed_commit(printed, kept):
    """A record has only the time of its commit, even if git prints a signature before it."""
    commit = {"id": "a", "time": printed, "author_time": printed}
    record.pytest_benchmark_update_commit_info(commit)
    assert commit == {"id": "a", "time": kept, "author_time": kept}
