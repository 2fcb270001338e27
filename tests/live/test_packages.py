"""Packages are installed for one side; releases are kept, and used only while they are complete."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from time import time
from types import SimpleNamespace

import pytest
from repositories import wheel

from autoenc_bench.live import environments

pytestmark = pytest.mark.slow  # pip takes a second to start
PYTHON = Path(sys.executable)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Keep installations out of the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/autoenc-bench/packages"


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


# Releases that are kept


@pytest.fixture
def pip(monkeypatch):
    """Let ``pip.then`` change each folder after an installation."""
    original = environments.run

    def run(command, *others):
        printed = original(command, *others)
        if "install" in command:
            pip.installed += 1
            pip.then(Path(command[command.index("--target") + 1]))
        return printed

    pip = SimpleNamespace(installed=0, then=lambda _: None)
    monkeypatch.setattr(environments, "run", run)
    return pip


def install(tmp_path, *wanted, **variables):
    """Install packages, by default one release."""
    return environments.install(PYTHON, wanted or ["tiny==1.10"], tmp_path / "installed", variables)


@pytest.fixture(scope="module")
def configured(wheels):
    """Return the installer for these wheels alone, made once, because pip takes a second."""
    return environments._installer(PYTHON, {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}, "")


@pytest.fixture
def offline(configured, monkeypatch):
    """Use that installer for every installation."""
    monkeypatch.setattr(environments, "_installer", lambda *_: configured)


def version(folder):
    """Return which release is in a folder."""
    return (folder / "tiny.py").read_text()


@pytest.mark.usefixtures("index")
def test_kept(wheels, tmp_path, cache, monkeypatch):
    """A release is installed into the cache once, and used from there, without pip's index."""
    monkeypatch.setenv("PIP_FIND_LINKS", str(shutil.copytree(wheels, tmp_path / "wheels")))
    first = install(tmp_path)
    assert first.parent == cache
    assert version(first) == "VERSION = '1.10'\n"
    assert not (tmp_path / "installed").exists()
    shutil.rmtree(tmp_path / "wheels")
    assert install(tmp_path) == first
    assert list(cache.iterdir()) == [first]


def damage(folder, what):
    """Damage an installation as cleaners and people do."""
    if what == "files":
        for path in [path for path in folder.rglob("*") if path.is_file()]:
            path.unlink()
    elif what == "everything":
        shutil.rmtree(folder)
        folder.mkdir()
    elif what == "a module":
        (folder / "tiny.py").unlink()
    elif what == "half a module":
        (folder / "tiny.py").write_text("")
    else:
        metadata = folder / "tiny-1.10.dist-info/METADATA"
        text = metadata.read_text()
        metadata.write_text(text.replace("1.10", "1.11"))


@pytest.mark.usefixtures("offline")
def test_emptied(tmp_path, cache, pip):
    """A damaged release is installed again, and its remains are not used."""
    kept = install(tmp_path)
    for times, what in enumerate(("files", "everything", "a module", "half a module", "another version"), start=1):
        damage(kept, what)
        kept = install(tmp_path)
        assert kept.parent == cache
        assert version(kept) == "VERSION = '1.10'\n"
        assert pip.installed == 1 + times, what
        assert install(tmp_path) == kept


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("what", ["files", "everything", "half a module"])
def test_what_pip_did_not_install(tmp_path, cache, pip, what):
    """Where pip reports success but the release is incomplete, nothing is used and nothing is kept."""
    pip.then = lambda folder: damage(folder, what)
    with pytest.raises(
        ValueError,
        match=r"could not install tiny==1\.10: .*after the installation, tiny is (missing|not whole: tiny\.py)",
    ):
        install(tmp_path)
    assert not list(cache.iterdir())


@pytest.mark.usefixtures("offline")
def test_imported_from_elsewhere(tmp_path):
    """A release is not used where Python would import another copy."""
    kept = install(tmp_path)
    (kept.parent / "tiny.py").touch()
    installer = environments._installer(PYTHON, {}, "")
    assert environments._fault(installer, kept, ["tiny==1.10"]) == "tiny of tiny would be imported from elsewhere"


ELSEWHERE = {
    **dict.fromkeys(("target", "prefix", "root", "report", "requirement"), "/nowhere"),
    **dict.fromkeys(("user", "dry-run", "require-virtualenv", "upgrade", "ignore-installed"), "1"),
    "quiet": "3",
}


@pytest.mark.parametrize("how", ["variables", "global", "install"])
def test_configured(wheels, tmp_path, monkeypatch, how):
    """A release is installed where it is kept, also if pip is configured to put it elsewhere, or to print less."""
    known = {"no-index": "1", "find-links": str(wheels), **ELSEWHERE}
    if how == "variables":
        for name, value in {**known, "python": "/nowhere"}.items():
            monkeypatch.setenv(f"PIP_{name.upper().replace('-', '_')}", value)
    else:
        monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
        lines = "".join(f"{name} = {value}\n" for name, value in known.items())
        (tmp_path / "pip.conf").write_text(f"[{how}]\n{lines}")
        monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    assert version(install(tmp_path)) == "VERSION = '1.10'\n"
    if how != "install":
        assert environments.releases("tiny", "1.9", "2.0", PYTHON) == ["1.9", "1.10", "2.0"]


@pytest.mark.usefixtures("offline")
def test_unwritable_cache(tmp_path, monkeypatch):
    """Where the cache cannot be written, the release is installed for this side alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert install(tmp_path) == tmp_path / "installed"
    assert version(tmp_path / "installed") == "VERSION = '1.10'\n"


@pytest.mark.usefixtures("offline")
def test_unused(tmp_path, cache):
    """A release that was not used for 30 days is removed with the next installation; others stay."""
    old, used = install(tmp_path, "tiny==1.9"), install(tmp_path, "tiny==1.10")
    for path in (old, used):
        os.utime(path, (0, time() - 31 * 86_400))
    install(tmp_path, "tiny==1.10")
    new = install(tmp_path, "tiny==2.0")
    assert sorted(cache.iterdir()) == sorted([used, new])


@pytest.fixture
def known():
    """Return a function that returns where releases are kept."""

    def known(python=PYTHON, wanted=("a==1", "b==2"), **variables):
        return environments._kept(environments._installer(python, variables, ""), wanted)

    return known


def test_kept_apart(known, tmp_path):
    """Releases are kept by name, version, variables and interpreter, and not by their order."""
    link = tmp_path / "python"
    link.symlink_to(PYTHON)
    same = known()
    assert same == known(wanted=("b==2", "a==1"))
    assert len({same, known(wanted=("a==1", "b==3")), known(X="1"), known(link)}) == 4


def test_kept_for_one_python(known, tmp_path):
    """Another Python at the same path has its own releases: another version, implementation or build."""
    python, places = tmp_path / "python", []
    for tags in ("cpython 3.11", "cpython 3.12", "pypy 3.11", "cpython 3.11"):
        python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && echo pip && echo {tags}\nexit 0\n')
        python.chmod(0o755)
        places.append(known(python))
    assert places[0] == places[3]
    assert len(set(places)) == 3


def test_what_makes_a_python():
    """The key has the facts that a wheel's tags are made of."""
    facts = subprocess.check_output([PYTHON, "-c", environments._TAGS], text=True)
    assert facts.startswith("pip\n")
    assert sys.implementation.name in facts
    assert sys.version in facts
    assert sysconfig.get_platform() in facts
    assert str(sysconfig.get_config_var("SOABI")) in facts


def test_kept_for_one_configuration(known, monkeypatch):
    """Releases are kept by the variables that pip reads."""
    places = [known()]
    for name, value in (("INDEX_URL", "a"), ("INDEX_URL", "b"), ("EXTRA_INDEX_URL", "a"), ("CONSTRAINT", "a")):
        with monkeypatch.context() as patch:
            patch.setenv(f"PIP_{name}", value)
            places.append(known())
    assert len(set(places)) == len(places)


def test_kept_for_one_configuration_file(known, tmp_path, monkeypatch):
    """Releases are kept by the options in pip's files, but for those that we set ourselves."""
    path, places = tmp_path / "pip.conf", []
    monkeypatch.setenv("PIP_CONFIG_FILE", str(path))
    for lines in (
        "index-url = https://a.example",
        "index-url = https://b.example",
        "index-url = https://b.example\nquiet=1",
    ):
        path.write_text(f"[global]\n{lines}\n")
        places.append(known())
    assert places[0] != places[1] == places[2]


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("wanted", [["tiny"], ["tiny>=1"], ["tiny==1.*"], ["tiny ==1.9"]])
def test_what_may_change_is_not_kept(tmp_path, cache, wanted):
    """Requirements other than releases are installed for this side alone, because their meaning may change."""
    assert install(tmp_path, *wanted) == tmp_path / "installed"
    assert version(tmp_path / "installed")
    assert not cache.exists()


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("problem", [ValueError, KeyboardInterrupt])
def test_half_an_install_is_not_kept(pip, tmp_path, cache, problem):
    """An incomplete installation, stopped or failed, is not kept."""

    def stop(_):
        raise problem

    pip.then = stop
    with pytest.raises(problem):
        install(tmp_path)
    assert not list(cache.iterdir())
    pip.then = lambda _: None
    kept = install(tmp_path)
    assert version(kept)
    assert list(cache.iterdir()) == [kept]


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("is_complete", [True, False])
def test_two_processes_install_one_release(pip, tmp_path, cache, is_complete):
    """Two processes may install one release at the same time; each uses its own, and a third one a complete one."""
    others = []

    def install_too(folder):
        others.append(folder.with_name(f"{folder.name}-other"))
        shutil.copytree(folder, others[0])
        if not is_complete:
            (others[0] / "tiny.py").unlink()
        pip.then = lambda _: None

    pip.then = install_too
    own = install(tmp_path)
    assert version(own) == "VERSION = '1.10'\n"
    assert sorted(cache.iterdir()) == sorted([own, *others])
    shutil.rmtree(own)
    assert (install(tmp_path) == others[0]) is is_complete


# Without pip


@pytest.fixture
def uv(tmp_path, monkeypatch):
    """Put a stand-in for uv on PATH, which installs by this interpreter's pip, and logs its arguments."""
    (tmp_path / "bin").mkdir()
    path, log = tmp_path / "bin/uv", tmp_path / "uv.log"
    path.write_text(f'#!/bin/sh\necho "$@" > {log}\nshift 2; shift 3\nexec {PYTHON} -m pip install "$@"\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    return log


@pytest.mark.usefixtures("index")
def test_uv(bare, tmp_path, cache, uv):
    """For an interpreter without pip, uv installs."""
    kept = environments.install(bare, ["tiny==1.10"], tmp_path / "installed", {})
    assert version(kept) == "VERSION = '1.10'\n"
    assert kept.parent == cache
    assert uv.read_text().startswith(f"pip install --python {bare} --quiet --no-deps --target {cache}")


def test_neither(bare, tmp_path, monkeypatch):
    """Where there is neither pip nor uv, the message says what to do."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        ValueError, match=r"this Python has no pip, and uv is not installed; add pip with '.* -m ensurepip', or"
    ):
        environments.install(bare, ["tiny==1.10"], tmp_path / "installed", {})


def test_no_pip_to_list(bare):
    """Only pip can list releases."""
    with pytest.raises(
        ValueError, match="has no pip; a bisection needs it to list the releases of tiny; install it there"
    ):
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
    monkeypatch.setattr(environments, "run", lambda *_: text or "pip")
    assert environments.releases("tiny", "1.0", "3.0", PYTHON) == between


@pytest.mark.parametrize("text", ["tiny (3.0)\n", "Available versions:", "Available versions: 2004d\n"])
def test_no_list(monkeypatch, text):
    """Where pip lists no version, the message names the package, what was expected, and what to do."""
    monkeypatch.setattr(environments, "run", lambda *_: text or "pip")
    with pytest.raises(ValueError, match=r"^pip lists no release of tiny: expected a line 'Available versions:'"):
        environments.releases("tiny", "1.0", "3.0", PYTHON)
