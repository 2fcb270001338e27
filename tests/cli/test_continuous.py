"""A live comparison as a job calls it: what it refuses, and each exit status by the real command line."""

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

from autoenc_bench import cli
from autoenc_bench.cli import continuous, suite_options
from autoenc_bench.live import checkouts
from autoenc_bench.live import continuous as measuring
from autoenc_bench.live.groups import Group
from autoenc_bench.verdicts import judging, status
from autoenc_bench.verdicts.comparison import Outcome

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
    """Make a project whose branches are the same as main, slower, noisy, broken and slow to start."""
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
    ("arguments", "status", "said"),
    [
        (["main", "same", "--budget", "60s"], 0, ""),
        (["main", "broken"], 2, "could not run the suite: ImportError: no such thing"),
        (["broken", "main"], 2, "could not run the suite: ImportError: no such thing"),
        (["same", "main", "--budget", "0.001s"], 2, "before anything was measured; give"),
        (["noisy", "noisy", "--budget", "8s"], 3, "no case was decided in time: "),
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
    """Why a case changed is told by one run of each side, which leaves nothing behind but what it says."""
    done = run("why", "main", "slower", "epoch[digits-fused]", cwd=project)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"epoch[digits-fused]: {CHANGED}", SAMPLED]
    assert repositories.git(project, "worktree", "list").count("\n") == 1


def files(done, side):
    """List the records of a side that a comparison names."""
    return json.loads(done.stdout)[side]["files"]


@pytest.mark.slow
def test_all(project):
    """All cases are measured where somebody asks for that, else what training says."""
    for given, expected in (((), False), (("--all",), True)):
        done = run("continuous", "main", "same", "--budget", "60s", *given, cwd=project)
        assert done.returncode == 0, done.stderr
        assert ("encode[digits-bulk]" in done.stdout) is expected
        assert "epoch[digits-fused]" in done.stdout


@pytest.mark.slow
def test_interrupt(project):
    """A Ctrl-C ends with what is there: status 2, for not every case was decided, and no checkout left behind."""
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
def looks(tmp_path):
    """Return a function that returns the looks at stand-ins."""

    def measure(progress=lambda *_: None, **given):
        return standins.measure(standins.sides(tmp_path, **given), tmp_path, progress=progress)

    return measure


def interrupt(doing, _seconds):
    """Act as a Ctrl-C once a group was measured."""
    if doing.startswith("group 2"):
        raise KeyboardInterrupt


def test_next_step(looks):
    """After a comparison comes a report of what changed."""
    assert continuous.next_step(looks(head={"ratio": 1.3})[-1], Path("store")) == "autoenc-bench report store"


def test_no_next_step(looks):
    """Where nothing changed and all is decided, there is nothing to do."""
    assert continuous.next_step(looks()[-1], Path("store")) == ""


def test_little_is_known(looks):
    """After one group an interval may be as wide as floats go, and that has a status, too."""
    look = looks(both={"apart": 0.03}, progress=interrupt)[-1]
    assert look.groups == 1
    assert status.of(look.comparison, allow_missing=False, strict=False).code == 3


def test_more_time(looks):
    """What is undecided says in how much time the next case would be decided, where anybody can tell."""
    look = looks(both={"apart": 0.03}, progress=interrupt)[-1]
    verdicts = look.comparison.verdicts
    (epoch,) = (one for one in verdicts if one.case == standins.EPOCH)
    assert epoch.time.outcome is Outcome.UNDECIDED

    def step(*needed):
        times = [replace(epoch.time, needed=one) for one in needed]
        made = [replace(epoch, case=f"case {number}", time=time) for number, time in enumerate(times)]
        found = replace(look, comparison=replace(look.comparison, verdicts=made), seconds=61.0, next_group=60.0)
        return continuous.next_step(found, Path("store"))

    assert step(42.0, 12.0, inf, None) == "about 5 min more decide case 1: --budget 7m"
    assert step(inf, None) == ""


@pytest.fixture
def explained(tmp_path):
    """Return a function that measures stand-ins and explains what changed: the cause of the epoch's time, if it did."""

    def measure(**given):
        live = standins.comparison(standins.sides(tmp_path, **given), tmp_path)
        look = continuous.explain(live.measure(lambda _: None), live.store)
        (epoch,) = (one for one in look.comparison.verdicts if one.case == standins.EPOCH)
        return epoch.explained

    return measure


def sampled(folder):
    """List the cases that were sampled, with their sides, which do that at the same time."""
    return sorted((side, case) for what, side, _, case in standins.logged(folder) if what == "profile")


def test_explained_by_programs(explained, tmp_path):
    """Where programs differ, their texts are named, and nothing is sampled for that."""
    cause = explained(head={"ratio": 1.3, "program": "another"})
    path = tmp_path / "store" / "why" / f"{standins.EPOCH}.diff"
    assert cause.startswith("the program changed: ")
    assert cause.endswith(f"; both programs, line by line: {path}")
    assert sampled(tmp_path) == []


def test_explained_by_samples(explained, tmp_path):
    """Where programs are equal, a call's time is sampled on each side, once all was measured, of what changed alone."""
    cause = explained(head={"ratio": 1.3, "calls": 4, "profile": {"step (model.py)": 0.3}})
    assert cause == f"{CHANGED}; {SAMPLED}"
    assert sampled(tmp_path) == [("base", standins.EPOCH), ("head", standins.EPOCH)]
    assert [what for what, *_ in standins.logged(tmp_path)][-2:] == ["profile"] * 2


@pytest.mark.parametrize("do", ["exit", "hang"])
def test_explained_by_counts_alone(explained, monkeypatch, do):
    """Where a side cannot be sampled, or not in time, the verdict stands with what was counted."""
    monkeypatch.setattr(measuring, "SAMPLING", 1.0 if do == "exit" else 1e-3)
    faults = [{"do": do, "pass": "profile"}]
    assert explained(head={"ratio": 1.3, "calls": 4, "faults": faults}) == CHANGED


def test_interrupted_while_samples_are_taken(explained, monkeypatch):
    """The verdict stands, with its cause, where a Ctrl-C ends what would explain it further."""

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Group, "profile", interrupt)
    assert explained(head={"ratio": 1.3, "calls": 4}) == CHANGED


def test_nothing_to_explain(explained, tmp_path):
    """What did not change is not explained, whatever was counted."""
    assert explained(head={"calls": 4}) == ""
    assert sampled(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "status", "limits", "said"),
    [
        (["--fail-on", "time:50%"], 0, "time:50%, memory:10%, error:1% (as in the", "nothing regressed; "),
        ([], 1, "time:3%, memory:10%, error:1% (as in the", "epoch[digits-fused]: time +30"),
    ],
)
def test_report_of_a_live_comparison(tmp_path, monkeypatch, capsys, given, status, limits, said):
    """A report of a live comparison judges by its limits, and says which these are; without them, by the default."""

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
    assert said in page
    (store / judging.FILE).unlink()
    assert cli.main(["report", str(store), "--out", "out"]) == 0
    page = (tmp_path / "out" / "summary.md").read_text()
    assert str(judging.Judging()) in page
    assert "epoch[digits-fused]: time +30" in page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget", "ten"], "budget 'ten'; give a time above 0 with its unit, such as 90s, 10m or 1h"),
        (["--budget", "0s"], "budget '0s'; give a time above 0"),
        (["--base-env", "jax"], "variable 'jax'; give a name and a value"),
        (["nowhere"], "'nowhere': no such revision"),
        (["--head-python", "nowhere"], "nowhere: no such interpreter"),
        (["--fail-on", "time"], "limit 'time'; give time, memory, error, counts with a share"),
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
    assert [suite_options.seconds(text) for text in ("90s", "1.5m", "1h")] == [90, 90, 3600]


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
    assert suite_options.select(arguments, project, "-k", "x") == options
