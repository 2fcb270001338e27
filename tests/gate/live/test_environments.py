"""Interpreters are found and looked over, packages installed, and variables put in order."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from repositories import wheel

from autoenc_bench.gate.live import environments

PYTHON = Path(sys.executable)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Keep what is installed out of the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/autoenc-bench/packages"


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Let pip know of some releases of a package, and of nothing else."""
    made = wheel(tmp_path / "wheels", "tiny")
    for version in ("1.1", "1.2rc1", "1.9", "1.10", "2.0"):
        release(made, version)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(made.parent))
    return made.parent


def release(made, version):
    """Write another release of a wheel, whose module tells its version."""
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(made.with_name(f"tiny-{version}-py3-none-any.whl"), "w") as new:
        for name in old.namelist():
            text = f"VERSION = '{version}'\n" if name == "tiny.py" else old.read(name).decode().replace("1.0", version)
            text = text.replace(f"Wheel-Version: {version}", "Wheel-Version: 1.0")
            new.writestr(name.replace("1.0", version), text)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Return an interpreter that has no packages."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin/python"


def test_interpreter(bare, tmp_path, monkeypatch):
    """Interpreters are named by paths, kept as links, or by what PATH knows; this one is the default."""
    assert environments.interpreter(None) == PYTHON
    monkeypatch.chdir(bare.parent)
    assert environments.interpreter(Path("python")) == bare
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(bare.parent))
    assert environments.interpreter(Path("python3")) == bare.with_name("python3")


@pytest.mark.parametrize("name", ["nowhere/python", "python-of-nobody", "."])
def test_no_interpreter(name):
    """What is no file and not on PATH is refused by name."""
    with pytest.raises(LookupError, match=f"^{name}: no such interpreter; name"):
        environments.interpreter(Path(name))


def test_variables(tmp_path, monkeypatch):
    """PYTHONPATH is the project, then the side's packages, then what was there; without a gap, which means here."""
    monkeypatch.setenv("PYTHONPATH", "old")
    found = environments.variables(tmp_path, tmp_path / "installed", {"KERAS_BACKEND": "jax"})
    assert found == {
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": os.pathsep.join((f"{tmp_path}", f"{tmp_path}/installed", "old")),
    }
    monkeypatch.delenv("PYTHONPATH")
    assert environments.variables(tmp_path, None, {}) == {"PYTHONPATH": str(tmp_path)}


def test_wanted_python_path(tmp_path, monkeypatch):
    """A PYTHONPATH that is asked for on one side stands for the one that was there."""
    monkeypatch.setenv("PYTHONPATH", "old")
    found = environments.variables(tmp_path, None, {"PYTHONPATH": "wanted"})
    assert found == {"PYTHONPATH": os.pathsep.join((str(tmp_path), "wanted"))}


def test_check(tmp_path):
    """The interpreter of the tests has what the suite needs."""
    environments.check(PYTHON, {}, tmp_path)


def test_lacking(bare, tmp_path):
    """What an interpreter lacks is named, but for what the side's packages bring, and how to install it."""
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
    """A file that does not run as Python does is refused with the reason."""
    python = tmp_path / "python"
    python.write_text(content)
    python.chmod(mode)
    with pytest.raises(ValueError, match=f"python: no interpreter that runs: {reason}"):
        environments.check(python, {}, tmp_path)


def test_install(tmp_path):
    """Packages are installed into their own folder, without what they depend on."""
    environments.install(PYTHON, [str(wheel(tmp_path, "tiny"))], tmp_path / "installed", {"PIP_NO_INDEX": "1"})
    assert (tmp_path / "installed/tiny.py").exists()


def test_no_such_package(tmp_path):
    """A package that pip cannot have is named, with pip's last word on it."""
    with pytest.raises(
        ValueError, match=r"could not install keras==0\.0\.1: No matching distribution found for keras==0"
    ):
        environments.install(PYTHON, ["keras==0.0.1"], tmp_path / "installed", {"PIP_NO_INDEX": "1"})


def test_packages_are_no_options(tmp_path):
    """What looks like an option of pip's is not one."""
    with pytest.raises(ValueError, match=r"could not install --help: "):
        environments.install(PYTHON, ["--help"], tmp_path / "installed", {"PIP_NO_INDEX": "1"})


def test_no_pip(bare, tmp_path):
    """An interpreter without pip says so."""
    with pytest.raises(ValueError, match=r"could not install tiny: .*No module named pip"):
        environments.install(bare, ["tiny"], tmp_path / "installed", {})


# Releases that are kept


def test_kept(index, tmp_path, cache):
    """A release is installed into the cache once, and found there the next time, without pip's index."""
    first = environments.install(PYTHON, ["tiny==1.10"], tmp_path / "installed", {})
    assert first.parent == cache
    assert (first / "tiny.py").read_text() == "VERSION = '1.10'\n"
    assert not (tmp_path / "installed").exists()
    for path in index.iterdir():
        path.unlink()
    assert environments.install(PYTHON, ["tiny==1.10"], tmp_path / "installed", {}) == first
    assert list(cache.iterdir()) == [first]


@pytest.mark.usefixtures("index")
def test_kept_apart(tmp_path):
    """Other releases, and those for other variables or interpreters, are others; their order does not matter."""
    one = environments.install(PYTHON, ["tiny==1.9"], tmp_path / "installed", {})
    other = environments.install(PYTHON, ["tiny==1.10"], tmp_path / "installed", {})
    variable = environments.install(PYTHON, ["tiny==1.9"], tmp_path / "installed", {"X": "1"})
    assert len({one, other, variable}) == 3
    link = tmp_path / "python"
    link.symlink_to(PYTHON)
    asked = [(PYTHON, ["a==1", "b==2"]), (PYTHON, ["b==2", "a==1"]), (link, ["a==1", "b==2"])]
    places = [environments._kept(*each, {}) for each in asked]
    assert places[0] == places[1] != places[2]


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("package", ["tiny", "tiny>=1", "tiny==1.*", "tiny ==1.9"])
def test_what_may_change_is_not_kept(tmp_path, cache, package):
    """What is not pinned may be another release tomorrow, so it is installed for this side alone."""
    target = tmp_path / "installed"
    assert environments.install(PYTHON, [package], target, {}) == target
    assert (target / "tiny.py").exists()
    assert not cache.exists()


def test_one_that_is_not_pinned(index, tmp_path, cache):
    """Where one of several is a file, which may change, none is kept."""
    packages = ["tiny==1.9", str(wheel(tmp_path / "more", "other"))]
    assert environments.install(PYTHON, packages, tmp_path / "installed", {}) == tmp_path / "installed"
    assert not cache.exists()
    assert index.exists()


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("problem", [None, ValueError, KeyboardInterrupt])
def test_half_an_install_is_not_kept(tmp_path, cache, monkeypatch, problem):
    """What pip was stopped at, or failed at, is not taken for a release the next time."""
    original = environments._run

    def stopped(command, *_):
        (Path(command[command.index("--target") + 1]) / "tiny").mkdir(parents=True)
        raise problem

    if problem:
        monkeypatch.setattr(environments, "_run", stopped)
        with pytest.raises(problem):
            environments.install(PYTHON, ["tiny==1.9"], tmp_path / "installed", {})
        assert not list(cache.iterdir())
        monkeypatch.setattr(environments, "_run", original)
    kept = environments.install(PYTHON, ["tiny==1.9"], tmp_path / "installed", {})
    assert (kept / "tiny.py").exists()
    assert list(cache.iterdir()) == [kept]


@pytest.mark.usefixtures("index")
def test_two_processes_install_one_release(tmp_path, cache, monkeypatch):
    """Where another process was faster its install is used, and the own one goes."""
    original = environments._run

    def slower(*given):
        told = original(*given)
        kept = environments._kept(PYTHON, ["tiny==1.9"], {})
        kept.mkdir()
        (kept / "tiny.py").write_text("# the other's")
        return told

    monkeypatch.setattr(environments, "_run", slower)
    kept = environments.install(PYTHON, ["tiny==1.9"], tmp_path / "installed", {})
    assert (kept / "tiny.py").read_text() == "# the other's"
    assert list(cache.iterdir()) == [kept]


# Releases in order


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    ("first", "last", "listed"),
    [
        ("1.0", "2.0", ["1.0", "1.1", "1.9", "1.10", "2.0"]),
        ("1.1", "1.10", ["1.1", "1.9", "1.10"]),
        ("1.9", "1.10", ["1.9", "1.10"]),
        ("1.2rc1", "1.9", ["1.2rc1", "1.9"]),  # asked for by name
        ("1.1.0", "1.2.rc1", ["1.1", "1.2rc1"]),  # written otherwise
    ],
)
def test_releases(first, last, listed):
    """Releases are listed as versions are ordered, both ends with them, without those that were only tried."""
    assert environments.releases("tiny", first, last) == listed


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(("first", "last"), [("1.0", "1.3"), ("0.9", "2.0"), ("abc", "2.0"), ("1.0", "1!x")])
def test_no_such_release(first, last):
    """An end that pip does not list, or that is no version, is named, with the latest that it lists."""
    with pytest.raises(LookupError, match=r"tiny==.*: no release that .*; it lists 2\.0, 1\.10, 1\.9 and 3 more"):
        environments.releases("tiny", first, last)


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(("first", "last"), [("2.0", "1.0"), ("1.1", "1.1"), ("1.1", "1.1.0")])
def test_wrong_order(first, last):
    """The older release comes first, and the two are different ones."""
    with pytest.raises(ValueError, match=f"tiny=={first} is not older than tiny=={last}; give the older one"):
        environments.releases("tiny", first, last)


@pytest.mark.usefixtures("index")
def test_pip_that_fails():
    """A package that pip does not know is named, with pip's last word on it."""
    with pytest.raises(ValueError, match="pip cannot tell which releases nobody-s has: No matching distribution"):
        environments.releases("nobody-s", "1.0", "2.0")


@pytest.mark.parametrize(
    ("printed", "listed"),
    [
        ("tiny (3.0)\nAvailable versions: 3.0, 2.0, 2004d, 1.0\n", ["1.0", "2.0", "3.0"]),
        ("Available versions: 1.0 ,2.0,3.0", ["1.0", "2.0", "3.0"]),  # without a line's end
    ],
)
def test_versions_that_are_none(monkeypatch, printed, listed):
    """A name that is no version, as old packages have them, is no release to search."""
    monkeypatch.setattr(environments, "_run", lambda *_: printed)
    assert environments.releases("tiny", "1.0", "3.0") == listed


@pytest.mark.parametrize("printed", ["", "tiny (3.0)\n", "Available versions:", "Available versions: 2004d\n"])
def test_no_list(monkeypatch, printed):
    """Where pip lists no version, a sentence names the package, what was expected, and what to do."""
    monkeypatch.setattr(environments, "_run", lambda *_: printed)
    with pytest.raises(ValueError, match=r"^pip lists no release of tiny: expected a line 'Available versions:'"):
        environments.releases("tiny", "1.0", "3.0")
