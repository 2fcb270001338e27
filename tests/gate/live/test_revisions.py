"""Revisions are found and named, the working tree is read as it lies there, and a branch knows where it left."""

import os

import pytest
from repositories import commit, create, git, write

from autoenc_bench.gate.live import revisions


def test_words(tmp_path):
    """A commit is named by its short id, and by what it was called when that is something else."""
    folder = create(tmp_path / "project")
    first = git(folder, "rev-parse", "HEAD").strip()
    commit(folder)
    assert revisions.at(folder, "main~1") == revisions.Code(first, f"{first[:12]} (main~1)")
    assert revisions.at(folder, first).words == first[:12]
    assert revisions.at(folder, first[:7].upper()).words == first[:12]


def test_tags(tmp_path):
    """An annotated tag stands for its commit."""
    folder = create(tmp_path / "project")
    git(folder, "tag", "--annotate", "--message", "One", "v1")
    assert revisions.at(folder, "v1").commit == git(folder, "rev-parse", "HEAD").strip()


@pytest.mark.parametrize(
    "revision", ["nowhere", "", "^main", "-n", "--all", "main..main", "HEAD:conftest.py", "main~9"]
)
def test_unknown_revisions(tmp_path, revision):
    """What names no commit is refused by name, also when git would take it for an option."""
    folder = create(tmp_path / "project")
    with pytest.raises(LookupError, match=f"'{revision.replace('^', '.')}': no such revision in .*name a commit"):
        revisions.at(folder, revision)


def test_no_repository(tmp_path):
    """A folder that is in no repository, or not there, is refused in git's words."""
    with pytest.raises(LookupError, match=f"{tmp_path}: no git repository .*not a git repository"):
        revisions.find(tmp_path)
    with pytest.raises(LookupError, match=r"nowhere: no git repository .*No such file"):
        revisions.find(tmp_path / "nowhere")


def test_no_git(tmp_path, monkeypatch):
    """Without git, one sentence says what it is needed for."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LookupError, match="git is not installed"):
        revisions.find(tmp_path)


def test_no_commit(tmp_path):
    """A repository without a commit has no working tree to compare."""
    git(tmp_path, "init", "--quiet")
    with pytest.raises(LookupError, match="'HEAD': no such revision"):
        revisions.working_tree(tmp_path)


def test_finds_the_folder_s_repository(tmp_path, monkeypatch):
    """The repository is the folder's, also within a hook of another one."""
    folder, other = create(tmp_path / "project"), create(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    top, prefix = revisions.find(folder / "benchmarks")
    assert (top / prefix).samefile(folder / "benchmarks")


def test_working_tree(tmp_path):
    """What changed is listed by path from the root, whatever it is called; ignored files are not."""
    folder = create(tmp_path / "project")
    assert revisions.working_tree(folder).words.endswith(", without changes")
    write(folder, {"a b/ü\n.py": "", "conftest.py": "# new\n", "x.log": "ignored"})
    git(folder, "mv", "pyproject.toml", "moved.toml")
    found = revisions.working_tree(folder)
    assert set(found.changed) == {"a b/ü\n.py", "conftest.py", "pyproject.toml", "moved.toml"}
    assert found.words == f"working tree on {found.commit[:12]}, with changes"


def test_configuration(tmp_path):
    """How somebody likes git to answer changes nothing."""
    folder = create(tmp_path / "project")
    for setting in ("status.showUntrackedFiles=no", "status.renames=true", "status.short=true", "color.ui=always"):
        git(folder, "config", *setting.split("="))
    write(folder, {"new/file.py": ""})
    assert revisions.working_tree(folder).changed == ("new/file.py",)


def test_repositories_within(tmp_path):
    """A repository within the working tree is no change of it."""
    folder = create(tmp_path / "project")
    create(folder / "within")
    assert revisions.working_tree(folder).changed == ()


def test_looking_leaves_the_index(tmp_path):
    """Looking at the working tree writes nothing, not even what git learned on the way."""
    folder = create(tmp_path / "project")
    os.utime(folder / "conftest.py", (1e9, 1e9))
    before = (folder / ".git/index").read_bytes()
    assert revisions.working_tree(folder).changed == ()
    assert (folder / ".git/index").read_bytes() == before


def test_fork(tmp_path):
    """A branch left the main one where both were last the same."""
    folder = create(tmp_path / "project")
    shared = commit(folder)
    git(folder, "switch", "--quiet", "--create", "branch")
    commit(folder)
    git(folder, "switch", "--quiet", "main")
    commit(folder)
    found = revisions.fork(folder, revisions.at(folder, "branch"))
    assert found == revisions.Code(shared, f"{shared[:12]} (merge base with main)")


def test_the_remote_s_main_branch_comes_first(tmp_path):
    """A clone asks the main branch of where it came from, whatever that is called, before its own."""
    origin = create(tmp_path / "origin")
    git(origin, "branch", "--quiet", "--move", "trunk")
    git(tmp_path, "clone", "--quiet", "origin", "clone")
    folder = tmp_path / "clone"
    git(folder, "switch", "--quiet", "--create", "main")
    new = commit(folder)
    found = revisions.fork(folder, revisions.at(folder, new))
    assert found.words == f"{git(origin, 'rev-parse', 'HEAD')[:12]} (merge base with origin/trunk)"


def test_no_main_branch(tmp_path):
    """Without any main branch, a sentence says what to name."""
    folder = create(tmp_path / "project")
    git(folder, "branch", "--quiet", "--move", "trunk")
    with pytest.raises(LookupError, match=r"no branch main or master .*; name the base's revision"):
        revisions.fork(folder, revisions.at(folder, "trunk"))


def test_nothing_shared(tmp_path):
    """A branch with a history of its own has no merge base."""
    folder = create(tmp_path / "project")
    git(folder, "switch", "--quiet", "--orphan", "apart")
    commit(folder)
    with pytest.raises(LookupError, match=r"\(apart\) shares no commit with main; name the base's revision"):
        revisions.fork(folder, revisions.at(folder, "apart"))
