"""The command compare compares two sets of records, and its exit status is the result."""

import histories
import pytest

from autoenc_bench.cli import __main__ as cli
from autoenc_bench.history import runs
from autoenc_bench.report import page
from autoenc_bench.verdicts import comparison


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["base", "same"], 0),
        (["base", "slower"], 1),
        (["base", "worse"], 1),
        (["base", "unknown"], 2),
        (["base", "broken"], 2),
        (["base", "fewer"], 2),
        (["base", "fewer", "--allow-missing"], 0),
        (["one", "one"], 3),
    ],
)
def test_statuses(tmp_path, monkeypatch, capsys, arguments, status):
    """The status is 0 if nothing regressed, 1 if something did, 2 without a comparison, 3 if no time is decided."""
    fewer = histories.content(1)
    del fewer["benchmarks"][1:]
    for name, contents in (
        ("base", [histories.content(day) for day in range(3)]),
        ("same", [histories.content(day) for day in range(3)]),
        ("slower", [histories.content(day, 0.3) for day in range(3)]),
        ("worse", [histories.content(day, error=6.0) for day in range(3)]),
        ("one", [histories.content(0)]),
        ("fewer", [fewer] * 3),
    ):
        histories.write(tmp_path / name, contents)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "0001_x.json").write_text("{")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["compare", *arguments]) == status
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert printed.out.count("base: ") == (status != 2 or "fewer" in arguments)


@pytest.mark.parametrize(
    ("module", "name", "arguments"),
    [
        (comparison, "compare", ["compare", "base", "base"]),
        (page, "write", ["report", "base/0001_standard.json"]),
        (runs, "read_runs", ["history", "base"]),
    ],
)
def test_bug(tmp_path, monkeypatch, capsys, module, name, arguments):
    """A bug of ours is a traceback with a status of its own, never a message about the user's input."""
    histories.write(tmp_path / "base", [histories.content(0)])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, name, lambda *_, **__: {}["constant mean"])
    assert cli.main(arguments) == cli.BUG == 70
    err = capsys.readouterr().err
    assert "Traceback (most recent call last)" in err
    assert "KeyError: 'constant mean'" in err
    assert "this is a bug of autoenc-bench" in err.splitlines()[-1]
