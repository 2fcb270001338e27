"""Interpreters are found and looked over, packages installed, and variables put in order."""

import os
import shutil
import subprocess
import sys
import sysconfig
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


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Make some releases of a package."""
    made = wheel(tmp_path_factory.mktemp("wheels") / "wheels", "tiny")
    for version in ("1.1", "1.2rc1", "1.9", "1.10", "2.0"):
        release(made, version)
    return made.parent


@pytest.fixture
def index(wheels, monkeypatch):
    """Let pip know of these releases, and of nothing else."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))


@pytest.fixture(scope="module")
def printed(wheels):
    """Return what pip prints of these releases."""
    variables = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    command = (PYTHON, "-m", "pip", "index", "versions", "--pre", "tiny")
    return subprocess.check_output(command, env=os.environ | variables, text=True)


@pytest.fixture
def listed(printed, monkeypatch):
    """Let pip's answer come without another start of it."""
    monkeypatch.setattr(environments, "_run", lambda *_: printed)


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


@pytest.fixture
def pip(monkeypatch):
    """Stand in for pip, which writes what it installs, and then does what ``pip.then`` is."""

    def run(command, *_):
        if "install" in command:
            folder = Path(command[command.index("--target") + 1])
            folder.mkdir(parents=True)
            (folder / "tiny.py").write_text("# installed")
            run.then()
        return "the same"

    run.then = lambda: None
    monkeypatch.setattr(environments, "_run", run)
    return run


@pytest.mark.usefixtures("index")
def test_kept(wheels, tmp_path, cache, monkeypatch):
    """A release is installed into the cache once, and found there the next time, without pip's index."""
    monkeypatch.setenv("PIP_FIND_LINKS", str(shutil.copytree(wheels, tmp_path / "wheels")))
    first = environments.install(PYTHON, ["tiny==1.10"], tmp_path / "installed", {})
    assert first.parent == cache
    assert (first / "tiny.py").read_text() == "VERSION = '1.10'\n"
    assert not (tmp_path / "installed").exists()
    shutil.rmtree(tmp_path / "wheels")
    assert environments.install(PYTHON, ["tiny==1.10"], tmp_path / "installed", {}) == first
    assert list(cache.iterdir()) == [first]


@pytest.mark.usefixtures("pip")
def test_kept_apart(tmp_path):
    """Other releases, and those for other variables or interpreters, are others; their order does not matter."""
    link = tmp_path / "python"
    link.symlink_to(PYTHON)
    same, *others = (
        environments._kept(python, packages, variables, "")
        for python, packages, variables in (
            (PYTHON, ["a==1", "b==2"], {}),
            (PYTHON, ["b==2", "a==1"], {}),
            (PYTHON, ["a==1", "b==3"], {}),
            (PYTHON, ["a==1", "b==2"], {"X": "1"}),
            (link, ["a==1", "b==2"], {}),
        )
    )
    assert same == others[0]
    assert len({same, *others}) == 4


def test_kept_for_one_python(tmp_path):
    """Another Python at the same path gets releases of its own: another version, implementation or build."""
    python, places = tmp_path / "python", []
    for tags in ("cpython 3.11", "cpython 3.12", "pypy 3.11", "cpython 3.11"):
        python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && echo {tags}\nexit 0\n')
        python.chmod(0o755)
        places.append(environments._kept(python, ["tiny==1.9"], {}, ""))
    assert places[0] == places[3]
    assert len(set(places)) == 3


def test_what_makes_a_python():
    """An interpreter says of itself what a wheel's tags are made of."""
    said = subprocess.check_output([PYTHON, "-c", environments._TAGS], text=True)
    assert sys.implementation.name in said
    assert sys.version in said
    assert sysconfig.get_platform() in said
    assert str(sysconfig.get_config_var("SOABI")) in said


def test_kept_for_one_configuration(monkeypatch):
    """What pip reads from this process's variables sets releases apart."""
    places = [environments._kept(PYTHON, ["tiny==1.9"], {}, "")]
    for name, value in (("INDEX_URL", "a"), ("INDEX_URL", "b"), ("EXTRA_INDEX_URL", "a"), ("CONSTRAINT", "a")):
        with monkeypatch.context() as patch:
            patch.setenv(f"PIP_{name}", value)
            places.append(environments._kept(PYTHON, ["tiny==1.9"], {}, ""))
    assert len(set(places)) == len(places)


def test_kept_for_one_configuration_file(tmp_path, monkeypatch):
    """What pip reads from its files sets releases apart as well."""
    path, places = tmp_path / "pip.conf", []
    monkeypatch.setenv("PIP_CONFIG_FILE", str(path))
    for url in ("https://a.example", "https://b.example"):
        path.write_text(f"[global]\nindex-url = {url}\n")
        places.append(environments._kept(PYTHON, ["tiny==1.9"], {}, ""))
    assert places[0] != places[1]


@pytest.mark.usefixtures("pip")
@pytest.mark.parametrize("packages", [["tiny"], ["tiny>=1"], ["tiny==1.*"], ["tiny ==1.9"], ["tiny==1.9", "a.whl"]])
def test_what_may_change_is_not_kept(tmp_path, cache, packages):
    """What is not pinned may be another release tomorrow, so all is installed for this side alone."""
    target = tmp_path / "installed"
    assert environments.install(PYTHON, packages, target, {}) == target
    assert (target / "tiny.py").exists()
    assert not cache.exists()


@pytest.mark.parametrize("problem", [ValueError, KeyboardInterrupt])
def test_half_an_install_is_not_kept(pip, tmp_path, cache, problem):
    """What pip was stopped at, or failed at, is not taken for a release the next time."""

    def stop():
        raise problem

    pip.then = stop
    with pytest.raises(problem):
        environments.install(PYTHON, ["tiny==1.9"], tmp_path / "installed", {})
    assert not list(cache.iterdir())
    pip.then = lambda: None
    kept = environments.install(PYTHON, ["tiny==1.9"], tmp_path / "installed", {})
    assert (kept / "tiny.py").exists()
    assert list(cache.iterdir()) == [kept]


def test_two_processes_install_one_release(pip, tmp_path, cache):
    """Where another process was faster its install is used, and the own one goes."""
    kept = environments._kept(PYTHON, ["tiny==1.9"], {}, "")

    def be_slower():
        kept.mkdir()
        (kept / "tiny.py").write_text("# the other's")

    pip.then = be_slower
    assert environments.install(PYTHON, ["tiny==1.9"], tmp_path / "installed", {}) == kept
    assert (kept / "tiny.py").read_text() == "# the other's"
    assert list(cache.iterdir()) == [kept]


def test_install_that_cannot_be_kept(pip, tmp_path, cache, monkeypatch):
    """Where the system refuses to keep an install, no folder is named that is not there."""

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(ValueError, match=r"could not install tiny==1\.9: .*Permission denied"):
        environments.install(PYTHON, ["tiny==1.9"], tmp_path / "installed", {})
    assert not list(cache.iterdir())
    pip.then = environments._kept(PYTHON, ["tiny==1.9"], {}, "").mkdir  # another process was faster
    assert environments.install(PYTHON, ["tiny==1.9"], tmp_path / "installed", {}).is_dir()


@pytest.mark.usefixtures("pip")
def test_cache_that_cannot_be_read(tmp_path, monkeypatch):
    """A cache that the system does not let this user see is named in a sentence."""

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(ValueError, match=r"could not install tiny==1\.9: .*Permission denied: .*packages"):
        environments.install(PYTHON, ["tiny==1.9"], tmp_path / "installed", {})


# Releases in order


@pytest.mark.usefixtures("index")
def test_releases_of_pip():
    """Releases are those that pip lists here, also one that was only tried, by its name."""
    assert environments.releases("tiny", "1.2rc1", "2.0") == ["1.2rc1", "1.9", "1.10", "2.0"]


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(
    ("first", "last", "between"),
    [
        ("1.0", "2.0", ["1.0", "1.1", "1.9", "1.10", "2.0"]),
        ("1.1", "1.10", ["1.1", "1.9", "1.10"]),
        ("1.9", "1.10", ["1.9", "1.10"]),
        ("1.2rc1", "1.9", ["1.2rc1", "1.9"]),  # asked for by name
        ("1.1.0", "1.2.rc1", ["1.1", "1.2rc1"]),  # written otherwise
    ],
)
def test_releases(first, last, between):
    """Releases are listed as versions are ordered, both ends with them, without those that were only tried."""
    assert environments.releases("tiny", first, last) == between


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(("first", "last"), [("1.0", "1.3"), ("0.9", "2.0"), ("abc", "2.0"), ("1.0", "1!x")])
def test_no_such_release(first, last):
    """An end that pip does not list, or that is no version, is named, with the latest that it lists."""
    with pytest.raises(LookupError, match=r"tiny==.*: no release that .*; it lists 2\.0, 1\.10, 1\.9 and 3 more"):
        environments.releases("tiny", first, last)


@pytest.mark.usefixtures("listed")
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
    ("text", "between"),
    [
        ("tiny (3.0)\nAvailable versions: 3.0, 2.0, 2004d, 1.0\n", ["1.0", "2.0", "3.0"]),
        ("Available versions: 1.0 ,2.0,3.0", ["1.0", "2.0", "3.0"]),  # without a line's end
    ],
)
def test_versions_that_are_none(monkeypatch, text, between):
    """A name that is no version, as old packages have them, is no release to search."""
    monkeypatch.setattr(environments, "_run", lambda *_: text)
    assert environments.releases("tiny", "1.0", "3.0") == between


@pytest.mark.parametrize("text", ["", "tiny (3.0)\n", "Available versions:", "Available versions: 2004d\n"])
def test_no_list(monkeypatch, text):
    """Where pip lists no version, a sentence names the package, what was expected, and what to do."""
    monkeypatch.setattr(environments, "_run", lambda *_: text)
    with pytest.raises(ValueError, match=r"^pip lists no release of tiny: expected a line 'Available versions:'"):
        environments.releases("tiny", "1.0", "3.0")
