"""Interpreters are found and checked, and PYTHONPATH is put in order."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autoenc_bench.live import environments

PYTHON = Path(sys.executable)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Return an interpreter that has no packages."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin/python"


def test_interpreter(bare, tmp_path, monkeypatch):
    """Interpreters are named by paths, kept as links, or found on PATH; this one is the default."""
    assert environments.interpreter(None) == PYTHON
    monkeypatch.chdir(bare.parent)
    assert environments.interpreter(Path("python")) == bare
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(bare.parent))
    assert environments.interpreter(Path("python3")) == bare.with_name("python3")


@pytest.mark.parametrize("name", ["nowhere/python", "no-such-python", "."])
def test_no_interpreter(name):
    """A name that is no file and not on PATH is refused."""
    with pytest.raises(LookupError, match=f"^{name}: no such interpreter; name"):
        environments.interpreter(Path(name))


def test_variables(tmp_path, monkeypatch):
    """PYTHONPATH is the project, then the side's packages, then the previous value; an empty entry would mean here."""
    monkeypatch.setenv("PYTHONPATH", "old")
    variables = environments.variables(tmp_path, tmp_path / "installed", {"KERAS_BACKEND": "jax"})
    assert variables == {
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": os.pathsep.join((f"{tmp_path}", f"{tmp_path}/installed", "old")),
    }
    monkeypatch.delenv("PYTHONPATH")
    assert environments.variables(tmp_path, None, {}) == {"PYTHONPATH": str(tmp_path)}


def test_wanted_python_path(tmp_path, monkeypatch):
    """A PYTHONPATH that the user sets for one side replaces the inherited one."""
    monkeypatch.setenv("PYTHONPATH", "old")
    variables = environments.variables(tmp_path, None, {"PYTHONPATH": "wanted"})
    assert variables == {"PYTHONPATH": os.pathsep.join((str(tmp_path), "wanted"))}


def test_check(tmp_path):
    """The interpreter of the tests has what the suite needs."""
    environments.check(PYTHON, {}, tmp_path)


def test_lacking(bare, tmp_path):
    """The message names what an interpreter lacks, without what the side's packages bring, and how to install it."""
    (tmp_path / "keras.py").touch()
    with pytest.raises(LookupError) as caught:
        environments.check(bare, {"PYTHONPATH": str(tmp_path)}, bare.parent)
    assert str(caught.value) == (
        f"{bare} lacks pytest, pytest_benchmark, msgspec; "
        f"install autoenc-bench's dependencies there: {bare} -m pip install -e ."
    )


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        ("#!/bin/sh\necho 'it broke' >&2; exit 3\n", 0o755, "it broke"),
        ("#!/bin/sh\nexit 3\n", 0o755, "it ended with status 3"),
        ("#!/bin/sh\n", 0o644, "Permission denied"),
        ("#!/nowhere/sh\n", 0o755, "No such file or directory"),
    ],
)
def test_no_python(tmp_path, content, mode, reason):
    """A file that does not run like Python is refused with the reason."""
    python = tmp_path / "python"
    python.write_text(content)
    python.chmod(mode)
    with pytest.raises(ValueError, match=f"python: no interpreter that runs: {reason}"):
        environments.check(python, {}, tmp_path)


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        (r"\033[31mERROR: no\033[0m\nNote\n", "no"),
        (r"ERROR: Exception:\nTraceback\nOSError: full\n", "OSError: full"),
    ],
)
def test_reason(tmp_path, printed, reason):
    """A failure is reported by its own message: without colours, and by the last line of a traceback of pip's."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nprintf '{printed}' >&2; exit 1\n")
    python.chmod(0o755)
    with pytest.raises(ValueError, match=f"^it failed: {reason}$"):
        environments.run([str(python)], {}, None, "it failed")
