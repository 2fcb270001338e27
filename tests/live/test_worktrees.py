"""Our worktrees are removed however their process ends; all others stay."""

import signal
import subprocess
import sys
import tempfile

import pytest
from repositories import create, git, write

from autoenc_bench.live import points, revisions, worktrees
from autoenc_bench.live.checkouts import Wanted, both

KILLED = """
import sys, time
from pathlib import Path
from autoenc_bench.live import worktrees
from autoenc_bench.live.revisions import git

top = Path(sys.argv[1])
with worktrees.folder(top) as root:
    git(top, "worktree", "add", "--detach", str(worktrees.path(root, "base")), "HEAD")
    print(root, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def project(tmp_path):
    """Return a project with one commit."""
    return create(tmp_path / "project")


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Put temporary folders where a test can see their remains."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def entries(project):
    """List git's entries for the worktrees of a repository."""
    return sorted(path.name for path in (project / ".git/worktrees").glob("*"))


def compare(project):
    """Check out both sides of a live comparison, and remove them."""
    with both(Wanted(environment={"KERAS_BACKEND": "jax"}), Wanted(), project):
        pass


def bisect(project):
    """Make the worktree of a bisection, and remove it."""
    with points.worktree(project, "HEAD"):
        pass


@pytest.mark.parametrize("use", [compare, bisect])
def test_others_stay(project, tmp_path, use):
    """The user's worktree whose folder is missing, as on an unmounted disk, keeps its staged changes."""
    own = tmp_path / "own"
    git(project, "worktree", "add", "--quiet", "--detach", str(own))
    write(own, {"staged.py": ""})
    git(own, "add", "staged.py")
    own.rename(tmp_path / "away")
    use(project)
    (tmp_path / "away").rename(own)
    assert git(own, "status", "--porcelain") == "A  staged.py\n"
    assert entries(project) == ["own"]


@pytest.mark.parametrize("missing", [(), ("HEAD", "commondir"), ("gitdir",), ("gitdir", "HEAD", "commondir")])
def test_half_made(project, temporary, monkeypatch, missing):
    """Nothing remains of a worktree at which git was stopped, at any stage."""
    original = revisions.git

    def stopped(top, *arguments, **variables):
        printed = original(top, *arguments, **variables)
        if arguments[:2] == ("worktree", "add"):
            entry = project / ".git/worktrees" / entries(project)[-1]
            (entry / "locked").write_text("initializing")
            for name in missing:
                (entry / name).unlink()
            raise KeyboardInterrupt
        return printed

    monkeypatch.setattr(points, "git", stopped)
    with pytest.raises(KeyboardInterrupt):
        bisect(project)
    assert entries(project) == []
    assert not list(temporary.iterdir())


def test_after_a_killed_run(project, tmp_path, monkeypatch):
    """The remains of a killed process are removed by the next run; those of a running process stay."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    command = [sys.executable, "-c", KILLED, str(project)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        root = process.stdout.readline().strip()
        compare(project)
        assert len(entries(project)) == 1, "it lives"
        process.send_signal(signal.SIGKILL)
    assert len(list(elsewhere.iterdir())) == 1
    compare(project)
    assert entries(project) == []
    assert not list(elsewhere.iterdir()), root


def test_names(project):
    """Each worktree has a unique name, by which git lists it, also without a path."""
    with worktrees.folder(project) as root, worktrees.folder(project) as other:
        assert worktrees.path(root, "base") != worktrees.path(other, "base")
        assert worktrees.path(root, "base").name.startswith(worktrees.PREFIX)


def test_folder_without_git(project, monkeypatch):
    """Where git fails at the end, the error that ended the comparison is shown."""

    def end():
        monkeypatch.setenv("PATH", "")
        raise RuntimeError("the reason")

    with pytest.raises(RuntimeError, match="the reason"), worktrees.folder(project):
        end()
