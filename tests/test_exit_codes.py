"""Each row of the tables of exit codes has a command here that ends with it."""

import json
from types import SimpleNamespace

import histories
import pytest
import recordings
from fuzzing import call

from autoenc_bench import exit_codes
from autoenc_bench.cli import __main__ as cli
from autoenc_bench.cli import matrix
from autoenc_bench.exceptions import RunFailedError
from autoenc_bench.history import runs
from autoenc_bench.machine import context
from autoenc_bench.report import devices, page
from autoenc_bench.verdicts import comparison

CASE = "epoch[digits-fused]"
BUG_MESSAGE = "this is a bug of autoenc-bench"


@pytest.fixture(autouse=True)
def records(tmp_path, monkeypatch):
    """Run in a folder with records to compare, and with the records of two backends."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    for name, times, errors in (
        ("base", [0.2] * 3, 5.0),
        ("slower", [0.3] * 3, 5.0),
        ("worse", [0.2] * 3, 6.0),
        ("slower-but-noisy", [0.15, 0.2, 0.3], 5.0),
        ("once", [0.2], 5.0),
    ):
        contents = [histories.content(day, time, error=errors) for day, time in enumerate(times)]
        histories.write(tmp_path / name, contents)
    other = [histories.content(day, machine=histories.OTHER) for day in range(3)]
    histories.write(tmp_path / "other-machine", other)
    fewer = [histories.content(day) for day in range(3)]
    for content in fewer:
        del content["benchmarks"][:1]
    histories.write(tmp_path / "fewer", fewer)
    for name, failed in (("jax", []), ("torch", [{"case": "epoch[digits-fit]", "reason": "no room"}])):
        content = recordings.content(["digits"])
        content["autoenc"]["failed"] = failed
        (tmp_path / f"0001_{name}.json").write_text(json.dumps(content))
    (tmp_path / "no-record.json").write_text("{}")
    return tmp_path


def fail(*_, **__):
    """Raise an exception that only a bug raises."""
    return {}["constant mean"]


def check(arguments, status, message):
    """Run a command in this process; check its exit code and its message."""
    found, out, err = call(*arguments)
    assert found == status, err
    assert message in out + err
    assert (BUG_MESSAGE in err) == ("Traceback" in err) == (status == exit_codes.BUG)


GATE = [
    (0, ["base", "base"], "nothing regressed; a change of "),
    (0, ["slower", "base"], "nothing regressed; a change of "),
    (0, ["base", "fewer", "--allow-missing"], "nothing regressed; a change of "),
    (1, ["base", "slower"], "regressed: epoch[digits-fused]"),
    (1, ["base", "worse"], "regressed: experiment[digits-fused]"),
    (1, ["base", "slower", "--strict"], "regressed: epoch[digits-fused]"),
    (2, ["base", "nobody"], "nobody: no such record"),
    (2, ["base", "other-machine"], "times are incomparable: machine "),
    (2, ["base", "fewer"], "missing from the head: epoch[digits-fused]"),
    (2, ["base", "base", "--fail-on", "time"], "limit 'time'; give "),
    (3, ["once", "once"], "time is undecided in every case: "),
    (3, ["base", "slower-but-noisy"], "time is undecided in every case: "),
    (3, ["base", "slower-but-noisy", "--strict"], "time is undecided in every case: "),
    (70, ["base", "base"], BUG_MESSAGE),
]


@pytest.mark.parametrize(("status", "sides", "message"), GATE)
def test_gate(monkeypatch, status, sides, message):
    """``compare`` ends with the code of its verdict, or of the reason why it has none."""
    if status == exit_codes.BUG:
        monkeypatch.setattr(comparison, "compare", fail)
    check(["compare", *sides], status, message)


MATRIX = [
    (0, ["jax"], "report: reports/index.html"),
    (1, ["torch"], "torch: 8 cases, 1 failed"),
    (1, ["torch", "jax"], "torch: 8 cases, 1 failed"),
    (2, ["tensorflow"], "no backend left a record"),
    (2, ["tensorflow", "jax"], "could not run the suite"),
    (2, ["tensorflow", "torch"], "could not run the suite"),
    (2, ["mxnet"], "unknown backend 'mxnet'"),
    (70, ["jax"], BUG_MESSAGE),
]


@pytest.mark.parametrize(("status", "backends", "message"), MATRIX)
def test_matrix(records, monkeypatch, status, backends, message):
    """``matrix`` ends with the worst result: TensorFlow writes no record here, and a case of torch fails."""

    def measure(backend, *_):
        if backend == "tensorflow":
            raise RunFailedError("the tensorflow backend, in this folder, could not run the suite: no file")
        return records / f"0001_{backend}.json"

    def write(paths, out, **_):
        assert paths
        return SimpleNamespace(page=out / "index.html")

    monkeypatch.setattr(matrix, "choose", matrix.choose if backends == ["mxnet"] else list)
    monkeypatch.setattr(matrix, "measure", measure)
    monkeypatch.setattr(page, "write", fail if status == exit_codes.BUG else write)
    check(["matrix", *(f"--backend={backend}" for backend in backends)], status, message)


def interrupted(*_, **__):
    """Raise what Ctrl-C raises."""
    raise KeyboardInterrupt


OTHERS = [
    (0, ["experiments"], None, "mnist"),
    (0, ["summary", "0001_jax.json"], None, "digits"),
    (0, ["history", "base"], None, "3 runs on 1 machine"),
    (0, ["report", "0001_jax.json"], (page, "write", lambda *_, **__: page.WrittenReport("x", [])), "report: x"),
    (0, ["machine"], (context, "survey", lambda _: recordings.RUN), "exponentials roof"),
    (2, ["summary"], None, "no records yet"),
    (2, ["summary", "no-record.json"], None, "no-record.json: not a readable record"),
    (2, ["history", "no-record.json"], None, "no-record.json: not a readable record"),
    (2, ["history", "nowhere"], None, "nowhere: no such folder or record"),
    (2, ["report", "no-record.json"], None, "no-record.json: not a readable record"),
    (2, ["report", "0001_jax.json", "--out", "no-record.json"], None, "no-record.json: cannot be written: "),
    (2, ["machine", "--threads", "0"], None, "thread count '0'"),
    (0, ["why", "main", ".", CASE], (cli.why, "run", lambda _: "the program changed"), "the program changed"),
    (2, ["why", "main", ".", "digits"], None, "got 'digits'"),
    (70, ["why", "main", ".", CASE], (cli.why.both_sides, "choose_case", fail), BUG_MESSAGE),
    (2, ["history", "base"], (runs, "read_runs", interrupted), "interrupted"),
    (70, ["summary", "0001_jax.json"], (devices, "headline", fail), BUG_MESSAGE),
    (70, ["history", "base"], (runs, "read_runs", fail), BUG_MESSAGE),
    (70, ["report", "0001_jax.json"], (page, "write", fail), BUG_MESSAGE),
    (70, ["machine"], (context, "survey", fail), BUG_MESSAGE),
    (70, ["experiments"], (cli.experiments, "Table", fail), BUG_MESSAGE),
]


@pytest.mark.parametrize(("status", "arguments", "changed", "message"), OTHERS)
def test_others(monkeypatch, status, arguments, changed, message):
    """All other commands succeed, or end with the reason."""
    if changed:
        monkeypatch.setattr(*changed)
    check(arguments, status, message)


def test_every_row():
    """Each row of each table, and each command, has a case here."""
    for name, rows in (("GATE", GATE), ("MATRIX", MATRIX), ("OTHERS", OTHERS)):
        assert {row[0] for row in rows} == set(getattr(exit_codes, name)), name
    commands = {module.__name__.rpartition(".")[2] for module in cli.COMMANDS} - {
        "bisect",
        "compare",
        "continuous",
        "matrix",
        "run",  # has the exit codes of pytest, see test_run.py
    }
    assert {(row[1][0], row[0]) for row in OTHERS} | {("experiments", 2)} == {
        (command, status) for command in commands for status in exit_codes.OTHERS
    }


@pytest.mark.parametrize(
    ("command", "table"),
    [([], "OTHERS"), (["compare"], "GATE"), (["continuous"], "GATE"), (["matrix"], "MATRIX")],
)
def test_help(capsys, monkeypatch, command, table):
    """The help of a command explains each of its exit codes in a line."""
    monkeypatch.setenv("COLUMNS", "2000")  # no line breaks within lines
    with pytest.raises(SystemExit, match="0"):
        cli.main([*command, "--help"])
    lines = capsys.readouterr().out.splitlines()
    for status, meaning in getattr(exit_codes, table).items():
        assert f"  {status:<2}  {meaning}" in lines


@pytest.mark.parametrize("arguments", [[], ["--nothing"], ["compare", "base"], ["history", "--format", "pdf"]])
def test_bad_usage(arguments):
    """Invalid usage is refused with the same exit code."""
    with pytest.raises(SystemExit, match=str(exit_codes.REFUSED)):
        call(*arguments)
