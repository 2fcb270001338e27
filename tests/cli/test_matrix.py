"""The suite runs on each backend, and one report holds them all."""

import json
from types import SimpleNamespace

import pytest
import recordings
from suite_runs import QUICK, ROOT, TIMING

from autoenc_bench.backends import selection
from autoenc_bench.cli import __main__ as cli
from autoenc_bench.cli import matrix
from autoenc_bench.exceptions import RunFailedError
from autoenc_bench.records import loading, storage
from autoenc_bench.report import page, side_by_side

OLDER = ROOT / "tests/records/data/0001_before.json"  # the same experiment, on TensorFlow


def test_choose(monkeypatch):
    """All installed backends run, or the named ones, each once."""
    monkeypatch.setattr(selection, "is_installed", lambda name: name != "torch")
    assert matrix.choose([]) == ["tensorflow", "jax"]
    assert matrix.choose(["jax", "jax"]) == ["jax"]
    with pytest.raises(LookupError, match="backend torch is not installed"):
        matrix.choose(["jax", "torch"])


def test_bad_usage(capsys):
    """An unknown backend is refused with the known ones."""
    assert cli.main(["matrix", "--backend", "mxnet"]) == 2
    assert "unknown backend 'mxnet'; choose from tensorflow, jax, torch" in capsys.readouterr().err


def test_no_record(tmp_path, monkeypatch, capsys):
    """A backend without a record does not stop the others, and shows in the exit code."""

    def fail(*_):
        raise RunFailedError("the tensorflow backend, in this folder, could not run the suite: no file")

    monkeypatch.setattr(matrix, "measure", fail)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["matrix", "--backend", "tensorflow"]) == 2
    err = capsys.readouterr().err
    assert "autoenc-bench: the tensorflow backend, in this folder, could not run the suite: no file\n" in err
    assert "no backend left a record" in err


@pytest.mark.parametrize(("failed", "status"), [([], 0), ([{"case": "x", "reason": "y"}], 1)])
def test_statuses(tmp_path, monkeypatch, capsys, failed, status):
    """The exit code is 0 where every backend has a record, and 1 where a case failed."""
    content = recordings.content()
    content["autoenc"]["failed"] = failed
    path = tmp_path / "0001_jax.json"
    path.write_text(json.dumps(content))
    monkeypatch.setattr(matrix, "measure", lambda *_: path)
    monkeypatch.setattr(page, "write", lambda paths, out, **_: SimpleNamespace(page=out / paths[0].name))
    monkeypatch.chdir(tmp_path)
    assert cli.main(["matrix", "--backend", "tensorflow"]) == status
    printed = capsys.readouterr()
    assert f"tensorflow: {len(content['benchmarks'])} cases, {len(failed)} failed; record: {path}\n" in printed.err
    assert printed.out == "report: reports/0001_jax.json\n"


@pytest.mark.slow
def test_errors_agree(tmp_path, monkeypatch, capsys):
    """An experiment reaches the same error on another backend, and a report side by side says that."""
    if not selection.is_installed("jax"):
        pytest.skip("jax is not installed")
    monkeypatch.chdir(tmp_path)
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
    chosen = ["--scale=smoke", "--experiment=digits", "-k", "experiment", "--no-roofs", "--threads=all", *TIMING]
    status = cli.main(["matrix", "--backend", "jax", "--out", "out", "--", str(ROOT / "benchmarks"), *chosen])
    err = capsys.readouterr().err
    assert status == 0, err
    assert "jax: 1 cases, 0 failed; record: .benchmarks/" in err
    assert (tmp_path / "out" / "index.html").exists()
    sources = [loading.read_record(path) for path in (OLDER, storage.newest(tmp_path / ".benchmarks"))]
    together = side_by_side.judge(sources)
    assert [row.label for row in together.rows] == ["tensorflow", "jax"]
    assert together.answer == "All errors agree."
