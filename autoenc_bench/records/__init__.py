"""The contract between measuring and reading: what a run says, where it lies, and how it is read back."""

from pathlib import Path

# In the project's folder, as pytest-benchmark has it.
SAVED = Path(".benchmarks")
LIVE = Path(".continuous")  # for two sides by turns are no history
REPORTS = Path("reports")
BASELINES = REPORTS / "baselines"


def expanded(path: str | Path) -> Path:
    """Return a path that a user gave, with ``~`` as the home directory, which shells expand in some places only."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no such user, or one without a home directory
        return Path(path)
