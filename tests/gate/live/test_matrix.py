"""The suite runs on each backend, and one report holds them all."""

import subprocess
import sys
from pathlib import Path

import pytest

from autoenc_bench import cli
from autoenc_bench.core import backends
from autoenc_bench.gate.live import matrix

ROOT = Path(__file__).parents[3]
COMMAND = Path(sys.executable).with_name("autoenc-bench")


def test_choose(monkeypatch):
    """All that are installed run, or those that were asked for, each once."""
    monkeypatch.setattr(backends, "is_installed", lambda name: name != "torch")
    assert matrix.choose([]) == ["tensorflow", "jax"]
    assert matrix.choose(["jax", "jax"]) == ["jax"]
    with pytest.raises(LookupError, match="backend torch is not installed"):
        matrix.choose(["jax", "torch"])


def test_bad_usage(capsys):
    """A backend that nobody knows is answered with those that there are."""
    assert cli.main(["matrix", "--backend", "mxnet"]) == 2
    assert "unknown backend 'mxnet'; choose from tensorflow, jax, torch" in capsys.readouterr().err


def test_no_record(tmp_path, monkeypatch, capsys):
    """A backend without a record does not keep the others from theirs, and shows in the status."""
    runs = iter(
        [("tensorflow", ValueError("the tensorflow backend, in this folder, could not run the suite: no such file"))]
    )
    monkeypatch.setattr(matrix, "run", lambda *_: runs)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["matrix", "--backend", "tensorflow"]) == 2
    assert "no backend left a record" in capsys.readouterr().err


def test_errors_agree(tmp_path):
    """Trained on another backend an experiment reaches the same error, and one report says so."""
    if not backends.is_installed("jax"):
        pytest.skip("jax is not installed")
    options = ["--scale", "smoke", "--experiment", "digits", "--experiment", "crude-simple", "-k", "experiment"]
    command = [COMMAND, "matrix", "--backend", "tensorflow", "--backend", "jax", "--out", tmp_path / "out", "--"]
    command += [*options, "--no-roofs", ROOT / "benchmarks"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "jax: 2 cases, 0 failed" in done.stderr
    assert "All errors agree." in (tmp_path / "out" / "summary.md").read_text()
