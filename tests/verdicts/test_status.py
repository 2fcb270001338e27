"""The command ``compare`` ends with a status and its reason, and writes all formats."""

import json

import histories
import pytest
from histories import noisy, side_of

from autoenc_bench.cli import __main__ as cli

EPOCH, WHOLE = "epoch[digits-fused]", "experiment[digits-fused]"


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Save runs: a base, the same again, a slower one, a worse one and others."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    for name, times, error in (("base", noisy(0.2), 5.0), ("same", noisy(0.2, seed=1), 5.0), ("one", [0.2], 5.0)):
        side_of(tmp_path / name, times, error=error)
    side_of(tmp_path / "slower", noisy(0.3, seed=1))
    wild = [histories.content(day, time) for day, time in enumerate(noisy(0.2))]
    for found, factor in zip(wild, (0.8, 1.3, 0.9, 1.2, 1, 0.7, 1.1, 1), strict=True):
        found["benchmarks"][0] = histories.content(0, 0.2 * factor)["benchmarks"][0]
    histories.write(tmp_path / "wild", wild)
    side_of(tmp_path / "worse", noisy(0.2, seed=1), error=6.0)
    side_of(tmp_path / "elsewhere", noisy(0.2, seed=1), machine=histories.OTHER)
    return tmp_path


CLAIM = "nothing regressed; a change of 3 % in time, 10 % in memory, 1 % in error would have been detected"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["base", "same"], 0, CLAIM),
        (["base", "base"], 0, CLAIM),
        (["base", "slower"], 1, f"regressed: {EPOCH}, {WHOLE}"),
        (["base", "slower", "--fail-on", "time:60%"], 0, "nothing regressed; a change of 60 % in time, 10 % in memory"),
        (["base", "worse"], 1, f"regressed: {WHOLE}"),
        (["base", "elsewhere"], 2, "times are incomparable: machine 0123456789ab → ba9876543210"),
        (["base", "unsaved"], 2, "unsaved: no such record"),
        (["base", "same", "--fail-on", "speed:3%"], 2, "limit 'speed:3%'; give time, memory, error"),
        (["base", "same", "--across", "colour"], 2, "unknown part 'colour'"),
        (["base", "wild", "--strict"], 3, f"undecided: {EPOCH}"),
        (["base", "wild"], 0, f"{CLAIM}; but in {EPOCH} only a change of "),
        (
            ["one", "one"],
            3,
            "time is undecided in every case: too few runs to measure their spread; record 3 runs",
        ),
    ],
)
def test_compare(stored, capsys, arguments, code, said):
    """Each result has its status and prints its reason on standard error; without a comparison there is no table."""
    before = {path: path.stat().st_mtime_ns for path in stored.rglob("*")}
    assert cli.main(["compare", *arguments]) == code
    printed = capsys.readouterr()
    assert printed.err.startswith(f"autoenc-bench: {said}")
    assert printed.err.count("\n") == 1
    assert (EPOCH in printed.out) == (code != 2 or "incomparable" in said)
    assert {path: path.stat().st_mtime_ns for path in stored.rglob("*")} == before


def test_formats(stored, capsys, monkeypatch):
    """JSON can be read back, and Markdown is appended to a job's page."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(stored / "job.md"))
    assert cli.main(["compare", "base", "slower", "--format", "json"]) == 1
    written = json.loads(capsys.readouterr().out)
    first = written["verdicts"][0]
    assert (first["case"], first["joined"], first["memory"]["outcome"]) == (EPOCH, "worse", "unchanged")
    assert first["time"]["low"] < first["time"]["ratio"] < first["time"]["high"]
    assert written["head"]["files"][0].startswith("slower/")
    page = (stored / "job.md").read_text()
    assert "of `0000" in page
    result = f"regressed: {EPOCH}, {WHOLE}"
    assert (written["status"], written["result"]) == (1, result)
    assert page.startswith(f"# autoenc-bench compare\n\n`{result}`\n\ntime regressed in `epoch[digits-fused]`")
    assert "| `epoch[digits-fused]`" in page


def test_a_page_that_cannot_be_written(stored, capsys, monkeypatch):
    """The verdict stands if the job's page cannot be written."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(stored))
    assert cli.main(["compare", "base", "slower"]) == 1
    printed = capsys.readouterr()
    assert "cannot be written" in printed.err
    assert EPOCH in printed.out
