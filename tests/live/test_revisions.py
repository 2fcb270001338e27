"""Revisions are found and named, the working tree is read with its changes, and a branch's fork is fork."""

import os
import subprocess

import pytest
from repositories import commit, create, git, write

from autoenc_bench.live import revisions


@pytest.fixture
def changed(tmp_path):
    """Return a function that reads a working tree: the files that differ from its commit, and the description."""

    def read(folder):
        store = revisions.make_store(folder, tmp_path / "store")
        code = revisions.working_tree(folder, store)
        names = ("diff-tree", "-r", "-z", "--name-only", code.commit, code.tree)
        differing = revisions.git(folder, *names, GIT_OBJECT_DIRECTORY=str(store)).split("\0")
        return {name for name in differing if name}, code.description

    return read


def test_words(tmp_path):
    """A commit is described by its short id, and by its given name where that is another one."""
    folder = create(tmp_path / "project")
    first = git(folder, "rev-parse", "HEAD").strip()
    commit(folder)
    tree = git(folder, "rev-parse", f"{first}^{{tree}}").strip()
    assert revisions.at(folder, "main~1") == revisions.Code(first, tree, f"{first[:12]} (main~1)")
    assert revisions.at(folder, first).description == first[:12]
    assert revisions.at(folder, first[:7].upper()).description == first[:12]


def test_tags(tmp_path):
    """An annotated tag stands for its commit."""
    folder = create(tmp_path / "project")
    git(folder, "tag", "--annotate", "--message", "One", "v1")
    assert revisions.at(folder, "v1").commit == git(folder, "rev-parse", "HEAD").strip()


@pytest.mark.parametrize(
    "revision", ["nowhere", "", "^main", "-n", "--all", "main..main", "HEAD:conftest.py", "main~9"]
)
def test_unknown_revisions(tmp_path, revision):
    """A name without a commit is refused, also when git would read it as an option."""
    folder = create(tmp_path / "project")
    with pytest.raises(LookupError, match=f"'{revision.replace('^', '.')}': no such revision in .*name a commit"):
        revisions.at(folder, revision)


def test_no_repository(tmp_path):
    """A folder outside of any repository, or a missing one, is refused with git's message."""
    with pytest.raises(LookupError, match=f"{tmp_path}: no git repository .*not a git repository"):
        revisions.find(tmp_path)
    with pytest.raises(LookupError, match=r"nowhere: no git repository .*No such file"):
        revisions.find(tmp_path / "nowhere")


def test_no_git(tmp_path, monkeypatch):
    """Without git, the message says why it is needed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LookupError, match="git is not installed"):
        revisions.find(tmp_path)


def test_no_commit(tmp_path):
    """A repository without a commit has no working tree to compare."""
    git(tmp_path, "init", "--quiet")
    with pytest.raises(LookupError, match="'HEAD': no such revision"):
        revisions.working_tree(tmp_path, tmp_path / "store")


def test_finds_the_folder_s_repository(tmp_path, monkeypatch):
    """The repository is the folder's, also within a hook of another repository."""
    folder, other = create(tmp_path / "project"), create(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    top, prefix = revisions.find(folder / "benchmarks")
    assert (top / prefix).samefile(folder / "benchmarks")


def test_working_tree(tmp_path, changed):
    """The tree has every change, with any file name; ignored files are left out, unless they are in the index."""
    folder = create(tmp_path / "project")
    write(folder, {"a b/ü\n.py": "", "conftest.py": "# new\n", "x.log": "ignored", "known.log": "ignored, but added"})
    git(folder, "mv", "pyproject.toml", "moved.toml")
    git(folder, "add", "--force", "known.log")
    names, description = changed(folder)
    assert names == {"a b/ü\n.py", "conftest.py", "pyproject.toml", "moved.toml", "known.log"}
    assert description == f"working tree on {git(folder, 'rev-parse', 'HEAD')[:12]}, with changes"


def test_no_change(tmp_path, changed):
    """A working tree without changes equals its commit, also when the times of files differ."""
    folder = create(tmp_path / "project")
    os.utime(folder / "conftest.py", (1e9, 1e9))
    names, description = changed(folder)
    assert names == set()
    assert description.endswith(", without changes")


def test_without_an_index(tmp_path, changed):
    """Without an index, the files in the folder count."""
    folder = create(tmp_path / "project")
    (folder / ".git/index").unlink()
    assert changed(folder)[0] == set()


def test_unmerged(tmp_path, changed):
    """During a merge, the file with its conflict is measured."""
    folder = create(tmp_path / "project")
    git(folder, "switch", "--quiet", "--create", "branch")
    commit(folder, {"conftest.py": "# theirs\n"})
    git(folder, "switch", "--quiet", "main")
    commit(folder, {"conftest.py": "# ours\n"})
    with pytest.raises(subprocess.CalledProcessError):
        git(folder, "merge", "branch")
    assert changed(folder)[0] == {"conftest.py"}


def test_configuration(tmp_path, changed):
    """The user's configuration of git changes nothing."""
    folder = create(tmp_path / "project")
    for setting in ("status.showUntrackedFiles=no", "status.renames=true", "add.ignoreErrors=true", "color.ui=always"):
        git(folder, "config", *setting.split("="))
    write(folder, {"new/file.py": ""})
    assert changed(folder)[0] == {"new/file.py"}


def test_repositories_within(tmp_path, changed):
    """A repository within the working tree is no change: untracked, without a commit, or a submodule."""
    folder = create(tmp_path / "project")
    create(folder / "module")
    git(folder, "add", "module")
    git(folder, "commit", "--quiet", "--message", "Add a module")
    commit(folder / "module", {"new.py": ""})
    create(folder / "within/[a] b")
    (folder / "empty").mkdir()
    git(folder / "empty", "init", "--quiet")
    write(folder, {"within/beside.py": ""})
    assert changed(folder)[0] == {"within/beside.py"}


def test_looking_leaves_the_repository(tmp_path, changed):
    """Reading the working tree writes nothing into the repository: no index and no object."""
    folder = create(tmp_path / "project")
    write(folder, {"conftest.py": "# new\n", "new.py": "2"})
    before = {path: path.read_bytes() for path in (folder / ".git").rglob("*") if path.is_file()}
    assert changed(folder)[0] == {"conftest.py", "new.py"}
    assert before == {path: path.read_bytes() for path in (folder / ".git").rglob("*") if path.is_file()}


def test_fork(tmp_path):
    """The fork of a branch is the last commit that it shares with the main branch."""
    folder = create(tmp_path / "project")
    shared = commit(folder)
    git(folder, "switch", "--quiet", "--create", "branch")
    commit(folder)
    git(folder, "switch", "--quiet", "main")
    commit(folder)
    fork = revisions.fork(folder, revisions.at(folder, "branch"))
    assert (fork.commit, fork.description) == (shared, f"{shared[:12]} (merge base with main)")


def test_the_remote_s_main_branch_comes_first(tmp_path):
    """A clone prefers the main branch of its remote, with any name, to its own."""
    origin = create(tmp_path / "origin")
    git(origin, "branch", "--quiet", "--move", "trunk")
    git(tmp_path, "clone", "--quiet", "origin", "clone")
    folder = tmp_path / "clone"
    git(folder, "switch", "--quiet", "--create", "main")
    new = commit(folder)
    fork = revisions.fork(folder, revisions.at(folder, new))
    assert fork.description == f"{git(origin, 'rev-parse', 'HEAD')[:12]} (merge base with origin/trunk)"


def test_no_main_branch(tmp_path):
    """Without a main branch, the message says what to name."""
    folder = create(tmp_path / "project")
    git(folder, "branch", "--quiet", "--move", "trunk")
    with pytest.raises(LookupError, match=r"no branch main or master .*; name the base's revision"):
        revisions.fork(folder, revisions.at(folder, "trunk"))


def test_nothing_shared(tmp_path):
    """A branch with an unrelated history has no merge base."""
    folder = create(tmp_path / "project")
    git(folder, "switch", "--quiet", "--orphan", "apart")
    commit(folder)
    with pytest.raises(LookupError, match=r"\(apart\) shares no commit with main; name the base's revision"):
        revisions.fork(folder, revisions.at(folder, "apart"))


def test_changed_in_the_second_of_the_index(tmp_path, changed):
    """A change that leaves a file's size and time as in the index is found, as git itself finds it."""
    project = create(tmp_path / "project", {"code.py": "CODE = 1\n"})
    path, index, moment = project / "code.py", project / ".git/index", (1e9, 1e9)
    git(project, "config", "core.trustctime", "false")
    os.utime(path, moment)
    commit(project)
    path.write_text("CODE = 2\n")
    for one in (path, index):
        os.utime(one, moment)
    assert changed(project)[0] == {"code.py"}
