"""Both sides of a live comparison hold the requested code while they are measured, and are removed afterwards."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from repositories import FILES, commit, create, git, wheel, write

from autoenc_bench.exceptions import NotFoundError
from autoenc_bench.live import checkouts, revisions
from autoenc_bench.live.checkouts import Wanted, both

NOTHING = Wanted()
OTHER = Wanted(environment={"KERAS_BACKEND": "jax"})


@pytest.fixture
def project(tmp_path):
    """Return a project with one commit."""
    return create(tmp_path / "project")


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Put the sides where a test can see their remains."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def files(folder):
    """Return the text of each file of a checkout, by its path."""
    paths = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_text() for name, path in paths.items() if name.split("/")[0] != ".git"}


def objects(project):
    """List the objects of a repository."""
    return sorted(path.name for path in (project / ".git/objects").rglob("*"))


def worktrees(project):
    """Return the lines that name worktrees of a repository."""
    return [line for line in git(project, "worktree", "list", "--porcelain").splitlines() if line.startswith("work")]


def enter(base, head, project):
    """Check out both sides, and remove them."""
    with both(base, head, project):
        pass


# What the sides hold


def test_working_tree(project):
    """The head is the working tree; the base is its commit, with the head's harness."""
    write(project, {"gone.py": "", "folder/gone.py": "", "kept.py": "1", "staged.py": "1", "old.py": "1"})
    first = commit(project)
    (project / "gone.py").unlink()
    (project / "folder/gone.py").unlink()
    write(
        project, {"kept.py": "2", "staged.py": "2", "new/untracked.py": "1", "x.log": "ignored", "benchmarks/b.py": ""}
    )
    git(project, "add", "staged.py")
    git(project, "mv", "old.py", "renamed.py")
    with both(NOTHING, NOTHING, project) as (base, head):
        assert files(head.folder) == {
            **FILES,
            "kept.py": "2",
            "staged.py": "2",
            "new/untracked.py": "1",
            "benchmarks/b.py": "",
            "renamed.py": "1",
        }
        assert not (head.folder / "folder").exists()  # else it could be imported
        assert files(base.folder) == {
            **FILES,
            "gone.py": "",
            "folder/gone.py": "",
            "kept.py": "1",
            "staged.py": "1",
            "old.py": "1",
            "benchmarks/b.py": "",
        }
    assert (base.name, head.name) == ("base", "head")
    assert base.description == f"{first[:12]} (merge base with main)"
    assert head.description == f"working tree on {first[:12]}, with changes"


def test_links_and_modes(project):
    """Links stay links and executable files executable, also where one replaces the other."""
    write(project, {"link/inner.py": "", "run.sh": "", "plain": ""})
    (project / "other").symlink_to("benchmarks")
    (project / "benchmarks/again.py").symlink_to("test_speed.py")
    commit(project)
    (project / "run.sh").chmod(0o755)
    (project / "plain").unlink()
    (project / "plain").symlink_to("run.sh")
    (project / "link/inner.py").unlink()
    (project / "link").rmdir()
    (project / "link").symlink_to("benchmarks")
    (project / "other").unlink()
    write(project, {"other/inner.py": "new"})
    with both(NOTHING, NOTHING, project) as (base, head):
        assert (base.folder / "benchmarks/again.py").readlink() == Path("test_speed.py")
        assert os.access(head.folder / "run.sh", os.X_OK)
        assert (head.folder / "plain").readlink() == Path("run.sh")
        assert (head.folder / "link").readlink() == Path("benchmarks")
        assert files(head.folder)["other/inner.py"] == "new"
        assert "benchmarks/inner.py" not in files(head.folder)


def test_files_and_folders_trade_places(project):
    """A file may replace a folder, and a folder a file."""
    write(project, {"folder/a.py": "", "folder/b.py": "", "file": ""})
    commit(project)
    for name in ("folder/a.py", "folder/b.py", "file"):
        (project / name).unlink()
    (project / "folder").rmdir()
    write(project, {"folder": "now a file", "file/now.py": "in a folder"})
    git(project, "add", "--all")
    with both(NOTHING, NOTHING, project) as (_, head):
        assert files(head.folder) == {**FILES, "folder": "now a file", "file/now.py": "in a folder"}


def test_nothing_behind_a_link_is_touched(project, tmp_path):
    """Where a link out of the repository became a folder, nothing outside is deleted."""
    write(tmp_path / "elsewhere", {"precious.py": "1"})
    (project / "data").symlink_to(tmp_path / "elsewhere")
    commit(project)
    (project / "data").unlink()
    write(project, {"data/precious.py": "2"})
    with both(NOTHING, NOTHING, project) as (_, head):
        assert files(head.folder)["data/precious.py"] == "2"
    assert files(tmp_path / "elsewhere") == {"precious.py": "1"}


def test_a_removed_folder_behind_a_link(project, tmp_path):
    """A folder that became a link out of the repository is a link, and its target is not copied."""
    write(project, {"data/a.py": "1"})
    commit(project)
    write(tmp_path / "elsewhere", {"a.py": "2"})
    (project / "data/a.py").unlink()
    (project / "data").rmdir()
    (project / "data").symlink_to(tmp_path / "elsewhere")
    with both(NOTHING, NOTHING, project) as (_, head):
        assert (head.folder / "data").readlink() == tmp_path / "elsewhere"


def test_snapshot(project):
    """Editing the project does not change what is measured."""
    write(project, {"conftest.py": "# edited\n"})
    with both(NOTHING, NOTHING, project) as (base, head):
        write(project, {"conftest.py": "# later\n", "benchmarks/test_speed.py": "# later\n", "new.py": ""})
        for side in (base, head):
            assert files(side.folder) == {**FILES, "conftest.py": "# edited\n"}


def test_edited_between_the_sides(project, monkeypatch):
    """Both sides hold the same code also when the project is edited after the first one is checked out."""
    original = checkouts.git

    def edited(top, *arguments, **variables):
        if arguments[1] == "add" and arguments[3].endswith("-base"):
            write(project, {"autoenc_bench/core.py": "later"})
        return original(top, *arguments, **variables)

    monkeypatch.setattr(checkouts, "git", edited)
    write(project, {"autoenc_bench/core.py": "1"})
    with both(OTHER, NOTHING, project) as (base, head):
        assert files(base.folder) == files(head.folder) == {**FILES, "autoenc_bench/core.py": "1"}


def test_named_revisions(project):
    """Named revisions are compared independently of the working tree, by the head's harness."""
    first = commit(project, {"autoenc_bench/core.py": "1", "benchmarks/test_old.py": "", "benchmarks/x/y.py": ""})
    git(project, "rm", "--quiet", "-r", "benchmarks/test_old.py", "benchmarks/x", "pyproject.toml")
    second = commit(project, {"autoenc_bench/core.py": "2", "benchmarks/test_new.py": "", "conftest.py": "# new\n"})
    write(project, {"conftest.py": "# not committed\n"})
    with both(Wanted(revision="main~1"), Wanted(revision=second), project) as (base, head):
        harness = {**FILES, "benchmarks/test_new.py": "", "conftest.py": "# new\n"}
        del harness["pyproject.toml"]
        assert files(base.folder) == {**harness, "autoenc_bench/core.py": "1"}
        assert files(head.folder) == {**harness, "autoenc_bench/core.py": "2"}
        # A record made there names the right commit.
        for side, right in ((base, first), (head, second)):
            assert git(side.folder, "rev-parse", "HEAD").strip() == right
    assert base.description == f"{first[:12]} (main~1)"
    assert head.description == second[:12]


def test_harness(project):
    """The head's plugin and cases replace the base's, also if links had their names; the rest of the package stays."""
    (project / "conftest.py").unlink()
    (project / "conftest.py").symlink_to("pyproject.toml")
    git(project, "rm", "--quiet", "-r", "benchmarks")
    (project / "benchmarks").symlink_to("autoenc_bench")
    commit(
        project, {"autoenc_bench/core.py": "1", "autoenc_bench/plugin/old.py": "", "autoenc_bench/plugin/x/y.py": ""}
    )
    for link in ("benchmarks", "conftest.py"):
        (project / link).unlink()
    git(project, "rm", "--quiet", "-r", "autoenc_bench/plugin/old.py", "autoenc_bench/plugin/x")
    plugin = {"autoenc_bench/plugin/__init__.py": "# new\n", "autoenc_bench/plugin/fixtures.py": "# new\n"}
    commit(project, {**FILES, **plugin, "autoenc_bench/core.py": "2"})
    with both(Wanted(revision="main~1"), NOTHING, project) as (base, head):
        assert files(base.folder) == {**FILES, **plugin, "autoenc_bench/core.py": "1"}
        assert files(head.folder) == {**FILES, **plugin, "autoenc_bench/core.py": "2"}
        assert not (base.folder / "autoenc_bench/plugin/x").exists()


def test_too_old(project):
    """A base from before the plugin is refused with what to do; a project without a plugin needs none."""
    without = {name: text for name, text in FILES.items() if "plugin" not in name}
    plugin = project / "autoenc_bench/plugin"
    shutil.rmtree(plugin)
    first = commit(project, {"autoenc_bench/core.py": "1"})
    with both(Wanted(revision="main"), Wanted(revision="main", environment=OTHER.environment), project) as (base, _):
        assert files(base.folder) == {**without, "autoenc_bench/core.py": "1"}
    write(project, {"autoenc_bench/plugin/__init__.py": ""})
    with pytest.raises(NotFoundError) as caught:
        enter(Wanted(revision="main"), NOTHING, project)
    assert str(caught.value) == (
        f"{first[:12]} (main) has no autoenc_bench/plugin/, so it is too old for the head's harness, which measures "
        "both sides; name a later revision"
    )


def test_harness_with_other_messages(project):
    """A harness whose plugin has no messages is too old for this command."""
    git(project, "rm", "--quiet", "autoenc_bench/plugin/messages.py")
    commit(project)
    with pytest.raises(NotFoundError, match=r"is too old: autoenc_bench/plugin/ has no messages\.py; name a later rev"):
        enter(OTHER, NOTHING, project)


@pytest.fixture
def bisected(project):
    """Return three commits of a project: the second has no harness, and the third has another one."""
    first = commit(project, {"autoenc_bench/core.py": "1", "autoenc_bench/plugin/old.py": ""})
    git(project, "rm", "--quiet", "-r", "benchmarks", "conftest.py", "pyproject.toml")
    second = commit(project, {"autoenc_bench/core.py": "2"})
    plugin = {"autoenc_bench/plugin/__init__.py": "# new\n"}
    git(project, "rm", "--quiet", "autoenc_bench/plugin/old.py")
    third = commit(project, {"autoenc_bench/core.py": "3", "benchmarks/b.py": "", "conftest.py": "# new\n", **plugin})
    return first, second, third


@pytest.mark.parametrize(
    ("line", "lacking"),
    [
        ("from autoenc_bench.instruments.clock import CLOCK", "CLOCK in autoenc_bench.instruments.clock"),
        ("from autoenc_bench.instruments import clock", "clock in autoenc_bench.instruments"),
        ("from autoenc_bench.records import clock", "clock in autoenc_bench.records"),
        ("def late():\n    from autoenc_bench.records.storage import save", "save in autoenc_bench.records.storage"),
        ("from autoenc_bench import exit_codes", "exit_codes in autoenc_bench"),
        ("from autoenc_bench import records\nfrom autoenc_bench.records import REPORTS, storage", None),
        ("from autoenc_bench.records.storage import load", None),
    ],
)
def test_package_of_another_layout(project, line, lacking):
    """A revision whose package lacks a name that the head's plugin imports is refused with that name."""
    write(project, {"autoenc_bench/__init__.py": "", "autoenc_bench/records/__init__.py": "REPORTS = 1"})
    write(project, {"autoenc_bench/records/storage.py": "def load(): ...", "autoenc_bench/plugin/__init__.py": ""})
    old = commit(project)
    write(project, {"autoenc_bench/plugin/__init__.py": f"{line}\n"})
    if lacking is None:
        enter(Wanted(revision=old), NOTHING, project)
        return
    with pytest.raises(NotFoundError) as refused:
        enter(Wanted(revision=old), NOTHING, project)
    assert str(refused.value) == (
        f"{old[:12]} cannot be measured: the package has no {lacking}, which the head's harness needs on both sides; "
        "compare recorded runs with autoenc-bench compare, or name a later revision"
    )


def test_harness_of_a_third_revision(project, bisected):
    """With a named harness, both sides get exactly that one, and their code stays."""
    first, second, third = bisected
    harness = {"benchmarks/b.py": "", "conftest.py": "# new\n", "autoenc_bench/plugin/__init__.py": "# new\n"}
    harness["autoenc_bench/plugin/messages.py"] = FILES["autoenc_bench/plugin/messages.py"]
    ours = {name: FILES[name] for name in ("autoenc_bench/__init__.py", ".gitignore")}
    write(project, {"conftest.py": "# not committed\n"})
    for revisions_ in ((first, second), (second, first), (first, third), (third, first)):
        with both(*(Wanted(revision=one) for one in revisions_), project, third) as sides:
            for side, revision in zip(sides, revisions_, strict=True):
                core = str(1 + bisected.index(revision))
                assert files(side.folder) == {**ours, **harness, "autoenc_bench/core.py": core}
                assert git(side.folder, "rev-parse", "HEAD").strip() == revision


def test_old_harness(project, bisected):
    """An older revision's harness replaces a newer one, on the head as well."""
    first, _, third = bisected
    with both(Wanted(revision=first), Wanted(revision=third), project, first) as (_, head):
        assert files(head.folder) == {**FILES, "autoenc_bench/core.py": "3", "autoenc_bench/plugin/old.py": ""}


def test_no_harness(project, bisected):
    """A revision without a harness is refused, and so is an unknown one."""
    first, second, third = bisected
    for harness, words in ((second, f"{second[:12]} has no benchmarks/"), ("nowhere", "'nowhere': no such revision")):
        with (
            pytest.raises(NotFoundError, match=words),
            both(Wanted(revision=first), Wanted(revision=third), project, harness),
        ):
            pass
    assert len(worktrees(project)) == 1


@pytest.mark.parametrize("place", [0, 1])
def test_too_old_for_a_harness(project, place):
    """Either side from before the plugin is too old for a harness that has one."""
    shutil.rmtree(project / "autoenc_bench/plugin")
    old = commit(project)
    new = commit(project, {"autoenc_bench/plugin/__init__.py": ""})
    sides = [Wanted(revision=new), Wanted(revision=new)]
    sides[place] = Wanted(revision=old)
    with pytest.raises(NotFoundError) as caught, both(*sides, project, new):
        pass
    assert str(caught.value) == (
        f"{old[:12]} has no autoenc_bench/plugin/, so it is too old for the harness of {new[:12]}, which measures "
        "both sides; name a later revision"
    )


def test_what_git_says_of_a_side(project):
    """A side is as clean as its source, and git works in it: a record names commit and changes."""
    commit(project, {"new.py": ""})
    write(project, {"autoenc_bench/__init__.py": "CODE = 2\n", "other.py": ""})
    with both(Wanted(revision="main~1"), NOTHING, project) as (base, head):
        assert git(base.folder, "status", "--porcelain") == ""
        assert git(head.folder, "status", "--porcelain").split() == ["M", "autoenc_bench/__init__.py", "??", "other.py"]
        assert "+CODE = 2" in git(head.folder, "diff", "HEAD")


def test_merge_base(project):
    """Without a named base, a branch is compared with its fork from the main branch."""
    shared = commit(project)
    git(project, "switch", "--quiet", "--create", "branch")
    commit(project, {"new.py": ""})
    with both(NOTHING, Wanted(revision="branch"), project) as (base, _):
        assert git(base.folder, "rev-parse", "HEAD").strip() == shared
        assert "new.py" not in files(base.folder)


@pytest.mark.parametrize("head", [NOTHING, Wanted(revision="main"), OTHER])
def test_nothing_to_compare(project, head):
    """The main branch without changes is its own base, so there is nothing to compare."""
    base = Wanted(environment=head.environment)
    with pytest.raises(ValueError, match=r"nothing to compare: .*merge base with main.*name another base"):
        enter(base, head, project)


def test_same_code(project):
    """Where the environments differ, both sides run the same code, with all its changes."""
    git(project, "switch", "--quiet", "--create", "branch")
    commit(project, {"autoenc_bench/core.py": "1"})
    write(project, {"autoenc_bench/core.py": "2", "untracked.py": ""})
    (project / ".gitignore").unlink()
    with both(OTHER, NOTHING, project) as (base, head):
        assert files(base.folder) == files(head.folder)
        assert files(base.folder)["autoenc_bench/core.py"] == "2"
        assert not (base.folder / ".gitignore").exists()
        assert (base.environment["KERAS_BACKEND"], base.description) == ("jax", head.description)
        assert "KERAS_BACKEND" not in head.environment


def test_same_code_of_a_revision(project):
    """Where only variables differ, the base is the head's revision, unless it is named."""
    second = commit(project, {"new.py": ""})
    commit(project)
    with both(OTHER, Wanted(revision=second), project) as (base, _):
        assert git(base.folder, "rev-parse", "HEAD").strip() == second
    with both(Wanted(revision="main~2", environment=OTHER.environment), NOTHING, project) as (base, _):
        assert "new.py" not in files(base.folder)


def test_subfolder(tmp_path):
    """The project may be in a subfolder of its repository, and then the sides' folders are too."""
    repository = create(tmp_path / "repository", {f"deep/project/{name}": text for name, text in FILES.items()})
    first = commit(repository, {"conftest.py": "# not the project's\n"})
    write(repository, {"deep/project/conftest.py": "# edited\n", "beside.py": ""})
    with both(NOTHING, NOTHING, repository / "deep/project") as (base, head):
        assert files(base.folder) == files(head.folder) == {**FILES, "conftest.py": "# edited\n"}
        assert files(base.folder.parent.parent)["conftest.py"] == "# not the project's\n"
        assert (head.folder.parent.parent / "beside.py").exists()
        assert git(base.folder, "rev-parse", "HEAD").strip() == first
        assert git(base.folder, "rev-parse", "--show-prefix").strip() == "deep/project/"


# What the sides run in


def test_environment(project, tmp_path, monkeypatch):
    """Each side imports its own checkout first, then its own packages, then the previous PYTHONPATH."""
    monkeypatch.setenv("PYTHONPATH", "before")
    wanted = Wanted(revision="main", packages=[str(wheel(tmp_path / "wheels", "tiny"))], python=Path(sys.executable))
    with both(wanted, NOTHING, project) as (base, head):
        root = base.folder.parent
        assert base.environment["PYTHONPATH"].split(os.pathsep) == [
            str(base.folder),
            f"{root}/packages-base",
            "before",
        ]
        assert head.environment["PYTHONPATH"].split(os.pathsep) == [str(head.folder), "before"]
        code = "import autoenc_bench, tiny; print(autoenc_bench.__file__)"
        environment = {**os.environ, **base.environment}
        printed = subprocess.check_output([base.python, "-c", code], env=environment, cwd=tmp_path, text=True)
        assert printed.strip() == f"{base.folder}/autoenc_bench/__init__.py"
        assert base.python == head.python == Path(sys.executable)


def test_default_interpreter(project):
    """Naming the interpreter that runs this is no difference between the sides."""
    with pytest.raises(ValueError, match="nothing to compare"):
        enter(Wanted(python=Path(sys.executable)), NOTHING, project)


def test_packages_that_pip_does_not_have(project, monkeypatch):
    """A package that pip cannot install is reported, and nothing is left."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ValueError, match=r"could not install keras==0\.0\.1: No matching"):
        enter(NOTHING, Wanted(packages=["keras==0.0.1"]), project)
    assert len(worktrees(project)) == 1


# What is refused


def test_refusals(project, tmp_path):
    """Missing names are refused with a message."""
    for base, head, folder, words in (
        (NOTHING, NOTHING, tmp_path, "no git repository"),
        (Wanted(revision="nowhere"), NOTHING, project, "'nowhere': no such revision"),
        (NOTHING, Wanted(revision="nowhere"), project, "'nowhere': no such revision"),
        (Wanted(python=Path("nowhere/python")), NOTHING, project, "nowhere/python: no such interpreter"),
        (OTHER, NOTHING, project / "benchmarks", r"without changes has no benchmarks/ in the project's folder"),
    ):
        with pytest.raises(LookupError, match=words):
            enter(base, head, folder)


@pytest.mark.parametrize(
    ("name", "lacking"), [("conftest.py", r"conftest\.py"), ("benchmarks/test_speed.py", "benchmarks/")]
)
def test_no_suite(project, name, lacking):
    """A head without benchmarks or conftest.py is refused."""
    (project / name).unlink()
    with pytest.raises(LookupError, match=f"with changes has no {lacking} in the project's folder"):
        enter(NOTHING, NOTHING, project)


def test_base_from_before_the_project(tmp_path):
    """A base without the package or the project's folder is refused, because Python would import an installed one."""
    project = create(tmp_path / "project", {"README.md": ""})
    commit(project, FILES)
    with pytest.raises(LookupError, match=r"\(main~1\) has no autoenc_bench/ to measure"):
        enter(Wanted(revision="main~1"), NOTHING, project)
    write(project, {f"deep/{name}": text for name, text in FILES.items()})
    with pytest.raises(LookupError, match=r"\(main\) has no folder deep; name a revision"):
        enter(Wanted(revision="main"), NOTHING, project / "deep")


def test_base_behind_a_link(tmp_path):
    """A project's folder that was a link out of the checkout is refused, and nothing outside is changed."""
    project = create(tmp_path / "project", {"README.md": ""})
    write(tmp_path / "elsewhere", FILES)
    (project / "deep").symlink_to(tmp_path / "elsewhere")
    commit(project)
    (project / "deep").unlink()
    write(project, {f"deep/{name}": "# new\n" for name in FILES})
    with pytest.raises(LookupError, match=r"\(main\) has no folder deep"):
        enter(Wanted(revision="main"), NOTHING, project / "deep")
    assert files(tmp_path / "elsewhere") == FILES


def test_unwritable(project, monkeypatch):
    """An error of the system is reported as a message."""

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(revisions.shutil, "copyfile", full)
    with pytest.raises(ValueError, match=r"could not be checked out: .*No space left on device"):
        enter(OTHER, NOTHING, project)
    assert len(worktrees(project)) == 1


def test_sparse(project):
    """A sparse checkout that lacks a path that both sides need is refused, with how to add it."""
    git(project, "sparse-checkout", "set", "autoenc_bench")
    with pytest.raises(NotFoundError, match=r"does not contain benchmarks, .*'git sparse-checkout add benchmarks'"):
        enter(OTHER, NOTHING, project)
    git(project, "sparse-checkout", "add", "benchmarks")
    enter(OTHER, NOTHING, project)


# What is left


@pytest.mark.parametrize("problem", [None, RuntimeError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left(project, temporary, problem):
    """However a comparison ends, no worktree and no file remains, also when a side was written to."""
    write(project, {"autoenc_bench/__init__.py": "CODE = 2\n", "untracked.py": ""})
    before = files(project), git(project, "status", "--porcelain"), objects(project)

    def measure():
        with both(OTHER, NOTHING, project) as sides:
            assert len(worktrees(project)) == 3
            for side in sides:
                write(side.folder, {"record.json": "", "x.log": "", "conftest.py": "# edited\n"})
            if problem:
                raise problem

    if problem:
        with pytest.raises(problem):
            measure()
    else:
        measure()
    assert worktrees(project) == [f"worktree {project}"]
    assert not list(temporary.iterdir())
    assert before == (files(project), git(project, "status", "--porcelain"), objects(project))


@pytest.mark.parametrize("begun", [True, False])
def test_interrupted_checkout(project, temporary, monkeypatch, begun):
    """A locked worktree at which git was stopped is removed, at any stage."""
    original = checkouts.git

    def stopped(top, *arguments, **variables):
        printed = original(top, *arguments, **variables)
        if arguments[1] == "add" and arguments[3].endswith("-base"):
            original(top, "worktree", "lock", arguments[3])
            if not begun:
                (Path(arguments[3]) / ".git").unlink()
            raise KeyboardInterrupt
        return printed

    monkeypatch.setattr(checkouts, "git", stopped)
    with pytest.raises(KeyboardInterrupt):
        enter(OTHER, NOTHING, project)
    assert len(worktrees(project)) == 1
    assert not list(temporary.iterdir())


def test_two_at_once(project):
    """Two comparisons of one project at once do not interfere."""
    with both(OTHER, NOTHING, project) as first:
        with both(OTHER, NOTHING, project) as second:
            assert len({side.folder for side in (*first, *second)}) == 4
        assert all(git(side.folder, "rev-parse", "HEAD") for side in first)
    assert len(worktrees(project)) == 1


def test_hooks_do_not_run(project, tmp_path):
    """The user's hooks do not run."""
    write(project, {".git/hooks/post-checkout": f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n"})
    (project / ".git/hooks/post-checkout").chmod(0o755)
    with both(OTHER, NOTHING, project):
        assert not (tmp_path / "ran").exists()


def test_within_a_hook(project, tmp_path, monkeypatch):
    """A comparison within a hook of another repository checks out this project."""
    other = create(tmp_path / "other", {"other.py": ""})
    for name, path in (("GIT_DIR", ".git"), ("GIT_INDEX_FILE", ".git/index"), ("GIT_WORK_TREE", ".")):
        monkeypatch.setenv(name, str(other / path))
    with both(OTHER, NOTHING, project) as (base, _):
        assert files(base.folder) == FILES
