"""Packages are installed for one side, and checked; the releases of a package are listed in order."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from repositories import wheel

from autoenc_bench.live import environments

pytestmark = pytest.mark.slow  # pip takes a second to start
PYTHON = Path(sys.executable)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Make some releases of a package."""
    folder = tmp_path_factory.mktemp("wheels") / "wheels"
    for version in ("1.0", "1.1", "1.2rc1", "1.9", "1.10", "2.0"):
        wheel(folder, "tiny", version, f"VERSION = '{version}'\n")
    return folder


@pytest.fixture
def index(wheels, monkeypatch):
    """Let pip know only these releases."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))


@pytest.fixture(scope="module")
def printed(wheels):
    """Return pip's list of these releases."""
    variables = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    command = (PYTHON, "-m", "pip", "index", "versions", "--pre", "tiny")
    return subprocess.check_output(command, env=os.environ | variables, text=True)


@pytest.fixture
def listed(printed, monkeypatch):
    """Replace a call of pip by its output."""
    monkeypatch.setattr(environments, "run", lambda *_: printed)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Return an interpreter that has no packages."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin/python"


def test_install(tmp_path):
    """Packages are installed into their own folder, without their dependencies."""
    environments.install(PYTHON, [str(wheel(tmp_path, "tiny"))], tmp_path / "installed", {"PIP_NO_INDEX": "1"})
    assert (tmp_path / "installed/tiny.py").exists()


def test_no_such_package(tmp_path):
    """A package that pip cannot find is reported with pip's message."""
    with pytest.raises(
        ValueError, match=r"could not install keras==0\.0\.1: No matching distribution found for keras==0"
    ):
        environments.install(PYTHON, ["keras==0.0.1"], tmp_path / "installed", {"PIP_NO_INDEX": "1"})


def test_packages_are_no_options(tmp_path):
    """A requirement that looks like an option of pip's is not read as one."""
    with pytest.raises(ValueError, match=r"could not install --help: "):
        environments.install(PYTHON, ["--help"], tmp_path / "installed", {"PIP_NO_INDEX": "1"})


def install(tmp_path, *wanted):
    """Install packages, by default one release; return the text of its module."""
    environments.install(PYTHON, wanted or ["tiny==1.10"], tmp_path / "installed", {})
    return (tmp_path / "installed/tiny.py").read_text()


@pytest.mark.usefixtures("index")
def test_installed_once(tmp_path, monkeypatch):
    """A folder that holds the wanted release is used again, without pip; one with another release is refused."""
    assert install(tmp_path) == "VERSION = '1.10'\n"
    with monkeypatch.context() as patch:
        patch.setattr(environments, "run", None)
        assert install(tmp_path) == install(tmp_path, "Tiny==1.10.0")
    with pytest.raises(ValueError, match=r"could not install tiny==1\.9: the folder has tiny==1\.10$"):
        install(tmp_path, "tiny==1.9")


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("wanted", ["tiny", "tiny>=1", "tiny==1.*", "tiny ==1.9"])
def test_requirements(tmp_path, wanted):
    """Requirements other than releases are installed too."""
    assert install(tmp_path, wanted)


def test_nothing_installed(tmp_path, monkeypatch):
    """A pip that reports success and installs nothing is an error."""
    monkeypatch.setattr(environments, "run", lambda *_: "pip")
    with pytest.raises(ValueError, match=r"could not install tiny: the folder has nothing$"):
        install(tmp_path, "tiny")


ELSEWHERE = {
    **dict.fromkeys(("target", "prefix", "root", "report"), "/nowhere"),
    **dict.fromkeys(("user", "dry-run", "require-virtualenv", "upgrade", "ignore-installed"), "1"),
    "quiet": "3",
}


@pytest.fixture(params=["variables", "global", "install"])
def configured(wheels, tmp_path, monkeypatch, request):
    """Configure pip for these releases, in variables or in a section of a file, and return a function to add to it."""
    path = tmp_path / "pip.conf"
    path.write_text(f"[{request.param}]\n")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(path))

    def configure(options):
        for name, value in options.items():
            if request.param == "variables":
                monkeypatch.setenv(f"PIP_{name.upper().replace('-', '_')}", value)
            else:
                path.write_text(f"{path.read_text()}{name} = {value}\n")

    configure({"no-index": "1", "find-links": str(wheels)})
    return configure


def test_configured(configured, tmp_path, request):
    """Pip installs into the side's folder, also if it is configured to install elsewhere, or to print less."""
    configured(ELSEWHERE)
    assert install(tmp_path) == "VERSION = '1.10'\n"
    if "install" not in request.node.callspec.id:
        assert environments.releases("tiny", "1.9", "2.0", PYTHON) == ["1.9", "1.10", "2.0"]


def test_configured_package(configured, tmp_path):
    """Where pip is configured to install a further package, the side is refused, because it would measure that too."""
    (tmp_path / "more.txt").write_text(f"{wheel(tmp_path, 'more')}\n")
    configured({"requirement": str(tmp_path / "more.txt")})
    with pytest.raises(ValueError, match=r"could not install tiny==1\.10: the folder has .*more==1\.0"):
        install(tmp_path)


# Without pip


@pytest.fixture
def uv(tmp_path, monkeypatch):
    """Put a stand-in for uv on PATH, which installs by this interpreter's pip, and logs its arguments."""
    (tmp_path / "bin").mkdir()
    path, log = tmp_path / "bin/uv", tmp_path / "uv.log"
    path.write_text(f'#!/bin/sh\necho "$@" > {log}\nshift 4\nexec {PYTHON} -m pip install "$@"\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    return log


@pytest.mark.usefixtures("index")
def test_uv(bare, tmp_path, uv):
    """For an interpreter without pip, uv installs."""
    environments.install(bare, ["tiny==1.10"], tmp_path / "installed", {})
    assert (tmp_path / "installed/tiny.py").read_text() == "VERSION = '1.10'\n"
    assert uv.read_text().startswith(f"pip install --python {bare} --no-deps --target {tmp_path}/installed")


def test_neither(bare, tmp_path, monkeypatch):
    """Where there is neither pip nor uv, the message says what to do."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        ValueError, match=r"this Python has no pip, and uv is not installed; add pip with '.* -m ensurepip', or"
    ):
        environments.install(bare, ["tiny==1.10"], tmp_path / "installed", {})


def test_no_pip_to_list(bare):
    """Only pip can list releases."""
    with pytest.raises(ValueError, match=r"pip cannot list the releases of tiny: .*No module named pip"):
        environments.releases("tiny", "1.0", "2.0", bare)


# Releases in order


@pytest.mark.usefixtures("index")
def test_releases_of_pip():
    """Releases are those that pip lists, and a prerelease only where it is named."""
    assert environments.releases("tiny", "1.2rc1", "2.0", PYTHON) == ["1.2rc1", "1.9", "1.10", "2.0"]


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(
    ("first", "last", "between"),
    [
        ("1.0", "2.0", ["1.0", "1.1", "1.9", "1.10", "2.0"]),
        ("1.1", "1.10", ["1.1", "1.9", "1.10"]),
        ("1.9", "1.10", ["1.9", "1.10"]),
        ("1.2rc1", "1.9", ["1.2rc1", "1.9"]),  # named
        ("1.1.0", "1.2.rc1", ["1.1", "1.2rc1"]),  # other spellings
    ],
)
def test_releases(first, last, between):
    """Releases are in the order of versions, with both ends, without prereleases between them."""
    assert environments.releases("tiny", first, last, PYTHON) == between


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(("first", "last"), [("1.0", "1.3"), ("0.9", "2.0"), ("abc", "2.0"), ("1.0", "1!x")])
def test_no_such_release(first, last):
    """An end that pip does not list, or that is no version, is refused with the latest that it lists."""
    with pytest.raises(LookupError, match=r"tiny==.*: no release that .*; it lists 2\.0, 1\.10, 1\.9 and 3 more"):
        environments.releases("tiny", first, last, PYTHON)


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(("first", "last"), [("2.0", "1.0"), ("1.1", "1.1"), ("1.1", "1.1.0")])
def test_wrong_order(first, last):
    """The older release must come first, and the two must differ."""
    with pytest.raises(ValueError, match=f"tiny=={first} is not older than tiny=={last}; give the older one"):
        environments.releases("tiny", first, last, PYTHON)


@pytest.mark.usefixtures("index")
def test_pip_that_fails():
    """A package that pip does not know is refused with pip's message."""
    with pytest.raises(ValueError, match="pip cannot list the releases of no-such-package: No matching distribution"):
        environments.releases("no-such-package", "1.0", "2.0", PYTHON)


@pytest.mark.parametrize(
    ("text", "between"),
    [
        ("tiny (3.0)\nAvailable versions: 3.0, 2.0, 2004d, 1.0\n", ["1.0", "2.0", "3.0"]),
        ("Available versions: 1.0 ,2.0,3.0", ["1.0", "2.0", "3.0"]),  # without a line's end
    ],
)
def test_versions_that_are_none(monkeypatch, text, between):
    """Names that are no versions, as old packages have them, are left out."""
    monkeypatch.setattr(environments, "run", lambda *_: text)
    assert environments.releases("tiny", "1.0", "3.0", PYTHON) == between


@pytest.mark.parametrize("text", ["tiny (3.0)\n", "Available versions:", "Available versions: 2004d\n"])
def test_no_list(monkeypatch, text):
    """Where pip lists no version, the message names the package, what was expected, and what to do."""
    monkeypatch.setattr(environments, "run", lambda *_: text)
    with pytest.raises(
        ValueError, match=r"^pip cannot list the releases of tiny: it prints no 'Available versions: 1\.0, …'"
    ):
        environments.releases("tiny", "1.0", "3.0", PYTHON)
