"""Git worktrees in a temporary folder; nothing of them stays in the user's repository."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from autoenc_bench.exceptions import AutoencBenchError
from autoenc_bench.live.git import git, git_path

PREFIX = "autoenc-bench-"
LOCK = "in-use"  # a file in the folder, locked as long as the process lives that made it


@contextmanager
def folder(top: Path) -> Iterator[Path]:
    """Make a temporary folder for worktrees of a repository; remove it, and the worktrees at ``path``, at the end.

    Also remove what killed processes left behind. The user's own worktrees stay, even if their folders are missing.
    """
    _remove_abandoned(top)
    temporary = TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
    root = Path(temporary.name).resolve()
    try:
        with temporary, (root / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield root
    finally:
        _forget(top, root)


def path(root: Path, name: str) -> Path:
    """Return where a worktree goes in the folder ``root``; git names its entry after this unique name."""
    return root / f"{root.name}-{name}"


def _forget(top: Path, root: Path) -> None:
    """Remove git's entries for the worktrees of a removed folder, also entries that git has written in part."""
    for entry in _entries(top, f"{root.name}-*"):
        with suppress(AutoencBenchError):  # a leftover entry must not hide the error that ended the comparison
            git(top, "worktree", "remove", "--force", "--force", str(root / entry.name))
        shutil.rmtree(entry, ignore_errors=True)  # git was stopped before it wrote the path into the entry


def _remove_abandoned(top: Path) -> None:
    """Remove the folders and worktrees of killed processes: no process locks their file."""
    for entry in _entries(top, f"{PREFIX}*"):
        with suppress(OSError):
            root = Path((entry / "gitdir").read_text().strip()).parent.parent
            if entry.name.startswith(f"{root.name}-") and not _is_in_use(root):
                shutil.rmtree(root, ignore_errors=True)
                _forget(top, root)


def _is_in_use(root: Path) -> bool:
    try:
        with (root / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:  # locked, or another user's
        return True
    return False


def _entries(top: Path, pattern: str) -> list[Path]:
    with suppress(AutoencBenchError):
        return sorted(git_path(top, "worktrees").glob(pattern))
    return []
