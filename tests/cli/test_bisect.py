"""The command bisect: what it reads, refuses and prints, and by the real command line."""

import os
import signal
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import pytest
import repositories
import standins
from suite_runs import LEAN

from autoenc_bench import exit_codes
from autoenc_bench.cli import __main__ as cli
from autoenc_bench.cli import bisect, both_sides
from autoenc_bench.exceptions import InvalidInputError, NotFoundError, RunFailedError
from autoenc_bench.live import bisection, environments
from autoenc_bench.live import points as searched_points
from autoenc_bench.live.bisection import Answer, Finding, Step
from autoenc_bench.live.points import Points
from autoenc_bench.machine import fingerprint, threads

TESTS = Path(__file__).parents[1]
COMMAND = Path(sys.executable).with_name("autoenc-bench")
EPOCH = "epoch[digits-fused]"
CULPRIT, LENGTH = 5, 8  # commits after the first
PACKAGE = "autoenc_bench/__init__.py"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Make a project with a linear history, in which one commit made it slower, and one commit beside it."""
    folder = repositories.create(tmp_path_factory.mktemp("project") / "project")
    suite = standins.suite(epoch="digits-fused", experiment="digits-fused-seed0")
    repositories.commit(folder, {**suite, ".gitignore": ".continuous/\n", PACKAGE: "SETTINGS = {}\n"})
    repositories.git(folder, "branch", "beside")
    repositories.git(folder, "tag", "good")
    for number in range(1, LENGTH + 1):
        ratio = 1.3 if number >= CULPRIT else 1.0
        repositories.commit(folder, {PACKAGE: f"SETTINGS = {{'ratio': {ratio}}}\n# change {number}\n"})
        repositories.git(folder, "tag", f"change-{number}")
    repositories.git(folder, "checkout", "--quiet", "beside")
    repositories.commit(folder, {PACKAGE: "SETTINGS = {}\n# beside\n"})
    repositories.git(folder, "checkout", "--quiet", "main")
    return folder


@pytest.fixture(autouse=True)
def cpu(monkeypatch):
    """Replace the reading of the CPU's name, which takes a second."""
    monkeypatch.setattr(fingerprint, "cpu_model", lambda: "a CPU")


# Input


@pytest.mark.parametrize(
    ("given", "case", "options"),
    [
        ([EPOCH], EPOCH, [f"benchmarks/test_x.py::test_{EPOCH}"]),
        ([EPOCH, "--scale", "smoke"], EPOCH, [f"benchmarks/test_x.py::test_{EPOCH}", "--scale", "smoke"]),
        *(
            (
                [f"experiment[digits-fused{given}]"],
                "experiment[digits-fused]",  # its name in verdicts
                [f"benchmarks/test_x.py::test_experiment[digits-fused{seed}]"],
            )
            for given, seed in (("", "-seed0"), ("-seed0", "-seed0"), ("-seed3", "-seed3"))
        ),
    ],
)
def test_chosen(project, given, case, options):
    """A case is selected by the test that measures it, an experiment with a seed; pytest's options come after it."""
    assert both_sides.choose_case(given, project) == (case, options)


@pytest.mark.parametrize("given", [[], ["--scale"], ["epoch"], ["epoch[]"], ["test_speed.py::test_epoch[digits]"]])
def test_no_case(project, given):
    """Anything else than a case is refused with an example."""
    with pytest.raises(InvalidInputError, match=r"^got .*; give a case such as epoch\[mnist-fused\]"):
        both_sides.choose_case(given, project)


def test_case_that_nothing_measures(project):
    """A case whose phase has no benchmark is refused."""
    with pytest.raises(NotFoundError, match=r"^decode\[x\]: nothing in benchmarks/ measures decode; give"):
        both_sides.choose_case(["decode[x]"], project)


def test_revisions(project):
    """Between two revisions, git's own commits are searched, all measured by the bad one's harness."""
    ids = [repositories.git(project, "rev-parse", name).strip() for name in ("good", "main")]
    with searched_points.find("good", "main", project) as points:
        assert points.ends == tuple(ids)
        assert points.harness == ids[1]
        assert points.wanted(ids[0]).revision == ids[0]
        assert points.wanted(ids[0]).packages == ()
        assert points.name(ids[1]) == repositories.git(project, "log", "-1", "--format=%h %s").strip()
        assert points.details(ids[1])[0].startswith("Test, 20")
        assert points.details(ids[1])[1].startswith(f" {PACKAGE} |")
        assert repositories.git(project, "worktree", "list").count("\n") == 2
    assert repositories.git(project, "worktree", "list").count("\n") == 1


def test_hostile_commit(tmp_path):
    """Neither the subject nor the author of a commit moves a terminal's cursor."""
    folder = repositories.create(tmp_path / "project")
    author = ("-c", "user.name=E\x1b[2Jve", "-c", "color.ui=always")
    repositories.git(folder, *author, "commit", "--quiet", "--allow-empty", "--message", "A \x1b[2J subject")
    with searched_points.find("main~1", "main", folder) as points:
        texts = [points.name(points.ends[1]), *points.details(points.ends[1])]
    assert "\x1b" not in "".join(texts)
    assert "subject" in texts[0]


GPG = r"""#!/bin/sh
cat > /dev/null  # else git may write to a closed pipe
case "$*" in
*--verify*) echo "gpg: Good signature from Somebody" >&2; echo "[GNUPG:] GOODSIG 0 Somebody" ;;
*) printf '\n[GNUPG:] SIG_CREATED ' >&2
   printf -- '-----BEGIN PGP SIGNATURE-----\n\nnone\n-----END PGP SIGNATURE-----\n' ;;
esac
"""


def test_configured_git(tmp_path, monkeypatch):
    """The user's configuration of git, such as signatures and colours, changes no name and no author."""
    folder = repositories.create(tmp_path / "project")
    (tmp_path / "gpg").write_text(GPG)
    (tmp_path / "gpg").chmod(0o755)
    repositories.git(folder, "config", "gpg.program", str(tmp_path / "gpg"))
    (folder / "new.py").touch()
    repositories.git(folder, "add", "new.py")
    repositories.git(folder, "commit", "--quiet", "--gpg-sign=key", "--message", "A signed change")
    for name, value in (("log.showSignature", "true"), ("color.ui", "always"), ("color.diff", "always")):
        repositories.git(folder, "config", name, value)
    assert "Good signature" in repositories.git(folder, "show", "--no-patch")
    for name in ("PAGER", "GIT_PAGER"):
        monkeypatch.setenv(name, "false")
    with searched_points.find("main~1", "main", folder) as points:
        short = repositories.git(folder, "rev-parse", "--short", "HEAD").strip()
        assert points.name(points.ends[1]) == f"{short} A signed change"
        author, *touched = points.details(points.ends[1])
    assert author.startswith("Test, 20")
    assert "\x1b" not in "".join(touched)
    assert "signature" not in "".join(touched)


def test_releases(project, monkeypatch):
    """Between two releases, those that pip lists are searched, each installed beside the working tree."""
    asked = []
    listed = ["3.11.0", "3.12.0", "3.13.0"]
    monkeypatch.setattr(environments, "releases", lambda *given: asked.append(given) or listed)
    ends = []
    for day in (1, 2):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"2026-01-0{day} 12:00")
        with searched_points.find("Keras==3.11.0", "keras==3.13.0", project) as points:
            assert [points.name(one) for one in points.ends] == ["Keras==3.11.0", "Keras==3.13.0"]
            assert points.wanted(points.ends[1]).packages == ["Keras==3.13.0"]
            assert points.wanted(points.ends[1]).revision is None
            assert (points.harness, points.details(points.ends[0])) == (None, ())
            between = repositories.git(points.repository, "rev-list", *points.ends, f"^{points.ends[0]}").split()
            assert [points.name(one) for one in between] == ["Keras==3.13.0", "Keras==3.12.0"]
        ends.append(points.ends)
    assert asked == [("Keras", "3.11.0", "3.13.0", Path(sys.executable))] * 2
    assert ends[0] == ends[1]  # else kept answers would not be found


def test_releases_of_other_code(tmp_path, monkeypatch):
    """Answers about releases belong to the working tree's code; answers about commits do not."""
    folder = repositories.create(tmp_path / "project")
    repositories.commit(folder, {"later.py": ""})
    monkeypatch.setattr(environments, "releases", lambda *_: ["3.11.0", "3.12.0"])
    measured, commits = [], []
    for text in ("a = 1\n", "a = 1\n", "a = 2\n"):
        (folder / "new.py").write_text(text)
        with searched_points.find("keras==3.11.0", "keras==3.12.0", folder) as points:
            measured.append(points.code)
        with searched_points.find("main~1", "main", folder) as points:
            commits.append(points.code)
    assert measured[0] == measured[1] != measured[2]
    assert commits == [""] * 3


def test_surroundings(monkeypatch, tmp_path):
    """Answers belong to one interpreter, one set of libraries, some variables, Keras's file and one machine."""
    for home, text in (("one", "{}"), ("same", "{}"), ("other", '{"epsilon": 1e-6}')):
        (tmp_path / home / ".keras").mkdir(parents=True)
        (tmp_path / home / ".keras/keras.json").write_text(text)
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "one"))
    usual = bisect.surroundings()
    assert bisect.surroundings() == usual
    for name in ("KERAS_BACKEND", "XLA_FLAGS", "PIP_INDEX_URL", "PYTHONPATH", "PYTEST_ADDOPTS"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "another")
            assert bisect.surroundings() != usual, name
    for owner, name, value in (
        (sys, "executable", "/another/python"),
        (sys, "version", "another"),
        (fingerprint, "cpu_model", lambda: "another CPU"),
        (fingerprint, "cpu_limit", lambda: 0.1),
        (fingerprint, "libraries", lambda _: {"keras": "another"}),
        (threads, "usable_cores", list),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, value)
            assert bisect.surroundings() != usual, name
    with monkeypatch.context() as patch:
        patch.setenv("HOME", str(tmp_path / "same"))
        assert bisect.surroundings() == usual
        patch.setenv("HOME", str(tmp_path / "other"))
        assert bisect.surroundings() != usual


def test_store(project, monkeypatch):
    """A search continues from its own answers alone: another question, or other surroundings, has another folder."""
    stores = []

    def search(**given):
        stores.append(given["store"])
        raise RunFailedError("as expected")

    monkeypatch.setattr(bisection, "Bisection", search)
    monkeypatch.chdir(project)
    for end, case, follow, options, backend in (
        ("main", EPOCH, "time", (), "jax"),
        ("main", EPOCH, "time", (), "jax"),
        ("main", EPOCH, "time", (), "torch"),
        ("change-1", EPOCH, "time", (), "jax"),
        ("main", "epoch[other]", "time", (), "jax"),
        ("main", EPOCH, "counts", (), "jax"),
        ("main", EPOCH, "time", ("-k a", "b"), "jax"),
        ("main", EPOCH, "time", ("-k", "a b"), "jax"),
    ):
        monkeypatch.setenv("KERAS_BACKEND", backend)
        given = {"good": "good", "bad": end, "follow": follow, "budget": "30m", "pytest": [case, *options]}
        with pytest.raises(RunFailedError, match="as expected"):
            bisect.run(Namespace(**given))
    assert stores[0] == stores[1]
    assert len(set(stores)) == len(stores) - 1


# Refusals


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["good", "main"], "got none after --; give a case"),
        (["good", "main", "--"], "got none after --; give a case"),
        (["good", "main", "--", "epoch"], "got 'epoch'; give a case"),
        (
            ["good", "main", "--", "experiment[digits-fused]"],
            "experiment[digits-fused] runs once, for its error, so its",
        ),
        (["good", "main", "--", "decode[x]"], "decode[x]: nothing in benchmarks/ measures decode"),
        (["good", "keras==3.11.0", "--", EPOCH], "good and keras==3.11.0; give two git revisions, or two releases"),
        (["keras==3.11.0", "good", "--", EPOCH], "keras==3.11.0 and good; give two git revisions, or two releases"),
        (["keras==3.11.0", "jax==0.9.0", "--", EPOCH], "keras==3.11.0 and jax==0.9.0; give two git revisions"),
        (["keras==3.11.0", "keras==3.12.0", "--", EPOCH], "pip cannot list the releases of keras: No matching"),
        (["nowhere", "main", "--", EPOCH], "'nowhere': no such revision"),
        (["good", "nowhere", "--", EPOCH], "'nowhere': no such revision"),
        (["--", EPOCH], ""),
        (["main", "good", "--", EPOCH], "is no ancestor of"),
        (["beside", "main", "--", EPOCH], "is no ancestor of"),
        (["main", "main", "--", EPOCH], "both are one commit"),
        (["good", "main", "--budget", "soon", "--", EPOCH], "budget 'soon'; give a time above 0"),
        (["good", "main", "--budget", "0s", "--", EPOCH], "budget '0s'; give a time above 0"),
    ],
)
def test_refused(project, monkeypatch, capsys, arguments, message):
    """Bad input gets a one-line message and exit code 2, nothing is measured, and the repository is unchanged."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    before = repositories.git(project, "for-each-ref")
    if not message:  # argparse's own sentence
        with pytest.raises(SystemExit) as caught:
            cli.main(["bisect", *arguments])
        assert caught.value.code == exit_codes.REFUSED
        return
    assert cli.main(["bisect", *arguments]) == exit_codes.REFUSED
    err = capsys.readouterr().err
    assert err.startswith("autoenc-bench: ")
    assert message in err
    assert err.count("\n") == 1
    assert repositories.git(project, "worktree", "list").count("\n") == 1
    assert repositories.git(project, "for-each-ref") == before


# What is printed


def step(answer=Answer.CHANGED, **changes):
    """Make a step."""
    return Step(**{"base": "a", "head": "b", "answer": answer, "change": "+30.0 %", **changes})


POINTS = Points(
    repository=Path(),
    ends=("a", "d"),
    wanted=None,
    harness=None,
    code="",
    name=lambda commit: f"{commit} subject",
    details=lambda commit: (f"who made {commit}", " file | 1 +"),
)
FIRST = "epoch[x], from a subject to d subject: +30.0 %"


@pytest.mark.parametrize(
    ("finding", "lines", "code"),
    [
        (
            Finding(
                total=step(cause="a new loop"), suspects=["c"], confirmation=step(cause="an add"), confidence=0.984
            ),
            [
                FIRST,
                "since c subject",
                "measured again, against the one before it: +30.0 %",
                "confidence: at least 98.4 %",
                "why: an add",
                "who made c",
                " file | 1 +",
            ],
            0,
        ),
        (
            Finding(total=step(cause="a new loop"), suspects=["c"]),
            [
                FIRST,
                "since c subject",
                "confidence: exact: the values repeat in every run",
                "why: a new loop",
                "who made c",
                " file | 1 +",
            ],
            0,
        ),
        (
            Finding(total=step(), suspects=["c"], confirmation=step(Answer.SAME, change="+1.0 %"), confidence=0.9),
            [
                FIRST,
                "since c subject",
                "measured again, against the one before it: +1.0 %",
                "so it is not confirmed, and the change may be spread over several",
            ],
            exit_codes.UNDECIDED,
        ),
        (
            Finding(total=step(), suspects=["c", "b"], confidence=0.9),
            [FIRST, "it is one of 2 candidates; comparisons could not separate them:", "  c subject", "  b subject"],
            exit_codes.UNDECIDED,
        ),
        (
            Finding(total=step(Answer.SAME)),
            [FIRST, "nothing changed between them"],
            exit_codes.NOTHING_TO_FIND,
        ),
        (
            Finding(total=step(Answer.UNKNOWN)),
            [FIRST, "the change between them is undecided; give more time with --budget"],
            exit_codes.UNDECIDED,
        ),
        (
            Finding(total=step(), suspects=["c"], confirmation=step(Answer.UNKNOWN), confidence=0.9),
            [
                FIRST,
                "since c subject",
                "measured again, against the one before it: +30.0 %",
                "so it is not confirmed; give more time with --budget",
            ],
            exit_codes.UNDECIDED,
        ),
    ],
)
def test_conclusion(finding, lines, code):
    """Each result of a search has its own lines and exit code."""
    assert list(bisect.conclude(finding, "epoch[x]", POINTS)) == lines
    assert bisect.status(finding) == code


def test_row():
    """An answer is one line, in columns, with escapes for control characters."""
    shown = [
        bisect.row(step(Answer.SAME, seconds=7.4), lambda commit: f"{commit} \x1b[2J"),
        bisect.row(step(Answer.UNKNOWN, seconds=125.0, change="no\nroom"), str),
    ]
    assert shown == [r"same         7 s  b \x1b[2J: +30.0 %", r"unknown    125 s  b: no\nroom"]


# By the real command line


def call(project, *arguments):
    """Run the real command."""
    return subprocess.run(
        [COMMAND, "bisect", *arguments, "--", EPOCH],
        cwd=project,
        env=os.environ | LEAN,
        capture_output=True,
        text=True,
        check=False,
    )


def records(project):
    """List the records of all comparisons."""
    return set((project / ".continuous").rglob("*.json"))


@pytest.mark.slow
def test_found(project):
    """The commit that made a case slower is found; the same command again measures nothing, and prints the same."""
    before = repositories.git(project, "for-each-ref"), repositories.git(project, "status", "--porcelain")
    done = call(project, "good", "main")
    assert done.returncode == 0, done.stdout + done.stderr
    name = repositories.git(project, "log", "-1", "--format=%h %s", f"change-{CULPRIT}").strip()
    lines = done.stdout.splitlines()
    assert f"since {name}" in lines
    assert lines[0].startswith(f"{EPOCH}, from ")
    assert "against the one before it: +" in done.stdout
    assert "\nwhy: " in done.stdout
    assert f" {PACKAGE} |" in done.stdout
    rows = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
    answers = [row.split()[0] for row in rows]
    assert answers[0] == answers[-1] == Answer.CHANGED
    assert {*answers} == {Answer.SAME, Answer.CHANGED}
    assert len(rows) <= 2 + LENGTH.bit_length()
    assert "Traceback" not in done.stderr
    measured = records(project)
    again = call(project, "good", "main")
    assert (again.returncode, again.stdout) == (0, done.stdout)
    first, *same = [line for line in again.stderr.splitlines() if not line.startswith("warning: ")]
    assert first.startswith("continuing from .continuous/bisect-")
    assert same == rows
    assert records(project) == measured
    assert repositories.git(project, "worktree", "list").count("\n") == 1
    assert (repositories.git(project, "for-each-ref"), repositories.git(project, "status", "--porcelain")) == before
    assert standins.left(project) == []


@pytest.mark.slow
def test_nothing_to_find(project):
    """Two equal commits end with exit code 1."""
    done = call(project, "good", "change-1")
    assert done.returncode == exit_codes.NOTHING_TO_FIND, done.stderr
    assert done.stdout.endswith("nothing changed between them\n")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(project, number):
    """A Ctrl-C, or a job's end, prints how to continue, and leaves neither worktree nor process."""
    before = records(project)
    with subprocess.Popen(
        [COMMAND, "bisect", "change-2", f"change-{5 + (number == signal.SIGINT)}", "--", EPOCH],
        cwd=project,
        env=os.environ | LEAN,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background inherit none
    ) as process:
        while not records(project) - before:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        _, err = process.communicate()
    assert process.returncode == exit_codes.REFUSED, err
    assert "autoenc-bench: interrupted; the same command continues from the answers in .continuous/bisect-" in err
    assert "Traceback" not in err
    assert repositories.git(project, "worktree", "list").count("\n") == 1
    assert standins.left(project) == []
