"""The command why explains a change from one run of each side, or refuses with a message."""

from contextlib import contextmanager

import pytest
import repositories
import standins

from autoenc_bench.cli import __main__ as cli
from autoenc_bench.live import checkouts, differences

CASE = "epoch[digits-fused]"
WHOLE = "experiment[digits-fused]"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Run in a folder whose benchmarks have the stand-ins' cases."""
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "test_x.py").write_text("def test_epoch(): ...\ndef test_experiment(): ...\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def why(folder, monkeypatch, capsys):
    """Return a function that runs why with stand-ins: (exit code, lines on the output, on the error output)."""
    wanted_sides = []

    def ask(*arguments, **given):
        @contextmanager
        def both(*wanted):
            wanted_sides.extend(wanted[:2])
            yield standins.sides(folder, **given)

        monkeypatch.setattr(checkouts, "both", both)
        status = cli.main(["why", *(arguments or ("main", ".", CASE))])
        printed = capsys.readouterr()
        return status, printed.out.splitlines(), printed.err.splitlines()

    ask.wanted_sides = wanted_sides
    return ask


@pytest.mark.parametrize(
    ("head", "cause"),
    [
        ({}, "counts are equal, so the cause is the runtime, the memory or the machine"),
        ({"calls": 4}, "Python's calls changed: +1 calls in a step: model:step 4 × instead of 3"),
        (
            {"program": "another"},
            "the program changed: the same instructions with other shapes or constants, or in",
        ),
        ({"context": {"keras": "3.2"}}, "counts are equal, so the cause is the runtime, the memory or the mac"),
    ],
)
def test_cause(why, head, cause):
    """The case's cause comes first, also if its time did not change, and the tested difference last."""
    status, (line, *_), err = why(head=head)
    assert status == 0
    assert line.startswith(f"{CASE}: {cause}")
    assert line.endswith("; under test: keras 3.1 → 3.2") is ("context" in head)
    assert err == ["running both sides once"]


def test_more(why):
    """After the cause come the diff of both programs, and the functions whose time changed."""
    _, lines, _ = why(head={"program": "another", "profile": {"step (model.py)": 0.3}})
    assert lines[1].startswith("diff of both programs: ")
    assert lines[1].endswith(f"/why/{CASE}.diff")
    assert lines[2:] == ["sampled, a call's time by function: step (model.py) 200 ms → 300 ms"]


def test_each_side_runs_once(why, folder):
    """The case runs once on each side, alone."""
    why()
    assert standins.logged(folder) == [
        (what, side, "alone", case)
        for side in ("base", "head")
        for what, case in (("start", "-"), ("visit", CASE), ("count", CASE), ("profile", CASE))
    ]
    assert standins.left(folder) == []


def test_what_the_sides_are(why):
    """A dot stands for the working tree, and a side gets its variables."""
    why("main", ".", CASE, "--head-env", "KERAS_BACKEND=jax")
    base, head = why.wanted_sides
    assert (base.revision, head.revision) == ("main", None)
    assert (base.environment, head.environment) == ({}, {"KERAS_BACKEND": "jax"})


def test_options_of_pytest(why, monkeypatch):
    """The options after -- are pytest's, on both sides."""
    given = []
    original = differences.run_once

    def run(sides, options, *others):
        given.append(options)
        return original(sides, options, *others)

    monkeypatch.setattr(differences, "run_once", run)
    assert why("main", ".", CASE, "--", "--scale", "smoke")[0] == 0
    assert given == [[f"{standins.FILE}{CASE}", "--scale", "smoke"]]


@pytest.mark.parametrize("case", [WHOLE, "experiment[digits-fused-seed0]"])
def test_whole_experiment(why, case):
    """A whole experiment may be named with or without its seed, and has no counts."""
    status, lines, err = why("main", ".", case)
    assert status == 0, err
    assert lines == [f"{WHOLE}: no counts: at least one side did not run the instrumentation pass"]


def test_side_that_fails(why):
    """A side that cannot run the case is reported with its reason."""
    status, lines, err = why(head={"faults": [{"do": "exit", "case": CASE}]})
    assert (status, lines) == (2, [])
    assert err[1:] == ["autoenc-bench: the head, code of the head, could not run the suite: out of luck"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["main", ".", "digits"], "got 'digits'"),
        (["main", ".", "fly[digits-fused]"], "fly[digits-fused]: nothing in benchmarks/ measures fly"),
        (["nowhere", ".", CASE], "'nowhere': no such revision"),
        (["main", "nowhere", CASE], "'nowhere': no such revision"),
        (["main", ".", CASE, "--base-python", "nowhere"], "nowhere: no such interpreter"),
        (["main", ".", CASE, "--base-env", "jax"], "variable 'jax'; give a name and a value"),
    ],
)
def test_refused(tmp_path, monkeypatch, capsys, arguments, message):
    """Bad input gets a one-line message, and nothing runs."""
    folder = repositories.create(tmp_path / "project")
    repositories.commit(folder, {"benchmarks/test_speed.py": "def test_epoch(): ...\n"})
    monkeypatch.chdir(folder)
    assert cli.main(["why", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"autoenc-bench: {message}")
    assert printed.err.count("\n") == 1
    assert not (folder / ".continuous").exists()
