"""The command continuous by the real command line: what it refuses, and each exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
import repositories
import standins
from suite_runs import LEAN

from autoenc_bench.cli import __main__ as cli
from autoenc_bench.cli import both_sides, continuous
from autoenc_bench.live import checkouts
from autoenc_bench.live import continuous as measuring
from autoenc_bench.live.groups import Group
from autoenc_bench.verdicts import status
from autoenc_bench.verdicts.comparison import Outcome
from autoenc_bench.verdicts.limits import OPTIONS_FILE, VerdictOptions

TESTS = Path(__file__).parents[1]
COMMAND = Path(sys.executable).with_name("autoenc-bench")


CHANGED = "Python's calls changed: +1 calls in a step: model:step 4 × instead of 3"  # from main to slower
SAMPLED = "sampled, a call's time by function: step (model.py) 200 ms → 300 ms"


def run(*arguments, cwd):
    """Run the real command."""
    environment = {name: value for name, value in os.environ.items() if name != "GITHUB_STEP_SUMMARY"} | LEAN
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
    """Make a project with branches that are equal to main, slower, noisy and broken."""
    folder = repositories.create(tmp_path_factory.mktemp("project") / "project")
    package = "autoenc_bench/__init__.py"
    suite = standins.suite(epoch="digits-fused", experiment="digits-fused-seed0", encode="digits-bulk")
    repositories.commit(folder, {**suite, package: "SETTINGS = {}\n"})
    for branch, code in (
        ("same", "SETTINGS = {}\n# the same\n"),
        ("slower", "SETTINGS = {'ratio': 1.3, 'calls': 4, 'profile': {'step (model.py)': 0.3}}\n"),
        ("noisy", "SETTINGS = {'apart': 0.03, 'spread': 0.03}\n"),
        ("broken", "raise ImportError('no such thing')\n"),
    ):
        repositories.git(folder, "checkout", "--quiet", "-b", branch, "main")
        repositories.commit(folder, {package: code})
    repositories.git(folder, "checkout", "--quiet", "main")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["main", "same", "--budget", "60s"], 0, ""),
        (["main", "broken"], 2, "could not run the suite: ImportError: no such thing"),
        (["broken", "main"], 2, "could not run the suite: ImportError: no such thing"),
        (["same", "main", "--budget", "0.001s"], 2, "before anything was measured; give"),
        (["noisy", "noisy", "--budget", "8s"], 3, "time is undecided in every case: "),
        (["main", "same", "--", "-k", "nothing"], 2, "no case was selected"),
    ],
)
def test_statuses_of_continuous(project, arguments, status, message):
    """A live comparison has the documented exit codes, and leaves the project unchanged."""
    done = run("continuous", *arguments, cwd=project)
    assert done.returncode == status, done.stdout + done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert repositories.git(project, "worktree", "list").count("\n") == 1


@pytest.mark.slow
def test_regressed(project):
    """A slower head ends with exit code 1; the records are kept, and can be compared by the names of their folders."""
    done = run("continuous", "main", "slower", "--budget", "60s", "--format", "json", cwd=project)
    assert done.returncode == 1, done.stderr
    assert "autoenc-bench: regressed: epoch[digits-fused]" in done.stderr
    base, head = ({Path(path).parents[2] for path in files(done, side)} for side in ("base", "head"))
    (base,), (head,) = base, head
    assert f"\nnext: autoenc-bench report {base.parent}\n" in done.stderr
    (cause,) = (one["cause"] for one in json.loads(done.stdout)["verdicts"] if one["cause"])
    assert cause == f"{CHANGED}; {SAMPLED}"
    assert run("compare", base, head, cwd=project).returncode == 1
    assert run("history", base.parent, cwd=project).returncode == 0


@pytest.mark.slow
def test_why(project):
    """The command why runs each side once, and leaves nothing behind."""
    done = run("why", "main", "slower", "epoch[digits-fused]", cwd=project)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"epoch[digits-fused]: {CHANGED}", SAMPLED]
    assert repositories.git(project, "worktree", "list").count("\n") == 1


def files(done, side):
    """List the records of a side that a comparison names."""
    return json.loads(done.stdout)[side]["files"]


@pytest.mark.slow
def test_all(project):
    """All cases are measured with --all, else the training cases."""
    for given, expected in (((), False), (("--all",), True)):
        done = run("continuous", "main", "same", "--budget", "60s", *given, cwd=project)
        assert done.returncode == 0, done.stderr
        assert ("encode[digits-bulk]" in done.stdout) is expected
        assert "epoch[digits-fused]" in done.stdout


@pytest.mark.slow
def test_interrupt(project):
    """A Ctrl-C reports the measurements so far with exit code 2, because not every case was decided, and cleans up."""
    before = set((project / ".continuous").rglob("*.json"))
    with subprocess.Popen(
        [COMMAND, "continuous", "noisy", "noisy", "--head-env", "X=1"],
        cwd=project,
        env=os.environ | LEAN,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background inherit none
    ) as process:
        while len(set((project / ".continuous").rglob("*.json")) - before) < 13:  # a fourth group saves
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 2, err
    assert "interrupted before every case was decided" in err
    assert "until it was interrupted" in out
    assert "epoch[digits-fused]" in out
    assert repositories.git(project, "worktree", "list").count("\n") == 1
    assert standins.left(project) == []


@pytest.fixture
def analyses(tmp_path):
    """Return a function that measures stand-ins and returns all analyses."""

    def measure(progress=lambda *_: None, **given):
        return standins.measure(standins.sides(tmp_path, **given), tmp_path, progress=progress)

    return measure


def interrupt(activity, _seconds):
    """Act as a Ctrl-C after the first group."""
    if activity.startswith("group 2"):
        raise KeyboardInterrupt


def test_next_step(analyses):
    """The next step after a change is a report."""
    assert continuous.next_step(analyses(head={"ratio": 1.3})[-1], Path("store")) == "autoenc-bench report store"


def test_no_next_step(analyses):
    """Where nothing changed and all is decided, there is no next step."""
    assert continuous.next_step(analyses()[-1], Path("store")) == ""


def test_little_is_known(analyses):
    """After one group an interval may be as wide as floats go, and the exit code is still defined."""
    analysis = analyses(both={"apart": 0.03}, progress=interrupt)[-1]
    assert analysis.groups == 1
    assert status.of(analysis.comparison, allow_missing=False, strict=False).code == 3


def test_more_time(analyses):
    """With undecided cases, the next step is the budget that decides one more, where that is known."""
    analysis = analyses(both={"apart": 0.03}, progress=interrupt)[-1]
    verdicts = analysis.comparison.verdicts
    (epoch,) = (one for one in verdicts if one.case == standins.EPOCH)
    assert epoch.time.outcome is Outcome.UNDECIDED

    def step(*needed):
        times = [replace(epoch.time, needed=one) for one in needed]
        made = [replace(epoch, case=f"case {number}", time=time) for number, time in enumerate(times)]
        changed = replace(
            analysis, comparison=replace(analysis.comparison, verdicts=made), seconds=61.0, next_group=60.0
        )
        return continuous.next_step(changed, Path("store"))

    assert step(42.0, 12.0, inf, None) == "about 5 min more decide case 1: --budget 7m"
    assert step(inf, None) == ""


@pytest.fixture
def explained(tmp_path):
    """Return a function that measures stand-ins and returns the explained cause of the epoch's change."""

    def measure(**given):
        live = standins.comparison(standins.sides(tmp_path, **given), tmp_path)
        analysis = continuous.explain(live.measure(lambda _: None), live.store)
        (epoch,) = (one for one in analysis.comparison.verdicts if one.case == standins.EPOCH)
        return epoch.explained

    return measure


def sampled(folder):
    """List the sampled cases with their sides, which run at the same time."""
    return sorted((side, case) for what, side, _, case in standins.logged(folder) if what == "profile")


def test_explained_by_programs(explained, tmp_path):
    """Where programs differ, the cause names their diff, and nothing is sampled."""
    cause = explained(head={"ratio": 1.3, "program": "another"})
    path = tmp_path / "store" / "why" / f"{standins.EPOCH}.diff"
    assert cause.startswith("the program changed: ")
    assert cause.endswith(f"; diff of both programs: {path}")
    assert sampled(tmp_path) == []


def test_explained_by_samples(explained, tmp_path):
    """Where programs are equal, only changed cases are sampled, on both sides, after all measurements."""
    cause = explained(head={"ratio": 1.3, "calls": 4, "profile": {"step (model.py)": 0.3}})
    assert cause == f"{CHANGED}; {SAMPLED}"
    assert sampled(tmp_path) == [("base", standins.EPOCH), ("head", standins.EPOCH)]
    assert [what for what, *_ in standins.logged(tmp_path)][-2:] == ["profile"] * 2


@pytest.mark.parametrize("do", ["exit", "hang"])
def test_explained_by_counts_alone(explained, monkeypatch, do):
    """Where a side cannot be sampled, or not in time, the verdict stands with the counts as its cause."""
    monkeypatch.setattr(measuring, "SAMPLING", 1.0 if do == "exit" else 1e-3)
    faults = [{"do": do, "pass": "profile"}]
    assert explained(head={"ratio": 1.3, "calls": 4, "faults": faults}) == CHANGED


def test_interrupted_while_samples_are_taken(explained, monkeypatch):
    """The verdict stands, with its cause, where a Ctrl-C ends the sampling."""

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Group, "profile", interrupt)
    assert explained(head={"ratio": 1.3, "calls": 4}) == CHANGED


def test_nothing_to_explain(explained, tmp_path):
    """A case that did not change is not explained, also if its counts differ."""
    assert explained(head={"calls": 4}) == ""
    assert sampled(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "status", "limits", "message"),
    [
        (["--fail-on", "time:50%"], 0, "time:50%, memory:10%, error:1% (as in the", "nothing regressed; "),
        ([], 1, "time:3%, memory:10%, error:1% (as in the", "epoch[digits-fused]: time +30"),
    ],
)
def test_report_of_a_live_comparison(tmp_path, monkeypatch, capsys, given, status, limits, message):
    """A report of a live comparison judges by its limits, and shows them; without them, by the default."""

    @contextmanager
    def both(*_):
        yield standins.sides(tmp_path, head={"ratio": 1.3})

    (tmp_path / "benchmarks").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkouts, "both", both)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert cli.main(["continuous", *given]) == status
    (store,) = (tmp_path / ".continuous").iterdir()
    assert cli.main(["report", str(store), "--out", "out"]) == 0
    assert "left out" not in capsys.readouterr().err
    page = (tmp_path / "out" / "summary.md").read_text()
    assert f"Limits: {limits} live comparison)." in page
    assert message in page
    (store / OPTIONS_FILE).unlink()
    assert cli.main(["report", str(store), "--out", "out"]) == 0
    page = (tmp_path / "out" / "summary.md").read_text()
    assert str(VerdictOptions()) in page
    assert "epoch[digits-fused]: time +30" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--budget", "ten"], "budget 'ten'; give a time above 0 with its unit, such as 90s, 10m or 1h"),
        (["--budget", "0s"], "budget '0s'; give a time above 0"),
        (["--base-env", "jax"], "variable 'jax'; give a name and a value"),
        (["nowhere"], "'nowhere': no such revision"),
        (["--head-python", "nowhere"], "nowhere: no such interpreter"),
        (["--fail-on", "time"], "limit 'time'; give time, memory, error, counts with a share"),
    ],
)
def test_refused(project, monkeypatch, capsys, arguments, message):
    """Bad input gets a one-line message, and nothing is measured."""
    monkeypatch.chdir(project)
    assert cli.main(["continuous", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"autoenc-bench: {message}")
    assert err.count("\n") == 1


def test_budget():
    """A budget has a unit."""
    assert [both_sides.seconds(text) for text in ("90s", "1.5m", "1h")] == [90, 90, 3600]


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], ["benchmarks/", "-k", "x"]),
        (["--scale", "smoke"], ["benchmarks/", "-k", "x", "--scale", "smoke"]),
        (["benchmarks/test_speed.py::test_x"], ["benchmarks/test_speed.py::test_x"]),
    ],
)
def test_options_of_pytest(project, arguments, options):
    """Pytest's options are kept; where they name no tests, the default selection comes before them."""
    assert both_sides.select(arguments, project, "-k", "x") == options
