"""The command run does in any folder what 'pytest benchmarks/' does in a clone."""

import json
import os
import subprocess
import sys
import zipfile

import pytest
from suite_runs import ROOT

from autoenc_bench.cli import __main__ as cli
from autoenc_bench.records import storage

CHOSEN = ("--backend=jax", "--threads=1", "--scale=smoke", "--experiment=digits", "--no-roofs", "--no-report")


@pytest.mark.parametrize("given", [["--scale", "smoke", "-k", "x"], ["--", "--scale", "smoke", "-k", "x"]])
def test_arguments(monkeypatch, capsys, given):
    """In a clone, all arguments go to pytest after benchmarks/, and the exit code is pytest's."""
    received = []
    monkeypatch.setattr(pytest, "main", lambda arguments: received.append(arguments) or pytest.ExitCode(5))
    monkeypatch.chdir(ROOT)
    assert cli.main(["run", *given]) == 5
    assert received == [["benchmarks/", "--scale", "smoke", "-k", "x"]]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(capsys, option):
    """The command's own help names pytest's."""
    with pytest.raises(SystemExit, match="0"):
        cli.main(["run", option])
    assert "run -- --help" in capsys.readouterr().out


@pytest.mark.parametrize("conftest", [None, "# of another project\n"])
def test_beside_other_benchmarks(tmp_path, monkeypatch, conftest):
    """In another project's folder, the suite's own benchmarks run, not those of the project."""
    (tmp_path / "benchmarks").mkdir()
    if conftest:
        (tmp_path / "conftest.py").write_text(conftest)
    received = []
    monkeypatch.setattr(pytest, "main", lambda arguments: received.extend(arguments) or 0)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["run"]) == 0
    assert received[-1] == str(ROOT / "benchmarks")


@pytest.mark.slow
def test_installed(tmp_path, fused):
    """From the wheel, in an empty folder beside another project's settings, cases have the ids of a clone."""
    built, installed, here = tmp_path / "built", tmp_path / "installed", tmp_path / "here"
    here.mkdir()
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", built]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(built.iterdir())) as wheel:
        wheel.extractall(installed)
    (tmp_path / "conftest.py").write_text("raise RuntimeError\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --unknown\n")
    command = [sys.executable, "-m", "autoenc_bench.cli", "run", *CHOSEN, "-k", "build"]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (installed / "autoenc_bench" / "py.typed").exists()
    assert [path.name for path in installed.glob("autoenc_bench/.*")] == []
    ids = [
        {case["fullname"] for case in json.loads(record.read_text())["benchmarks"] if "build" in case["name"]}
        for record in (storage.newest(here / ".benchmarks"), fused.record)
    ]
    assert ids == [{"benchmarks/test_cold_start.py::test_build[digits]"}] * 2
