"""The folders that commands read and write, relative to the project's folder, and paths that users name."""

from pathlib import Path

SAVED = Path(".benchmarks")  # pytest-benchmark's own default
LIVE = Path(".continuous")  # not SAVED, because the two sides of a live comparison are not history
REPORTS = Path("reports")
BASELINES = REPORTS / "baselines"


def expanded(path: str | Path) -> Path:
    """Return a path with ``~`` replaced by the home directory. Shells do so only at some positions of an argument."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no such user, or a user without a home directory
        return Path(path)
