"""A live comparison as a job calls it: what it refuses, and each exit status by the real command line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import histories
import pytest
import repositories

from autoenc_bench import cli
from autoenc_bench.cli import continuous

COMMAND = Path(sys.executable).with_name("autoenc-bench")
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # pytest's other plugins take three quarters of a run's time to load

# A suite in no time: each run writes a record whose times are those of the side's code, and spread as it says.
CONFTEST = """
import json, time
from datetime import UTC, datetime
from pathlib import Path

def pytest_addoption(parser):
    for name in ("--no-report", "--no-roofs"):
        parser.addoption(name, action="store_true")

def pytest_sessionfinish(session):
    if not session.items:
        return
    from autoenc_bench import SPEED, SPREAD, WAIT
    time.sleep(WAIT)
    content = json.loads((Path(__file__).parent / "benchmarks" / "record.json").read_text())
    content["datetime"] = datetime.now(UTC).isoformat()
    store = Path(session.config.option.benchmark_storage.removeprefix("file://")) / "Linux"
    store.mkdir(parents=True, exist_ok=True)
    number = len(list(store.iterdir())) + 1
    factor = SPEED * (1 + SPREAD * (-1) ** number)
    for benchmark in content["benchmarks"]:
        stats = benchmark["stats"]
        stats["data"] = [factor * value for value in stats["data"]]
        stats["median"] *= factor
    (store / f"{number:04}_run.json").write_text(json.dumps(content))
"""


def run(*arguments, cwd):
    """Run the real command."""
    environment = {name: value for name, value in os.environ.items() if name != "GITHUB_STEP_SUMMARY"} | ALONE
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Make a project whose branches are the same as main, slower, noisy, broken and slow to run."""
    folder = repositories.create(tmp_path_factory.mktemp("project") / "project")
    package = "autoenc_bench/__init__.py"
    benchmarks = {
        "conftest.py": CONFTEST,
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-p pytest_benchmark.plugin'\n",
        "benchmarks/test_speed.py": "def test_epoch_fused():\n    from autoenc_bench import SPEED\n",
        "benchmarks/record.json": json.dumps(histories.content(0)),
    }
    repositories.commit(folder, {**benchmarks, package: "SPEED, SPREAD, WAIT = 1.0, 0.002, 0\n"})
    for branch, code in (
        ("same", "SPEED, SPREAD, WAIT = 1.0, 0.002, 0\n# the same\n"),
        ("slower", "SPEED, SPREAD, WAIT = 1.3, 0.002, 0\n"),
        ("noisy", "SPEED, SPREAD, WAIT = 1.0, 0.4, 0\n"),
        ("broken", "raise ImportError('no such thing')\n"),
        ("slow", "SPEED, SPREAD, WAIT = 1.0, 0.002, 30\n"),
    ):
        repositories.git(folder, "checkout", "--quiet", "-b", branch, "main")
        repositories.commit(folder, {package: code})
    repositories.git(folder, "checkout", "--quiet", "main")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["main", "same", "--budget", "20s"], 0, ""),
        (["main", "broken"], 2, "could not run the suite: ImportError: no such thing"),
        (["broken", "main"], 2, "could not run the suite: ImportError: no such thing"),
        (["slow", "main", "--budget", "1s"], 2, "before each side had one run; give more time with --budget"),
        (["noisy", "noisy", "--budget", "3s"], 3, "nothing of time was decided: "),
        (["main", "same", "--", "-k", "nothing"], 2, "no case was selected"),
    ],
)
def test_statuses_of_continuous(project, arguments, status, said):
    """A live comparison has the same statuses, and leaves the project as it was."""
    done = run("continuous", *arguments, cwd=project)
    assert done.returncode == status, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert repositories.git(project, "worktree", "list").count("\n") == 1


@pytest.mark.slow
def test_regressed(project):
    """A slower head ends with status 1; what was measured is kept, and compared again by name of its folder."""
    done = run("continuous", "main", "slower", "--budget", "20s", "--format", "json", cwd=project)
    assert done.returncode == 1, done.stderr
    assert "autoenc-bench: regressed: epoch[digits-fused]" in done.stderr
    base, head = sorted({Path(path).parent.parent for side in ("base", "head") for path in files(done, side)})
    assert run("compare", base, head, cwd=project).returncode == 1
    assert run("history", base.parent, cwd=project).returncode == 0


def files(done, side):
    """List the records of a side that a comparison names."""
    return json.loads(done.stdout)[side]["files"]


@pytest.mark.slow
def test_interrupt(project):
    """A Ctrl-C ends with what is there: status 2, for not every case was decided, and no checkout left behind."""
    before = set((project / ".continuous").glob("*/base/Linux/*.json"))
    with subprocess.Popen(
        [COMMAND, "continuous", "main", "slow"],
        cwd=project,
        env=os.environ | ALONE,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background inherit none
    ) as process:
        while not set((project / ".continuous").glob("*/base/Linux/*.json")) - before:
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 2
    assert "it was interrupted before each side had one run" in err
    assert repositories.git(project, "worktree", "list").count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget", "ten"], "budget 'ten'; give a time above 0 with its unit, such as 90s, 10m or 1h"),
        (["--budget", "0s"], "budget '0s'; give a time above 0"),
        (["--base-env", "jax"], "variable 'jax'; give a name and a value"),
        (["nowhere"], "'nowhere': no such revision"),
        (["--head-python", "nowhere"], "nowhere: no such interpreter"),
        (["--fail-on", "time"], "limit 'time'; give time, memory, error with a share"),
    ],
)
def test_refused(project, monkeypatch, capsys, arguments, said):
    """Bad input gets one sentence, and nothing is measured."""
    monkeypatch.chdir(project)
    assert cli.main(["continuous", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"autoenc-bench: {said}")
    assert err.count("\n") == 1


def test_budget():
    """Times have units."""
    assert [continuous.seconds(text) for text in ("90s", "1.5m", "1h")] == [90, 90, 3600]


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ([], ["benchmarks/", "-k", "fused and epoch or experiment"]),
        (["--scale", "smoke"], ["benchmarks/", "-k", "fused and epoch or experiment", "--scale", "smoke"]),
        (["benchmarks/test_speed.py::test_x"], ["benchmarks/test_speed.py::test_x"]),
    ],
)
def test_options_of_pytest(project, given, options):
    """What pytest is given runs; where that names no tests, the training cases do."""
    assert continuous.pytest_options(given, project) == options
